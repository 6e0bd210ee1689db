package app_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/app/apptest"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/db"
)

const threeCompanies = `{"name":"Acme","domain":"acme.example","country":"DE"}
{"name":"Globex","domain":"globex.example","country":"US"}
{"name":"Initech","domain":"initech.example","country":"US"}
`

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, // the tests' HTTP client keeps its connections open
		goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"), goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop"))
}

func TestServeCompletesAnExportAndLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Companies: threeCompanies, Credits: 2})
	c := s.Client()
	created, err := c.CreateExport(t.Context(), client.ExportRequest{
		Name: "US", SearchFilters: &client.Filters{Countries: []string{"usa"}},
	})
	require.NoError(t, err)
	require.EqualValues(t, 2, created.CreditsCharged)
	e, err := c.Wait(t.Context(), created.ExportJob.ID, 10*time.Millisecond, nil)
	require.NoError(t, err)
	require.Equal(t, client.ExportCompleted, e.Status)
	credits, err := c.Credits(t.Context())
	require.NoError(t, err)
	require.Zero(t, credits.Balance)

	require.NoError(t, s.Stop())
	_, err = http.Get(s.URL + "/healthz")
	require.Error(t, err)
}

func TestASecondServerOnADirectoryIsRefused(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	_, err := s.Client().Credits(t.Context()) // it answers, so it holds the lock
	require.NoError(t, err)
	err = serve(t, s.Config)
	require.ErrorContains(t, err, "is in use by another capi serve (process ")
	require.NoError(t, s.Stop())
	require.NoError(t, serve(t, s.Config), "the lock is free again")
}

// serve opens an App and calls Serve with a cancelled context. It returns the error of Serve, which is nil if the server
// could start.
func serve(t *testing.T, c config.Config) error {
	t.Helper()
	a, err := app.Open(t.Context(), c, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer a.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return a.Serve(ctx, listener)
}

func TestAServerStoresTheKeysThatAKilledImportHasLeft(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{})
	require.NoError(t, s.Stop())
	added := catalog.Prepare(&company.Company{Name: "Acme", Domain: "acme.example"})
	_, err := s.Catalog.NewLoader().Put(t.Context(), nil, []catalog.Incoming{added}, true)
	require.NoError(t, err)
	stored := func() (n int) {
		require.NoError(t, s.DB.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM company_key_stored`).Scan(&n))
		return n
	}
	require.Zero(t, stored())

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a, err := app.Open(t.Context(), s.Config, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer a.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error)
	go func() { served <- a.Serve(ctx, listener) }()
	answer, err := http.Get("http://" + listener.Addr().String() + "/healthz")
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, 3, stored(), "of the id, the domain and the name")
	cancel()
	require.NoError(t, <-served)
}

func TestAWorkspaceIsCreatedWithItsCreditsOrNotAtAll(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Credits: 5})
	_, err := s.CreateWorkspace(t.Context(), "Debtor", -1)
	require.Error(t, err)
	all, err := s.Workspaces.List(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	balance, err := s.Credits.Balance(t.Context(), s.Workspace)
	require.NoError(t, err)
	require.EqualValues(t, 5, balance)
}

func TestAServerPrunesExpiredIdempotencyKeys(t *testing.T) {
	t.Parallel()
	kept := func(a *app.App) []string {
		keys, err := db.Collect(t.Context(), a.DB.Read(), db.Value[string], `SELECT key FROM replay ORDER BY key`)
		require.NoError(t, err)
		return keys
	}
	s := apptest.Start(t, apptest.Options{})
	require.NoError(t, s.Stop())
	require.NoError(t, s.DB.Tx(t.Context(), func(tx *db.Tx) error {
		const q = `INSERT INTO replay (workspace_id, key, operation, request_sha256, status, body, created_at)
			VALUES ($1, $2, 'createList', $3, 201, $3, $4)`
		now := time.Now()
		_, oldErr := tx.ExecContext(t.Context(), q, s.Workspace, "old", []byte("x"), db.Time(now.Add(-25*time.Hour)))
		_, youngErr := tx.ExecContext(t.Context(), q, s.Workspace, "young", []byte("x"), db.Time(now))
		return errors.Join(oldErr, youngErr)
	}))

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }()
	require.Eventually(t, func() bool { return len(kept(s.App)) == 1 }, 30*time.Second, 5*time.Millisecond)
	require.Equal(t, []string{"young"}, kept(s.App))
	stop()
	require.NoError(t, <-served)
}

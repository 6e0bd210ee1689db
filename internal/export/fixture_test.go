package export_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/signing"
	"github.com/opencapi/capi/internal/testkit"
	"github.com/opencapi/capi/internal/unlock"
	"github.com/opencapi/capi/internal/wall"
	"github.com/opencapi/capi/internal/workspace"
)

// fixture is the export use case over real stores, and a workspace that has credits.
type fixture struct {
	*export.Exports
	fixture *testkit.Fixture
	db      *db.DB
	catalog *catalog.Store
	index   index.Index
	lists   *list.Store
	unlock  *unlock.Store
	credit  *credit.Store
	jobs    *job.Queue
	blobs   *faultyStore
	sign    *signing.Store
	caller  auth.Caller
	events  events
}

const attemptsMax = 3

var exportOptions = export.Options{ProgressEvery: time.Millisecond, PastKept: time.Nanosecond}

// open returns a fixture with n companies, which have 1 to n employees, and a workspace with the credits.
func open(t testing.TB, d *db.DB, n int, credits int64) *fixture {
	t.Helper()
	s := openIndex(t, d, nil, credits)
	s.addCompanies(t, n)
	return s
}

// openIndex returns a fixture without companies over an index, nil for a new one.
func openIndex(t testing.TB, d *db.DB, ix index.Index, credits int64) *fixture {
	t.Helper()
	s := &fixture{blobs: &faultyStore{Store: testkit.Files(t)}}
	f := testkit.New(t, services.Parts{
		DB: d, Index: ix, Blobs: s.blobs, Observe: s.events.add, Exports: exportOptions,
		Jobs: job.Options{
			AttemptsMax: attemptsMax, RetryDelay: time.Millisecond, RetryDelayMax: time.Millisecond, Poll: 5 * time.Millisecond,
		},
	})
	s.Exports, s.fixture, s.db, s.catalog, s.index, s.lists = f.Exports, f, f.DB, f.Catalog, f.Index, f.Lists
	s.unlock, s.credit, s.jobs, s.sign = f.Unlocks, f.Credits, f.Jobs, f.Signing
	s.caller = s.customer(t, credits)
	return s
}

// another returns a second Exports over the same stores, as another process would have it.
func (s *fixture) another() *export.Exports { return s.with(exportOptions) }

// with is another with the options.
func (s *fixture) with(o export.Options) *export.Exports {
	return export.New(export.Deps{
		DB: s.db, Catalog: s.catalog, Index: s.index, Lists: s.lists, Unlock: unlock.New(s.db, unlock.Options{}),
		Wall: wall.New(s.db, wall.Options{}), Credit: s.credit, Jobs: s.jobs, Blobs: s.blobs, Sign: s.sign, Observe: s.events.add,
		Options: o,
		ResolveSets: func(_ context.Context, _ auth.Caller, _ company.FieldSet, q query.Query) (query.Query, error) {
			return q, nil
		},
	})
}

func (s *fixture) customer(t testing.TB, credits int64) auth.Caller {
	t.Helper()
	caller := auth.Caller{Token: id.New[id.Token]()}
	require.NoError(t, s.db.Tx(t.Context(), func(tx *db.Tx) error {
		ws, err := workspace.New(s.db).Create(t.Context(), tx, "Test")
		if err != nil {
			return err
		}
		caller.Workspace = ws.ID
		if err := s.credit.Open(t.Context(), tx, ws.ID); err != nil || credits == 0 {
			return err
		}
		_, err = s.credit.Grant(t.Context(), tx, ws.ID, credit.Grant{Amount: credits})
		return err
	}))
	return caller
}

// addCompanies adds n companies to the catalog and the index.
func (s *fixture) addCompanies(t testing.TB, n int) {
	t.Helper()
	var batch []catalog.Incoming
	for c := range companytest.Generate(7, n) {
		employees := int64(len(batch) + 1)
		c.EmployeeCount = &employees
		batch = append(batch, catalog.Prepare(c))
	}
	for part := range slices.Chunk(batch, 2_000) {
		report, err := s.catalog.Put(t.Context(), nil, part)
		require.NoError(t, err)
		require.Len(t, report.Numbers, len(part))
	}
	s.syncIndex(t)
}

// syncIndex brings the index up to date with the catalog.
func (s *fixture) syncIndex(t testing.TB) {
	t.Helper()
	s.fixture.Follow(t)
}

// between returns a request for the companies with low to high employees: one company for each number, smallest first.
func between(low, high int64) export.Request {
	return export.Request{
		Name:    fmt.Sprintf("From %d to %d", low, high),
		Query:   query.Query{Root: query.Range{Field: query.FieldEmployeeCount, Min: &low, Max: &high}},
		Filters: json.RawMessage(fmt.Sprintf(`{"employee_count_min":%d,"employee_count_max":%d}`, low, high)),
		Sort:    query.Sort{By: query.ByEmployeeCount},
		Format:  format.JSON,
	}
}

func (s *fixture) buy(t *testing.T, r export.Request) export.Export {
	t.Helper()
	e, figures, err := s.Create(t.Context(), s.caller, r)
	require.NoError(t, err)
	require.Equal(t, e.Figures, figures)
	return e
}

func (s *fixture) balance(t *testing.T) int64 {
	t.Helper()
	n, err := s.credit.Balance(t.Context(), s.caller.Workspace)
	require.NoError(t, err)
	return n
}

func (s *fixture) owned(t *testing.T) company.Set {
	t.Helper()
	set, err := s.unlock.Owned(t.Context(), s.caller.Workspace)
	require.NoError(t, err)
	return set
}

// get reads the export from the database.
func (s *fixture) get(t *testing.T, e export.Export) export.Export {
	t.Helper()
	got, err := s.Get(t.Context(), s.caller, e.ID)
	require.NoError(t, err)
	return got
}

// runJobs runs jobs until the number of attempts have ended and their outcomes are stored.
func (s *fixture) runJobs(t *testing.T, times int) {
	t.Helper()
	returned := make(chan struct{}, 100)
	handlers := s.another().Handlers()
	h := handlers[export.JobKind]
	run := h.Run
	h.Run = func(ctx context.Context, j job.Job) error {
		defer func() { returned <- struct{}{} }()
		return run(ctx, j)
	}
	onDiscard := h.OnDiscard
	h.OnDiscard = func(ctx context.Context, tx *db.Tx, j job.Job, cause error) error {
		if j.Attempt > j.AttemptsMax { // discarded without another Run
			returned <- struct{}{}
		}
		return onDiscard(ctx, tx, j, cause)
	}
	handlers[export.JobKind] = h
	runner := job.NewRunner(s.jobs, handlers)
	require.NoError(t, runner.Start(t.Context()))
	for range times {
		select {
		case <-returned:
		case <-time.After(time.Minute):
			require.FailNow(t, "no job ran")
		}
	}
	require.NoError(t, runner.Stop(t.Context()))
}

// file returns the content of the export's file.
func (s *fixture) file(t *testing.T, e export.Export) []byte {
	t.Helper()
	r, err := s.blobs.Open(t.Context(), fmt.Sprintf("exports/%s/%s.%s", e.Workspace, e.ID, format.Extension(e.Format, e.Options)))
	require.NoError(t, err)
	defer r.Close()
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return b
}

// row has the fields of a row of a JSON file that the tests compare.
type row struct {
	ID            id.Company `json:"id"`
	Name          string     `json:"name"`
	EmployeeCount int64      `json:"employee_count"`
}

func rowsOf(t *testing.T, file []byte) []row {
	t.Helper()
	var rows []row
	require.NoError(t, json.Unmarshal(file, &rows))
	return rows
}

// auditClean checks that the audits of all stores find nothing.
func (s *fixture) auditClean(t *testing.T) {
	t.Helper()
	findings, err := s.Audit(t.Context())
	require.NoError(t, err)
	require.Empty(t, findings)
	ledger, err := s.credit.Audit(t.Context())
	require.NoError(t, err)
	require.Empty(t, ledger)
	unlocks, err := s.unlock.Audit(t.Context())
	require.NoError(t, err)
	require.Empty(t, unlocks)
}

// counts returns the number of rows in each table that a purchase writes.
func (s *fixture) counts(t *testing.T) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, table := range []string{"export", "export_selection", "job", "entry", "unlock_delta"} {
		var n int
		require.NoError(t, s.db.Read().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM `+table).Scan(&n))
		out[table] = n
	}
	return out
}

func (s *fixture) exec(t testing.TB, q string, args ...any) {
	t.Helper()
	require.NoError(t, s.db.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(t.Context(), q, args...)
		return err
	}))
}

// faultyStore is a blob store whose Put can be replaced, to fail before, within or after the write.
type faultyStore struct {
	blob.Store
	put func(ctx context.Context, key string, fn func(io.Writer) error, next putFunc) (blob.Info, error)
}

type putFunc func(ctx context.Context, key string, fn func(io.Writer) error) (blob.Info, error)

func (f *faultyStore) Put(ctx context.Context, key string, fn func(io.Writer) error) (blob.Info, error) {
	if f.put == nil {
		return f.Store.Put(ctx, key, fn)
	}
	return f.put(ctx, key, fn, f.Store.Put)
}

func refuse(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusForbidden) }

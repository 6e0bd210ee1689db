package app_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/app/apptest"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/doctor"
	"github.com/opencapi/capi/internal/filelock"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/index"
)

// fixture is a running server with two exports and no inconsistencies. Each export bought 20 companies; the second one also
// contains 10 that were unlocked already.
type fixture struct {
	*apptest.Server
	first, second string // IDs of the exports
}

// eachDatabase runs fn with a new fixture on every database.
func eachDatabase(t *testing.T, fn func(t *testing.T, f *fixture)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, newFixture(t, "sqlite"))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, newFixture(t, dbtest.PostgresURL(t)))
	})
}

func newFixture(t *testing.T, database string) *fixture {
	t.Helper()
	var companies strings.Builder
	for i := range 40 {
		fmt.Fprintf(&companies, "{\"name\":\"Company %02d\",\"domain\":\"c%d.example\",\"country\":\"Peru\",\"employee_count\":%d}\n", i, i, i+1)
	}
	f := &fixture{Server: apptest.Start(t, apptest.Options{
		Config: func(c *config.Config) { c.DB = database }, Companies: companies.String(), Credits: 100,
	})}
	f.first, f.second = f.buy(t, 1, 20), f.buy(t, 11, 40)
	return f
}

func (f *fixture) buy(t *testing.T, low, high int64) string {
	t.Helper()
	created, err := f.Client().CreateExport(t.Context(), client.ExportRequest{
		Name: "Some", SearchFilters: &client.Filters{EmployeeCountMin: &low, EmployeeCountMax: &high},
	})
	require.NoError(t, err)
	e, err := f.Client().Wait(t.Context(), created.ExportJob.ID, 5*time.Millisecond, nil)
	require.NoError(t, err)
	require.Equal(t, client.ExportCompleted, e.Status)
	return created.ExportJob.ID
}

// examine runs the doctor and returns the findings as "area: problem".
func (f *fixture) examine(t *testing.T) []string {
	t.Helper()
	var all []string
	require.NoError(t, f.Doctor.Run(t.Context(), nil, func(c doctor.Check) {
		require.NotNil(t, c.Findings)
		for _, finding := range c.Findings {
			require.Equal(t, c.Area, finding.Area)
			require.NotEmpty(t, finding.Subject)
			all = append(all, finding.Area+": "+finding.Problem)
		}
	}))
	return all
}

func (f *fixture) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	require.NoError(t, f.DB.Tx(t.Context(), func(tx *db.Tx) error {
		res, err := tx.ExecContext(t.Context(), statement, args...)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		require.EqualValues(t, 1, n, "%s", statement)
		return err
	}))
}

// path returns the path of a file of the export.
func (f *fixture) path(export, suffix string) string {
	return filepath.Join(f.Config.Data, "files", "exports", f.Workspace.String(), export+".csv"+suffix)
}

func (f *fixture) rewrite(t *testing.T, path string, fn func([]byte) []byte) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	changed := fn(bytes.Clone(content))
	require.NotEqual(t, string(content), string(changed))
	require.NoError(t, os.WriteFile(path, changed, 0o600))
}

// Each case damages a running server in one way and lists exactly the findings that this must cause, in all areas.
func TestDoctorFindsExactlyWhatIsWrong(t *testing.T) {
	t.Parallel()
	sql := func(statement string, args ...any) func(*testing.T, *fixture) {
		return func(t *testing.T, f *fixture) {
			values := slices.Clone(args)
			for i, a := range values {
				if pick, ok := a.(func(*fixture) string); ok {
					values[i] = pick(f)
				}
			}
			f.exec(t, statement, values...)
		}
	}
	first := func(f *fixture) string { return f.first }
	second := func(f *fixture) string { return f.second }
	for name, test := range map[string]struct {
		damage func(*testing.T, *fixture)
		want   []string // prefixes of the findings, in their order
	}{
		"nothing": {func(*testing.T, *fixture) {}, nil},

		"ledger: wrong balance": {sql(`UPDATE account SET balance = balance + 1`), []string{
			"ledger: balance is 61, but the entries add up to 60",
		}},
		"ledger: workspace without an account": {sql(`INSERT INTO workspace (id, name, created_at) VALUES ($1, 'x', 1)`, id.New[id.Workspace]().String()), []string{
			"ledger: has no account",
		}},
		"ledger: wrong number of entries": {sql(`UPDATE account SET seq = seq + 1`), []string{
			"ledger: counts 4 entries, the ledger has 3",
		}},
		"ledger: wrong balance_after": {sql(`UPDATE entry SET balance_after = 7 WHERE seq = 1`), []string{
			"ledger: entry ",
		}},
		"ledger: unknown reason": {sql(`UPDATE entry SET reason = 'gift' WHERE seq = 1`), []string{
			"ledger: entry ",
		}},
		"ledger: wrong amount": {sql(`UPDATE entry SET amount = amount - 1 WHERE seq = 3`), []string{
			"ledger: balance is 60, but the entries add up to 59",
			"ledger: entry ",
			"exports: it buys 20 companies for 20 credits, unlocked 20, and the ledger has a charge of 21",
		}},
		"ledger: missing entry": {sql(`DELETE FROM entry WHERE seq = 3`), []string{
			"ledger: balance is 60, but the entries add up to 80",
			"ledger: counts 3 entries, the ledger has 2",
			"exports: it buys 20 companies for 20 credits, unlocked 20, and the ledger has a charge of 0",
		}},

		"unlocks: wrong size": {sql(`UPDATE unlock_delta SET size = 19 WHERE seq = 2`), []string{
			"unlocks: delta 2 should have 19 companies, but has 20",
			"exports: it buys 20 companies for 20 credits, unlocked 19, and the ledger has a charge of 20",
		}},
		"unlocks: gap in the sequence": {sql(`UPDATE unlock_delta SET seq = 9 WHERE seq = 2`), []string{
			"unlocks: delta 9 follows delta 1",
			"exports: its unlock_seq is 2, but its unlocks are at 9 in the log",
		}},
		"unlocks: same companies twice": {sql(`UPDATE unlock_delta SET companies = (SELECT companies FROM unlock_delta WHERE seq = 1) WHERE seq = 2`), []string{
			"unlocks: delta 2 of export ",
			"exports: 20 companies are delivered by exports, but not paid for",
		}},
		"unlocks: removal of companies never unlocked": {sql(`UPDATE unlock_delta SET change = -1 WHERE seq = 2`), []string{
			"unlocks: delta 2 of export ",
			"exports: it buys 20 companies for 20 credits, unlocked 0, and the ledger has a charge of 20",
			"exports: it gave back 0 credits, took back 20 unlocks, and the ledger has refunds of 0",
			"exports: 20 companies are delivered by exports, but not paid for",
		}},
		"unlocks: unreadable set": {sql(`UPDATE unlock_delta SET companies = $1 WHERE seq = 2`, []byte("none")), []string{
			"unlocks: delta 2: damaged set",
			"exports: what it has paid for cannot be compared with what its exports deliver: ",
		}},
		"unlocks: wrong snapshot": {func(t *testing.T, f *fixture) {
			f.exec(t, `INSERT INTO unlock_snapshot (workspace_id, seq, size, companies, created_at) VALUES ($1, 1, 1, $2, 1)`,
				f.Workspace, company.SetOf(7).Bytes())
		}, []string{
			"unlocks: snapshot 1 is not the sum of its deltas",
		}},

		"exports: wrong refund": {sql(`UPDATE export SET credits_refunded = 3 WHERE id = $1`, first), []string{
			"exports: it gave back 3 credits, took back 0 unlocks, and the ledger has refunds of 0",
		}},
		"exports: wrong refund_id": {sql(`UPDATE export SET refund_id = transaction_id WHERE id = $1`, first), []string{
			"exports: refund_id does not refer to a refund of this export",
		}},
		"exports: wrong transaction_id": {sql(`UPDATE export SET transaction_id = (SELECT id FROM entry WHERE seq = 1) WHERE id = $1`, first), []string{
			"exports: its transaction_id is ",
			"files: its manifest has a different transaction_id than the database",
		}},
		"exports: shortened selection": {sql(`UPDATE export_selection SET companies = $2 WHERE export_id = $1`, second, make([]byte, 4)), []string{
			"exports: it has 30 rows and a selection of 4 bytes",
			"exports: 20 companies are paid for, but no export delivers them",
			"exports: 1 companies are delivered by exports, but not paid for",
			"files: its manifest has a different rows than the database",
			"files: its file is not the one that was paid for: its rows are 30, not 1",
		}},
		"exports: unreadable selection": {sql(`UPDATE export_selection SET companies = $2 WHERE export_id = $1`, second, make([]byte, 7)), []string{
			"exports: it has 30 rows and a selection of 7 bytes",
			"exports: what it has paid for cannot be compared with what its exports deliver: ",
			"files: its manifest has a different rows than the database",
			"files: its file is not the one that was paid for: its rows are 30, not 1",
		}},
		"exports: unlocks without an export": {sql(`UPDATE unlock_delta SET export_id = $2 WHERE export_id = $1`, second, id.New[id.Export]().String()), []string{
			"exports: it buys 20 companies for 20 credits, unlocked 0, and the ledger has a charge of 20",
			"exports: unlocks companies, but there is no such export",
		}},
		"exports: charge without an export": {sql(`UPDATE entry SET reference = 'export:0' WHERE seq = 3`), []string{
			"exports: it buys 20 companies for 20 credits, unlocked 20, and the ledger has a charge of 0",
			"exports: the ledger has an export_charge for it, but there is no such export",
		}},
		"exports: processing without a job": {sql(`UPDATE export SET status = 'processing' WHERE id = $1`, first), []string{
			"exports: it is processing, but its job is done",
		}},

		"files: missing file": {func(t *testing.T, f *fixture) {
			require.NoError(t, os.Remove(f.path(f.first, "")))
		}, []string{"files: its file is missing"}},
		"files: truncated file": {func(t *testing.T, f *fixture) {
			f.rewrite(t, f.path(f.first, ""), func(b []byte) []byte { return b[:len(b)-1] })
		}, []string{"files: its file is not the one that was paid for: its size is"}},
		"files: flipped bit": {func(t *testing.T, f *fixture) {
			f.rewrite(t, f.path(f.second, ""), func(b []byte) []byte { b[len(b)/2] ^= 1; return b })
		}, []string{"files: its file is not the one that was paid for: its sha256 is"}},
		"files: wrong hash": {sql(`UPDATE export SET sha256 = $2 WHERE id = $1`, first, make([]byte, 32)), []string{
			"files: its manifest has a different sha256 than the database",
			"files: its file is not the one that was paid for: its sha256 is",
		}},
		"files: missing manifest": {func(t *testing.T, f *fixture) {
			require.NoError(t, os.Remove(f.path(f.second, ".manifest.json")))
		}, []string{"files: its manifest is missing"}},
		"files: manifest of another export": {func(t *testing.T, f *fixture) {
			f.rewrite(t, f.path(f.second, ".manifest.json"), func([]byte) []byte {
				other, err := os.ReadFile(f.path(f.first, ".manifest.json"))
				require.NoError(t, err)
				return other
			})
		}, []string{"files: its manifest has a different created_at, export_id, "}},
		"files: unreadable manifest": {func(t *testing.T, f *fixture) {
			f.rewrite(t, f.path(f.second, ".manifest.json"), func(b []byte) []byte { return b[1:] })
		}, []string{"files: its manifest cannot be read"}},

		"jobs: job without an export": {func(t *testing.T, f *fixture) {
			require.NoError(t, f.DB.Tx(t.Context(), func(tx *db.Tx) error {
				job, err := f.Jobs.Enqueue(t.Context(), tx, "export.run", map[string]string{"export_id": f.first})
				if err != nil {
					return err
				}
				// Delayed so that no worker takes it.
				_, err = tx.ExecContext(t.Context(), `UPDATE job SET run_at = $2 WHERE id = $1`, job, db.Time(time.Now().Add(time.Hour)))
				return err
			}))
		}, []string{"jobs: export.run: no export belongs to it"}},
		"orders: run without its export, and one that is overdue": {func(t *testing.T, f *fixture) {
			o, err := f.Client().CreateOrder(t.Context(), client.OrderRequest{
				Name: "x", SearchFilters: &client.Filters{}, Schedule: client.Schedule{Cron: "0 8 * * MON"}, MaxCredits: new(int64(1)), AboveCap: "fill",
			})
			require.NoError(t, err)
			run, err := f.Client().RunOrder(t.Context(), o.ID)
			require.NoError(t, err)
			_, err = f.Client().Wait(t.Context(), *run.ExportID, 5*time.Millisecond, nil)
			require.NoError(t, err)
			f.exec(t, `UPDATE order_run SET export_id = $1`, id.New[id.Export]().String())
			f.exec(t, `UPDATE standing_order SET claimed_until = $1, next_at = 1`, time.Now().Add(time.Hour).UnixMicro())
		}, []string{
			"orders: it is recorded as exported, but there is no such export",
			"orders: the order ",
			"orders: it has been due since 1970-01-01T00:00:00Z, but no server runs it",
		}},
		"jobs: worker that stopped responding": {func(t *testing.T, f *fixture) {
			require.NoError(t, f.Stop()) // otherwise it would run the job
			f.exec(t, `UPDATE export SET status = 'processing' WHERE id = $1`, f.first)
			f.exec(t, `UPDATE job SET state = 'running', worker = 'gone', lease_until = 1
				WHERE id = (SELECT job_id FROM export WHERE id = $1)`, f.first)
		}, []string{"jobs: export.run: its worker stopped responding before 1970-01-01"}},
		"jobs: job that no worker takes": {func(t *testing.T, f *fixture) {
			require.NoError(t, f.Stop())
			f.exec(t, `UPDATE export SET status = 'pending' WHERE id = $1`, f.first)
			f.exec(t, `UPDATE job SET state = 'queued', run_at = 1 WHERE id = (SELECT job_id FROM export WHERE id = $1)`, f.first)
		}, []string{"jobs: export.run: it has been due since 1970-01-01"}},

		"index: different company": {func(t *testing.T, f *fixture) {
			companies, _, err := f.Catalog.Span(t.Context(), 17, 17)
			require.NoError(t, err)
			companies[0].Country = "Atlantis"
			require.NoError(t, f.Index.Apply(t.Context(), []index.Change{{Number: 17, Company: companies[0]}}, f.Index.Seq()))
		}, []string{`index: country: the index counts "atlantis" 1 times, and the catalog 0`}},
		"index: missing company": {func(t *testing.T, f *fixture) {
			require.NoError(t, f.Index.Apply(t.Context(), []index.Change{{Number: 17}}, f.Index.Seq()))
		}, []string{"index: the index has 0 of them, and the catalog 1"}},
		"index: catalog changed without a sequence number": {
			sql(`UPDATE company SET record = (SELECT record FROM company WHERE number = 1) WHERE number = 40`),
			[]string{`index: employee_count: the index counts `},
		},
		"index: unreadable record in the catalog": {sql(`UPDATE company SET record = $1 WHERE number = 40`, []byte("none")), []string{
			"index: it cannot be completed: ",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachDatabase(t, func(t *testing.T, f *fixture) {
				test.damage(t, f)
				found := f.examine(t)
				require.Len(t, found, len(test.want), "%s", strings.Join(found, "\n"))
				for i, want := range test.want {
					require.True(t, strings.HasPrefix(found[i], want), "%q does not begin with %q", found[i], want)
				}
			})
		})
	}
}

func TestDoctorSaysWhenItAskedNoServer(t *testing.T) {
	t.Parallel()
	s := apptest.Start(t, apptest.Options{Companies: threeCompanies})
	skipped := func() (why string) {
		require.NoError(t, s.Doctor.Run(t.Context(), nil, func(c doctor.Check) { why += c.Skipped }))
		return why
	}
	_, err := s.Client().Credits(t.Context()) // it answers, so the doctor can reach it
	require.NoError(t, err)
	require.Empty(t, skipped())

	require.NoError(t, s.Stop())
	require.Contains(t, skipped(), "no server runs")
	left, err := os.ReadDir(filepath.Join(s.Config.Data, "servers"))
	require.NoError(t, err)
	require.Empty(t, left, "a server that stops removes its file and socket")

	here, err := os.Hostname()
	require.NoError(t, err)
	elsewhere := register(t, s, "elsewhere.json", "not-"+here)
	stopping := register(t, s, "here.json", here)
	require.Contains(t, skipped(), "1 on others")
	require.NoError(t, errors.Join(elsewhere.Close(), stopping.Close()))
	require.NotContains(t, skipped(), "others", "a server that was killed holds no lock, on any machine")

	// The next server removes both.
	serving := apptest.Start(t, apptest.Options{Config: func(c *config.Config) { *c = s.Config }})
	_, err = serving.Client().Credits(t.Context())
	require.NoError(t, err)
	entries, err := filepath.Glob(filepath.Join(s.Config.Data, "servers", "*.json"))
	require.NoError(t, err)
	require.Len(t, entries, 1)
}

// register writes the registration of a server that does not listen on its socket. The returned lock is held until closed.
func register(t *testing.T, s *apptest.Server, name, host string) *filelock.Lock {
	t.Helper()
	lock, err := filelock.Try(filepath.Join(s.Config.Data, "servers", name))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lock.Close()) })
	content, err := json.Marshal(map[string]any{"host": host, "pid": 1, "socket": filepath.Join(s.Config.Data, "no.sock")})
	require.NoError(t, err)
	require.NoError(t, lock.Write(content))
	return lock
}

func TestOnlyTheOwnerReachesAServersDiagnostics(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("on Windows, files inherit the permissions of their directory")
	}
	s := apptest.Start(t, apptest.Options{})
	_, err := s.Client().Credits(t.Context())
	require.NoError(t, err)
	dir := filepath.Join(s.Config.Data, "servers")
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 1)
	content, err := os.ReadFile(files[0])
	require.NoError(t, err)
	var server struct{ Socket string }
	require.NoError(t, json.Unmarshal(content, &server))
	for path, mode := range map[string]os.FileMode{files[0]: 0o600, dir: 0o700, filepath.Dir(server.Socket): 0o700} {
		info, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), path)
	}
}

func TestDoctorFindsNothingWhileTheServerWorks(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, f *fixture) {
		var working sync.WaitGroup
		examined := make(chan struct{})
		over := func() bool {
			select {
			case <-examined:
				return true
			default:
				return false
			}
		}
		// Errors are ignored: some calls are refused once the credits are spent.
		working.Go(func() {
			for i := int64(0); !over(); i++ {
				low, high := i%40+1, i%40+10
				created, err := f.Client().CreateExport(t.Context(), client.ExportRequest{
					Name: "More", SearchFilters: &client.Filters{EmployeeCountMin: &low, EmployeeCountMax: &high},
				})
				if err == nil && i%2 == 0 {
					f.Client().CancelExport(t.Context(), created.ExportJob.ID) //nolint:errcheck // see above
				}
			}
		})
		working.Go(func() {
			for i := 0; !over(); i++ {
				more := fmt.Sprintf("{\"name\":\"Company %d\",\"domain\":\"c%d.example\",\"city\":\"Lima %d\",\"employee_count\":%d}\n", i, i%60, i, i%60+1)
				importer.Import(t.Context(), importer.Options{Catalog: f.Catalog, Files: []string{"-"}, Stdin: strings.NewReader(more)}) //nolint:errcheck // see above
			}
		})
		for range 5 {
			require.Empty(t, f.examine(t))
		}
		close(examined)
		working.Wait()
		require.Empty(t, f.examine(t))
	})
}

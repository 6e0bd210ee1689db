package simtest

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob/file"
	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/doctor"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/testkit/customer"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

var (
	seedFlag    = flag.Uint64("sim.seed", 0, "run only the simulation with this seed; 0 for random seeds")
	crashesFlag = flag.Int("sim.crashes", 310, "number of random crashes to simulate on each database")
	traceFlag   = flag.Int("sim.trace", 60, "number of last actions to print if a simulation fails")
)

const (
	catalogSize = 150
	rowsMax     = 30
)

// eachDatabase runs fn on every database. fresh creates an empty database and returns the name to open it by.
func eachDatabase(t *testing.T, fn func(t *testing.T, fresh func(t *testing.T) string)) {
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		fn(t, sqliteInMemory)
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		fn(t, func(t *testing.T) string { return dbtest.PostgresURL(t) })
	})
}

// memoryDir returns a directory in memory if the machine allows it. A simulated crash ends a process and not the machine:
// everything it has written is still there, on a disk or not, so waiting for a disk would prove nothing.
func memoryDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "capi-sim-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

func sqliteInMemory(t *testing.T) string {
	content, err := os.ReadFile(dbtest.SQLiteFile(t))
	require.NoError(t, err)
	path := filepath.Join(memoryDir(t), "capi.db")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

// simulation is a database with its files, and the processes that run and crash on it.
type simulation struct {
	t     *testing.T
	seed  uint64
	r     *rand.Rand // used by the goroutine that drives the simulation
	name  string     // name to open the database by
	raw   *db.DB     // the database without a simulated process: it never crashes
	dir   string
	files *file.Store
	place *place

	deliveries int // of completed exports, which were checked
	jobs       job.Options

	mu        sync.Mutex
	broken    int // percentage of Puts that fail
	faultRand *rand.Rand
	trace     []string
	faults    []string // violations that could not be returned as errors
}

// newSimulation returns a simulation with the seed, without processes. Each part of a test gets different random numbers.
func newSimulation(t *testing.T, seed, part uint64, name string, jobs job.Options) *simulation {
	t.Helper()
	s := &simulation{
		t: t, seed: seed, name: name, dir: memoryDir(t), jobs: jobs,
		r: rand.New(rand.NewPCG(seed, 2*part)), faultRand: rand.New(rand.NewPCG(seed, 2*part+1)),
	}
	s.place = &place{files: map[string][]byte{}, unexplained: s.unexplained}
	s.raw = dbtest.Open(t, name)
	var err error
	s.files, err = file.Open(file.Options{Dir: filepath.Join(s.dir, "files"), Key: bytes.Repeat([]byte("k"), 32)})
	require.NoError(t, err)
	return s
}

// close closes the database. PostgreSQL has a limited number of connections for all simulations of a test.
func (s *simulation) close() { require.NoError(s.t, s.raw.Close()) }

// logf adds a line to the trace, which is printed if the simulation fails.
func (s *simulation) logf(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trace = append(s.trace, fmt.Sprintf(format, args...))
}

// unexplained records a failure that nothing in the simulation explains.
func (s *simulation) unexplained(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, what)
}

// must fails the test if err is not nil or a violation was recorded. It prints how to repeat the simulation.
func (s *simulation) must(err error, n *node) {
	s.t.Helper()
	s.mu.Lock()
	if len(s.faults) > 0 {
		err = errors.Join(err, errors.New(strings.Join(s.faults, "\n")))
	}
	trace := strings.Join(s.trace[max(0, len(s.trace)-*traceFlag):], "\n    ")
	s.mu.Unlock()
	if err == nil {
		return
	}
	steps := ""
	if n != nil {
		n.life.mu.Lock()
		steps = strings.Join(n.life.steps, ", ")
		n.life.mu.Unlock()
	}
	s.t.Fatalf("%v\n\nlast actions:\n    %s\n\nsteps of the last process: %s\n\nto repeat this simulation:\n"+
		"    go test ./internal/app/simtest -run '^%s$' -sim.seed=%d", err, trace, steps, s.t.Name(), s.seed)
}

// breakStore makes the percentage of Puts fail from now on.
func (s *simulation) breakStore(percent int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = percent
}

var errFull = errors.New("no space left on device")

func (s *simulation) fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faultRand.IntN(100) < s.broken {
		return errFull
	}
	return nil
}

func (s *simulation) flipCoin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faultRand.IntN(2) == 0
}

// traceWriter adds the log of a process to the trace until the process crashes.
type traceWriter struct {
	sim  *simulation
	life *lifetime
}

func (w traceWriter) Write(line []byte) (int, error) {
	if !w.life.isOver() {
		w.sim.logf("    %s", strings.TrimSpace(string(line)))
	}
	return len(line), nil
}

// boot starts a process. A crash during the start is not an error.
func (s *simulation) boot(ctx context.Context) *node {
	l := &lifetime{}
	log := slog.New(slog.NewTextHandler(traceWriter{s, l}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	n, err := newNode(s.raw, s.files, s.dir, l, s.fault, s.jobs, s.place, log)
	s.must(err, nil)
	if err := n.follower.Build(ctx); err != nil && !n.life.isOver() {
		s.must(err, n)
	}
	return n
}

// open creates a workspace and returns its customer, which sends requests with do.
func (s *simulation) open(ctx context.Context, n *node, catalog *customer.Catalog, operator customer.Operator, alone bool,
	do func(*http.Request) (*http.Response, error),
) *customer.Customer {
	const granted = 100
	ws, err := n.CreateWorkspace(ctx, "Sim", granted)
	s.must(err, n)
	s.must(s.addMember(ctx, n, ws.ID), n)
	visible := slices.DeleteFunc(company.LockedBy([]string{"id"}).Names(), func(f string) bool { return f == "description" || f == "country" })
	s.must(n.Workspaces.SetVisibleFields(ctx, ws.ID, visible), n)
	secret, t, err := n.Tokens.Create(ctx, token.NewToken{Workspace: ws.ID, Name: "own", Scope: auth.ReadWrite})
	s.must(err, n)
	return customer.New(customer.Options{
		Workspace: ws.ID.String(), Token: customer.Token{ID: t.ID.String(), Secret: secret}, Granted: granted,
		Catalog: catalog, RowsMax: rowsMax, MemberBudget: memberBudget, Walled: true,
		Do: do, Operator: operator, Alone: alone, Destination: s.newDestination(ctx, n, ws.ID),
	})
}

// memberBudget is what the member of a workspace may spend: more than one purchase, but less than all the credits.
const memberBudget = 40

func (s *simulation) addMember(ctx context.Context, n *node, ws id.Workspace) error {
	checked, err := n.People.Check(ctx, account.NewPerson{Name: "Member", Email: ws.String() + "@example.com"})
	if err != nil {
		return err
	}
	var member account.Person
	err = n.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if member, err = n.People.Create(ctx, tx, checked); err != nil {
			return err
		}
		return n.Workspaces.AddMember(ctx, tx, ws, member.ID, workspace.Member)
	})
	if err != nil {
		return err
	}
	limit := int64(memberBudget)
	return n.Workspaces.SetBudget(ctx, ws, member.ID, budget.Limits{Total: &limit})
}

// examine runs capi doctor, and compares what tokens and members have spent with their budgets, which never change here. It
// returns what is wrong as an error.
func (s *simulation) examine(ctx context.Context, n *node) error {
	var found []error
	err := n.Doctor.Run(ctx, nil, func(c doctor.Check) {
		for _, f := range c.Findings {
			found = append(found, fmt.Errorf("doctor: %s: %s: %s", f.Area, f.Subject, f.Problem))
		}
	})
	return errors.Join(append(found, err, s.budgetsHold(ctx))...)
}

func (s *simulation) budgetsHold(ctx context.Context) error {
	exceeded, err := db.Collect(ctx, s.raw.Read(), db.Value[string], `
		SELECT 'token ' || t.name || ' has spent ' || SUM(e.credits_charged - e.credits_refunded) || ' of ' || t.budget
		FROM export e JOIN token t ON t.id = e.token_id
		GROUP BY t.id, t.name, t.budget HAVING SUM(e.credits_charged - e.credits_refunded) > t.budget
		UNION ALL
		SELECT 'a member has spent ' || SUM(e.credits_charged - e.credits_refunded) || ' of ' || m.budget
		FROM export e JOIN token t ON t.id = e.token_id
			JOIN member m ON m.workspace_id = e.workspace_id AND m.person = t.created_by
		GROUP BY m.workspace_id, m.person, m.budget HAVING SUM(e.credits_charged - e.credits_refunded) > m.budget`)
	if err == nil && len(exceeded) > 0 {
		err = errors.New(strings.Join(exceeded, "\n"))
	}
	return err
}

// unfinished returns the number of jobs that are queued or running.
func (s *simulation) unfinished(ctx context.Context) (n int) {
	err := s.raw.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM job WHERE state IN ('queued', 'running')`).Scan(&n)
	s.must(err, nil)
	return n
}

// expireLeases expires the leases of all workers.
func (s *simulation) expireLeases(ctx context.Context) {
	s.must(s.raw.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE job SET lease_until = 1 WHERE state = 'running'`)
		return err
	}), nil)
}

// runJobs runs jobs on the node until none are left or it crashes.
func (s *simulation) runJobs(ctx context.Context, n *node) {
	r := job.NewRunner(n.Jobs, n.handlers())
	if err := r.Start(ctx); err != nil {
		if !n.life.isOver() {
			s.must(err, n)
		}
		return
	}
	for !n.life.isOver() && s.unfinished(ctx) > 0 {
		n.Jobs.Notify() // a retry is due within a millisecond or two
		time.Sleep(time.Millisecond / 2)
	}
	ctx, cancel := context.WithCancel(ctx)
	if n.life.isOver() {
		cancel()
	}
	defer cancel()
	s.must(r.Stop(ctx), n)
}

// newSeed returns the seed given by -sim.seed, or a random one.
func newSeed() uint64 {
	if *seedFlag != 0 {
		return *seedFlag
	}
	return rand.Uint64N(1_000_000_000) + 1
}

// crashesWanted returns the number of crashes for a test that simulates part/of of -sim.crashes. It returns 1 if -sim.seed is
// given, so that the test runs one simulation.
func crashesWanted(part, of int) int {
	if *seedFlag != 0 {
		return 1
	}
	return *crashesFlag * part / of
}

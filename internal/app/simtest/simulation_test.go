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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob/file"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/doctor"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/testkit/customer"
	"github.com/opencapi/capi/internal/token"
)

var (
	seedFlag    = flag.Uint64("sim.seed", 0, "repeat the world of this seed, and no other; 0 for new ones")
	crashesFlag = flag.Int("sim.deaths", 310, "how many deaths the tests with random ones simulate on each database")
	traceFlag   = flag.Int("sim.trace", 60, "how many of the last actions are printed of a world that fails")
)

const (
	stockSize = 150
	rowsMax   = 30
)

// eachDatabase runs fn on every database, by the name under which it can be opened again and again.
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

// memory is a directory in memory, where the machine has one. A simulated death ends a process and not the machine:
// what it had written is there afterwards, on a disk or not, so waiting for a disk would prove nothing.
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

// world is a database with its files, and the processes that live and die on it.
type simulation struct {
	t     *testing.T
	seed  uint64
	r     *rand.Rand // of the one goroutine that moves the world
	name  string     // of the database
	raw   *db.DB     // the database as nobody's process sees it
	dir   string
	files *file.Store
	jobs  job.Options

	mu        sync.Mutex
	broken    int // Puts in a hundred that fail
	faultRand *rand.Rand
	trace     []string
	faults    []string // broken promises that nobody could return
}

// newSimulation makes an empty one, from its seed.
func newSimulation(t *testing.T, seed, part uint64, name string, jobs job.Options) *simulation {
	t.Helper()
	w := &simulation{
		t: t, seed: seed, name: name, dir: memoryDir(t), jobs: jobs,
		r: rand.New(rand.NewPCG(seed, 2*part)), faultRand: rand.New(rand.NewPCG(seed, 2*part+1)),
	}
	w.raw = dbtest.Open(t, name)
	var err error
	w.files, err = file.Open(file.Options{Dir: filepath.Join(w.dir, "files"), Key: bytes.Repeat([]byte("k"), 32)})
	require.NoError(t, err)
	return w
}

// close gives the connections back, of which a server has only so many for all worlds of a test.
func (w *simulation) close() { require.NoError(w.t, w.raw.Close()) }

// say adds a line to what is printed if the world fails.
func (w *simulation) logf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.trace = append(w.trace, fmt.Sprintf(format, args...))
}

func (w *simulation) unexplained(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults = append(w.faults, what)
}

// must ends the test if err is one, with all that it takes to repeat it.
func (w *simulation) must(err error, n *node) {
	w.t.Helper()
	w.mu.Lock()
	if len(w.faults) > 0 {
		err = errors.Join(err, errors.New(strings.Join(w.faults, "\n")))
	}
	trace := strings.Join(w.trace[max(0, len(w.trace)-*traceFlag):], "\n    ")
	w.mu.Unlock()
	if err == nil {
		return
	}
	steps := ""
	if n != nil {
		n.life.mu.Lock()
		steps = strings.Join(n.life.steps, ", ")
		n.life.mu.Unlock()
	}
	w.t.Fatalf("%v\n\nwhat was done last:\n    %s\n\nsteps of the last process: %s\n\nto repeat it:\n"+
		"    go test ./internal/app/simtest -run '^%s$' -sim.seed=%d", err, trace, steps, w.t.Name(), w.seed)
}

// breakStore makes so many of a hundred Puts fail from now on.
func (w *simulation) breakStore(percent int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = percent
}

var errFull = errors.New("no space left on device")

func (w *simulation) fault() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.faultRand.IntN(100) < w.broken {
		return errFull
	}
	return nil
}

func (w *simulation) flipCoin() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.faultRand.IntN(2) == 0
}

// traceWriter keeps what a process complains of while it lives.
type traceWriter struct {
	sim  *simulation
	life *lifetime
}

func (j traceWriter) Write(line []byte) (int, error) {
	if !j.life.isOver() {
		j.sim.logf("    %s", strings.TrimSpace(string(line)))
	}
	return len(line), nil
}

// boot starts a process; it may die on the way, which is no error.
func (w *simulation) boot(ctx context.Context) *node {
	l := &lifetime{}
	log := slog.New(slog.NewTextHandler(traceWriter{w, l}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	n, err := newNode(w.raw, w.files, w.dir, l, w.fault, w.jobs, log)
	w.must(err, nil)
	if err := n.follower.Build(ctx); err != nil && !n.life.isOver() {
		w.must(err, n)
	}
	return n
}

// open makes a workspace with its customer, which sends requests with do.
func (w *simulation) open(ctx context.Context, n *node, stock *customer.Stock, operator customer.Operator, alone bool,
	do func(*http.Request) (*http.Response, error),
) *customer.Customer {
	const granted = 100
	ws, err := n.CreateWorkspace(ctx, "Sim", granted)
	w.must(err, n)
	secret, t, err := n.Tokens.Create(ctx, token.NewToken{Workspace: ws.ID, Name: "own", Scope: auth.ReadWrite})
	w.must(err, n)
	return customer.New(customer.Options{
		Workspace: ws.ID.String(), Token: customer.Token{ID: t.ID.String(), Secret: secret}, Granted: granted,
		Stock: stock, RowsMax: rowsMax, Do: do, Operator: operator, Alone: alone,
	})
}

// examine is what capi doctor proves.
func (w *simulation) examine(ctx context.Context, n *node) error {
	var found []error
	err := n.Doctor.Run(ctx, nil, func(c doctor.Check) {
		for _, f := range c.Findings {
			found = append(found, fmt.Errorf("doctor: %s: %s: %s", f.Area, f.Subject, f.Problem))
		}
	})
	return errors.Join(append(found, err)...)
}

// unfinished counts the jobs that somebody has to work on still.
func (w *simulation) unfinished(ctx context.Context) (n int) {
	err := w.raw.Read().QueryRowContext(ctx, `SELECT COUNT(*) FROM job WHERE state IN ('queued', 'running')`).Scan(&n)
	w.must(err, nil)
	return n
}

// timePasses lets the leases of all workers run out.
func (w *simulation) expireLeases(ctx context.Context) {
	w.must(w.raw.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE job SET lease_until = 1 WHERE state = 'running'`)
		return err
	}), nil)
}

// work lets the node run jobs until none is left, or it dies.
func (w *simulation) runJobs(ctx context.Context, n *node) {
	r := job.NewRunner(n.Jobs, n.Exports.Handlers())
	if err := r.Start(ctx); err != nil {
		if !n.life.isOver() {
			w.must(err, n)
		}
		return
	}
	for !n.life.isOver() && w.unfinished(ctx) > 0 {
		n.Jobs.Notify() // a retry is due within a millisecond or two
		time.Sleep(time.Millisecond / 2)
	}
	ctx, cancel := context.WithCancel(ctx)
	if n.life.isOver() {
		cancel()
	}
	defer cancel()
	w.must(r.Stop(ctx), n)
}

// newSeed is the seed that is asked for, or one that never was.
func newSeed() uint64 {
	if *seedFlag != 0 {
		return *seedFlag
	}
	return rand.Uint64N(1_000_000_000) + 1
}

// crashesWanted is that part of those that are asked for; with a seed, those of its one world.
func crashesWanted(part, of int) int {
	if *seedFlag != 0 {
		return 1
	}
	return *crashesFlag * part / of
}

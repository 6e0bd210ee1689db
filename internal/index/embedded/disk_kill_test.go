package embedded

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/testkit/effort"
)

const (
	victimEnv  = "CAPI_TEST_INDEX_VICTIM" // the directory that the victim writes to
	killBatch  = 60
	killNumber = 1500
)

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() == "" { // benchmarks measure the real threshold
		shardMin = 32 // small segments are searched by two goroutines too
		fromSetsMin = 1
	}
	if dir := os.Getenv(victimEnv); dir != "" {
		beVictim(dir)
	}
	os.Exit(m.Run())
}

// batchOf returns what the catalog changed at a sequence number. It is the same in every process.
func batchOf(companies []*company.Company, seq uint64) []index.Change {
	r := rand.New(rand.NewPCG(7, seq))
	changes := make([]index.Change, killBatch)
	for i := range changes {
		n := company.Number(1 + r.IntN(killNumber))
		changes[i].Number = n
		if r.IntN(4) > 0 {
			c := *companies[r.IntN(len(companies))]
			c.Number, c.UpdatedAt = n, time.UnixMicro(int64(seq)*1000+int64(i)).UTC()
			changes[i].Company = &c
		}
	}
	return changes
}

// beVictim changes, merges and saves an index until it is killed, and prints each step.
func beVictim(dir string) {
	ctx := context.Background()
	ix := Open(Options{MergeWidth: 2, SegmentMax: 1024, SaveFrom: 100})
	if err := ix.Attach(ctx, dir, catalogFile(dir)); err != nil {
		panic(err)
	}
	companies := companytest.Slice(1, 300)
	for seq := ix.Seq() + 1; ; seq++ {
		if err := ix.Apply(ctx, batchOf(companies, seq), seq); err != nil {
			panic(err)
		}
		if seq%3 == 0 {
			if err := ix.Save(ctx); err != nil {
				panic(err)
			}
		}
		if seq%7 == 0 {
			ix.MergeAll()
		}
		fmt.Println(seq)
	}
}

// Kills a process that writes and merges, many times at different moments, and checks the index that it leaves.
func TestAKilledProcessLeavesACorrectIndex(t *testing.T) {
	t.Parallel()
	const directories = 4
	times := effort.Times(12, 50)
	companies := companytest.Slice(1, 300)
	for i := range directories {
		t.Run(fmt.Sprint("directory ", i), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			reached := uint64(0)
			for kill := range times {
				last := victimise(t, dir, rand.IntN(9), time.Duration(rand.IntN(20_000))*time.Microsecond)
				seq := checkLeft(t, dir, companies)
				require.GreaterOrEqual(t, seq, reached, "kill %d: an index is never older than its last save", kill)
				require.GreaterOrEqual(t, last+3, seq, "kill %d: an index is never newer than the last Apply", kill)
				reached = seq
			}
			require.Positive(t, reached, "the victims made no progress")
		})
	}
}

// victimise kills a process that works on the index after some steps and some time, and returns the last sequence number
// that it printed.
func victimise(t *testing.T, dir string, steps int, after time.Duration) (last uint64) {
	t.Helper()
	victim := exec.CommandContext(t.Context(), os.Args[0])
	victim.Env = append(os.Environ(), victimEnv+"="+dir)
	victim.Stderr = t.Output()
	out, err := victim.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, victim.Start())
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan(), "the victim exited by itself")
	for step := 0; ; step++ {
		_, err := fmt.Sscan(lines.Text(), &last)
		require.NoError(t, err)
		if step == steps {
			defer time.AfterFunc(after, func() { _ = victim.Process.Kill() }).Stop()
		}
		if !lines.Scan() {
			break
		}
	}
	require.Error(t, victim.Wait(), "killed")
	return last
}

// checkLeft opens the directory, compares the index with the catalog's changes and returns its sequence number.
func checkLeft(t *testing.T, dir string, companies []*company.Company) uint64 {
	t.Helper()
	if _, damages, err := Verify(t.Context(), dir); !errors.Is(err, os.ErrNotExist) {
		require.NoError(t, err)
		require.Empty(t, damages)
	}
	ix := Open(Options{SaveEvery: time.Hour})
	require.NoError(t, ix.Attach(t.Context(), dir, catalogFile(dir)))
	defer func() { require.NoError(t, ix.Close()) }()
	truth := map[company.Number]*company.Company{}
	for seq := uint64(1); seq <= ix.Seq(); seq++ {
		for _, c := range batchOf(companies, seq) {
			if c.Company == nil {
				delete(truth, c.Number)
			} else {
				truth[c.Number] = c.Company
			}
		}
	}
	by := query.Sort{By: query.ByUpdatedAt}
	want := slices.SortedFunc(maps.Values(truth), by.Compare)
	got, err := ix.Select(t.Context(), index.Selection{Sort: by, Limit: killNumber + 1})
	require.NoError(t, err)
	require.Equal(t, len(truth), ix.Len())
	require.Len(t, got.Numbers, len(want))
	for i, c := range want {
		require.Equal(t, c.Number, got.Numbers[i])
	}
	return ix.Seq()
}

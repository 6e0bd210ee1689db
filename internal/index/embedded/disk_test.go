package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/testkit/effort"
)

var sourceOfTests = SameCatalog{"catalog", 1 << 40}

func changesOf(companies []*company.Company) []index.Change {
	changes := make([]index.Change, len(companies))
	for i, c := range companies {
		changes[i] = index.Change{Number: c.Number, Company: c}
	}
	return changes
}

// testRequests returns searches that read every group of a segment.
func testRequests(t testing.TB) []index.Request {
	low := int64(20)
	var all []index.Request
	for _, f := range []query.Filters{
		{},
		{Query: "software"},
		{Keywords: []string{"we build", "the leading"}, ExcludeKeywords: []string{"software"}},
		{NAICSCodes: []string{"52"}, EmployeeCountMin: &low},
		{Countries: []string{"US"}, FoundedYearMin: &low},
		{Connections: []query.ConnectionFilter{{Category: "vendor"}}},
		{Connections: []query.ConnectionFilter{{ConnectedDomain: "example.com"}}},
		{Technologies: []string{"Go", "PostgreSQL"}, States: []string{"California"}, Cities: []string{"Berlin"}},
		{TechnologyCategories: []string{"Databases"}, Industries: []string{"Software"}},
	} {
		q, err := query.Parse(f)
		require.NoError(t, err)
		for _, by := range []query.Sort{{By: query.ByName}, {By: query.ByUpdatedAt}, {By: query.ByFoundedYear, Desc: true}} {
			all = append(all, index.Request{Query: q, Sort: by, Limit: 20, FacetLimit: 10, Owned: company.SetOf(1, 2, 3, 500)})
		}
	}
	all = append(all, index.Request{Query: all[3].Query, Sort: query.Sort{By: query.ByRelevance, Desc: true}, Limit: 20, FacetLimit: 10})
	return append(all, index.Request{Query: all[0].Query, Sort: query.Sort{By: query.ByEmployeeCount}, Limit: 20})
}

func answers(t testing.TB, ix *Index) []index.Result {
	var all []index.Result
	for _, r := range testRequests(t) {
		found, err := ix.Search(t.Context(), r)
		require.NoError(t, err)
		found.Next = nil // contains the instance
		all = append(all, *found)
	}
	return all
}

// onDisk writes an index with several segments and deleted companies. It returns its directory and its answers.
func onDisk(t testing.TB, companies []*company.Company) (dir string, want []index.Result) {
	dir = t.TempDir()
	ix := Open(Options{SegmentMax: 1024})
	require.NoError(t, ix.Attach(t.Context(), dir, sourceOfTests))
	half := len(companies) / 2
	require.NoError(t, ix.Apply(t.Context(), changesOf(companies[:half]), 1))
	require.NoError(t, ix.Save(t.Context()))
	require.NoError(t, ix.Apply(t.Context(), changesOf(companies[half-20:]), 2))
	want = answers(t, ix)
	require.NoError(t, ix.Close())
	return dir, want
}

// follow applies the catalog whenever the index's Seq is 0, like the real follower.
func follow(t testing.TB, ix *Index, companies []*company.Company) {
	ctx, stop := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() {
		for ctx.Err() == nil {
			if ix.Seq() == 0 {
				scanned(ctx, ix, companies)
			}
			time.Sleep(100 * time.Microsecond)
		}
	})
	t.Cleanup(following.Wait)
	t.Cleanup(stop)
}

func scanned(ctx context.Context, ix *Index, companies []*company.Company) {
	for chunk := range slices.Chunk(changesOf(companies), 100) {
		if ix.Apply(ctx, chunk, 0) != nil {
			return
		}
	}
	_ = ix.Apply(ctx, nil, 2) // if refused, the next round applies it again
}

func TestDamagedSegmentsAreNamedAndRebuiltNeverServed(t *testing.T) {
	t.Parallel()
	companies := companytest.Slice(1, 300)
	whole, want := onDisk(t, companies)
	m, err := readManifest(whole)
	require.NoError(t, err)
	require.Len(t, m.Segments, 2)
	s, err := openSegment(filepath.Join(whole, m.Segments[0].Name))
	require.NoError(t, err)
	harms := map[string]int64{"header": 30, "magic": 0, "truncated": -1, "missing": -2}
	for i, p := range s.file.extents {
		if p.size > 0 {
			harms[fmt.Sprint(i, " ", s.file.sections[i].name)] = int64(p.offset + p.size/2)
		}
	}
	require.Greater(t, len(harms), 100)
	for name, at := range harms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(whole)))
			damageFile(t, filepath.Join(dir, m.Segments[0].Name), at)
			_, damages, err := Verify(t.Context(), dir)
			require.NoError(t, err)
			require.Len(t, damages, 1)
			require.Equal(t, m.Segments[0].Name, damages[0].Segment)

			var log safeBuffer
			ix := Open(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
			require.NoError(t, ix.Attach(t.Context(), dir, sourceOfTests))
			follow(t, ix, companies)
			require.Equal(t, want, answers(t, ix))
			named := func() bool { return strings.Contains(log.String(), m.Segments[0].Name) }
			require.Eventually(t, named, time.Minute, time.Millisecond, "damage that no query reads is found in the background")
			require.Equal(t, want, answers(t, ix))
			require.NoError(t, ix.Close())
			stats, damages, err := Verify(t.Context(), dir)
			require.NoError(t, err)
			require.Empty(t, damages)
			require.False(t, stats.Lost)
			require.Equal(t, uint64(2), stats.Seq)
		})
	}
}

func TestSearchesDuringALongRepairSayWhenToRetry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ix := Open(Options{})
		ix.lost.Store(true)
		_, err := ix.Search(t.Context(), index.Request{Limit: 1})
		require.ErrorIs(t, err, index.ErrRepairing)
		require.Equal(t, fault.IndexUnavailable, fault.CodeOf(err))
		require.NoError(t, ix.Close())
	})
}

// damageFile flips the byte at the offset; -1 truncates the file, -2 removes it.
func damageFile(t *testing.T, path string, at int64) {
	p, err := os.ReadFile(path)
	require.NoError(t, err)
	switch at {
	case -2:
		require.NoError(t, os.Remove(path))
		return
	case -1:
		p = p[:len(p)/2]
	default:
		p[at] ^= 0x10
	}
	require.NoError(t, os.WriteFile(path, p, 0o600))
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestAnIndexOfAnotherCatalogOrVersionIsDiscarded(t *testing.T) {
	t.Parallel()
	whole, want := onDisk(t, companytest.Slice(1, 300))
	for name, c := range map[string]struct {
		source SameCatalog
		harm   func(t *testing.T, dir string)
		seq    uint64
	}{
		"the same":           {SameCatalog{"catalog", 2}, nil, 2},
		"another catalog":    {SameCatalog{"other", 2}, nil, 0},
		"an empty one":       {SameCatalog{"other", 0}, nil, 0},
		"a restored catalog": {SameCatalog{"catalog", 1}, nil, 0},
		"damaged manifest": {SameCatalog{"catalog", 2}, func(t *testing.T, dir string) {
			damageFile(t, filepath.Join(dir, manifestName), 20)
		}, 0},
		"no manifest": {SameCatalog{"catalog", 2}, func(t *testing.T, dir string) {
			damageFile(t, filepath.Join(dir, manifestName), -2)
		}, 0},
		"another version": {SameCatalog{"catalog", 2}, func(t *testing.T, dir string) {
			require.NoError(t, manifest{Version: manifestVersion + 1, Format: formatVersion}.write(dir))
		}, 0},
		"segments of an older version": {SameCatalog{"catalog", 2}, func(t *testing.T, dir string) {
			m, err := readManifest(dir)
			require.NoError(t, err)
			m.Format = formatVersion - 1
			require.NoError(t, m.write(dir))
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(whole)))
			if c.harm != nil {
				c.harm(t, dir)
			}
			ix := Open(Options{})
			require.NoError(t, ix.Attach(t.Context(), dir, c.source))
			require.Equal(t, c.seq, ix.Seq())
			if c.seq > 0 {
				require.Equal(t, want, answers(t, ix))
			} else {
				require.Zero(t, ix.Len())
				left, err := filepath.Glob(filepath.Join(dir, "*"))
				require.NoError(t, err)
				require.Empty(t, left)
			}
			require.NoError(t, ix.Close())
		})
	}
}

func TestNoFlippedBitOfTheManifestIsBelieved(t *testing.T) {
	t.Parallel()
	dir, _ := onDisk(t, companytest.Slice(1, 300))
	whole, err := os.ReadFile(filepath.Join(dir, manifestName))
	require.NoError(t, err)
	want, err := parseManifest(whole)
	require.NoError(t, err)
	for i := range 8 * len(whole) {
		p := bytes.Clone(whole)
		p[i/8] ^= 1 << (i % 8)
		if m, err := parseManifest(p); err == nil { // the checksum in capital letters
			require.Equal(t, want, m, "bit %d of byte %d", i%8, i/8)
			require.Greater(t, i/8, bytes.IndexByte(whole, '\n'))
		}
	}
}

func TestMergedSegmentsNeverExceedSegmentMax(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ix := Open(Options{SegmentMax: 1024, MergeWidth: 2})
	require.NoError(t, ix.Attach(t.Context(), dir, sourceOfTests))
	companies := companytest.Slice(1, 3000)
	for i := range uint64(30) {
		require.NoError(t, ix.Apply(t.Context(), changesOf(companies[i*100:i*100+100]), i+1))
	}
	require.NoError(t, ix.Save(t.Context()))
	ix.MergeAll()
	require.NoError(t, ix.Close())
	stats, damages, err := Inspect(dir)
	require.NoError(t, err)
	require.Empty(t, damages)
	require.Equal(t, 3000, stats.Companies)
	// Which segments were merged in the background is random, but in the end no two of them fit together.
	require.LessOrEqual(t, len(stats.Segments), 6)
	for _, s := range stats.Segments {
		require.LessOrEqual(t, s.Companies, 1024)
	}
}

// FuzzSegment reads damaged files, with the original checksums and with matching ones, which no accident produces. A file
// that opens and passes validation must never cause a panic. The fuzzer mutates a list of changes, five bytes each, rather
// than the file: almost all mutations of the file would be rejected by the header's checksum.
func FuzzSegment(f *testing.F) {
	dir, _ := onDisk(f, companytest.Slice(1, 60))
	m, err := readManifest(dir)
	require.NoError(f, err)
	p, err := os.ReadFile(filepath.Join(dir, m.Segments[0].Name))
	require.NoError(f, err)
	f.Add([]byte{}, uint32(len(p)), false)
	f.Add([]byte{}, uint32(len(p)/2), false)
	for at := 0; at < len(p); at += len(p)/40 + 1 {
		one := append(binary.LittleEndian.AppendUint32(nil, uint32(at)), byte(1+at%255))
		f.Add(one, uint32(len(p)), true)
		f.Add(one, uint32(len(p)), false)
	}
	request := testRequests(f)
	f.Fuzz(func(t *testing.T, harms []byte, size uint32, reseal bool) {
		damaged := slices.Clone(p)
		for harm := range slices.Chunk(harms, 5) {
			if len(harm) == 5 {
				damaged[binary.LittleEndian.Uint32(harm)%uint32(len(p))] ^= harm[4]
			}
		}
		tryDamaged(t, damaged[:min(int(size), len(p))], reseal, request)
	})
}

func tryDamaged(t *testing.T, p []byte, reseal bool, request []index.Request) {
	p = aligned(p)
	if reseal {
		seal(p)
	}
	s, err := parseSegment("fuzzed.seg", mapping{p})
	if err != nil || s.verify(allGroups) != nil || s.validate() != nil {
		return
	}
	ix := Open(Options{})
	defer ix.Close()
	ix.registry.register(s)
	ix.mu.Lock()
	ix.publish(&snapshot{seq: 1, companies: s.companies(), parts: []part{newPart(s)}})
	ix.mu.Unlock()
	for _, r := range request {
		_, err := ix.Search(t.Context(), r)
		require.NoError(t, err)
	}
	ix.MergeAll()
}

// Flips of one to four bytes, a few thousand in a long run, find most of what a fuzzer finds in hours.
func TestSegmentsWithFlippedBytesNeverPanic(t *testing.T) {
	t.Parallel()
	dir, _ := onDisk(t, companytest.Slice(1, 60))
	m, err := readManifest(dir)
	require.NoError(t, err)
	p, err := os.ReadFile(filepath.Join(dir, m.Segments[0].Name))
	require.NoError(t, err)
	request := testRequests(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range effort.Times(500, 3000) {
		damaged := slices.Clone(p)
		for range 1 + r.IntN(4) {
			at := r.IntN(len(p))
			if r.IntN(8) == 0 {
				at = r.IntN(formatSize)
			}
			damaged[at] ^= byte(1 << r.IntN(8))
		}
		tryDamaged(t, damaged, true, request)
	}
}

func aligned(p []byte) []byte {
	words := make([]uint64, (len(p)+7)/8)
	to := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)[:len(p)]
	copy(to, p)
	return to
}

// seal sets matching checksums, as far as the header can be read.
func seal(p []byte) {
	if len(p) < formatSize {
		return
	}
	places := make([]extent, sectionCount)
	for i := range places {
		places[i] = extentAt(p, i)
		if at, size := places[i].offset, places[i].size; at <= uint64(len(p)) && size <= uint64(len(p))-at {
			places[i].sum = sumOf(p[at : at+size])
		}
	}
	copy(p, header(places, uint64(len(p))))
}

package catalog

import (
	"sync"

	"github.com/opencapi/capi/internal/company"
)

// recent keeps companies that were read, without their connections, until something in the catalog changes. The zero value is
// ready for use. Nobody may change the companies.
type recent struct {
	mu    sync.Mutex
	seq   uint64 // of the catalog when they were read, or earlier
	bytes int    // of their records
	of    map[company.Number]*company.Company
}

const (
	recentBytesMax  = 16 << 20
	recentRecordMax = 64 << 10
	recentAskMax    = 100 // companies of one page; more would drive out the pages
)

// get returns those of the companies that are kept. seq is that of the catalog, read before.
func (r *recent) get(seq uint64, numbers []company.Number) map[company.Number]*company.Company {
	found := make(map[company.Number]*company.Company, len(numbers))
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq < r.seq {
		return found // something has changed since seq was read
	}
	if seq > r.seq {
		r.seq, r.bytes, r.of = seq, 0, nil
	}
	for _, n := range numbers {
		if c, ok := r.of[n]; ok {
			found[n] = c
		}
	}
	return found
}

// put keeps companies that were read after get, with the sizes of their records.
func (r *recent) put(seq uint64, read map[company.Number]*company.Company, sizes map[company.Number]int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seq != r.seq {
		return
	}
	if r.of == nil {
		r.of = map[company.Number]*company.Company{}
	}
	for n, c := range read {
		if sizes[n] > recentRecordMax || r.of[n] != nil {
			continue
		}
		if r.bytes += sizes[n]; r.bytes > recentBytesMax {
			clear(r.of)
			r.bytes = sizes[n]
		}
		r.of[n] = c
	}
}

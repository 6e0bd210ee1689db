package workload

import (
	"iter"
	"runtime"

	"github.com/opencapi/capi/internal/company"
)

const chunkSize = 1000

// Company returns the company with a number.
func (w *Workload) Company(number int) *company.Company { return w.made.Company(number) }

// Companies yields all companies in number order; they are generated on all cores.
func (w *Workload) Companies() iter.Seq[*company.Company] {
	return func(yield func(*company.Company) bool) {
		for chunk := range w.chunks() {
			for _, c := range chunk {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// Batches yields all companies in number order, size at a time; the last batch may be smaller.
func (w *Workload) Batches(size int) iter.Seq[[]*company.Company] {
	return func(yield func([]*company.Company) bool) {
		batch := make([]*company.Company, 0, size)
		for c := range w.Companies() {
			if batch = append(batch, c); len(batch) == size {
				if !yield(batch) {
					return
				}
				batch = make([]*company.Company, 0, size)
			}
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
}

// chunks yields the chunks that the makers prepare in advance, in order.
func (w *Workload) chunks() iter.Seq[[]*company.Company] {
	return func(yield func([]*company.Company) bool) {
		done := make(chan struct{})
		defer close(done)
		turns := make(chan chan []*company.Company, 2*runtime.GOMAXPROCS(0))
		go w.make(turns, done)
		for turn := range turns {
			if !yield(<-turn) {
				return
			}
		}
	}
}

// make starts generating each chunk as soon as there is room for it.
func (w *Workload) make(turns chan<- chan []*company.Company, done <-chan struct{}) {
	defer close(turns)
	for first := 1; first <= w.Len; first += chunkSize {
		turn := make(chan []*company.Company, 1)
		select {
		case turns <- turn:
		case <-done:
			return
		}
		go func() {
			chunk := make([]*company.Company, min(chunkSize, w.Len-first+1))
			for i := range chunk {
				chunk[i] = w.made.Company(first + i)
			}
			turn <- chunk
		}()
	}
}

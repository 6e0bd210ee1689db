package ingest

import (
	"context"
	"time"

	"github.com/opencapi/capi/internal/catalog"
)

// The writer holds the database for about holdTarget at a time, since charges wait meanwhile, and leaves it alone for
// pause in between: without a pause one of another process would hardly ever find it free.
const (
	holdTarget       = 50 * time.Millisecond
	pause            = 5 * time.Millisecond
	batchMin         = 100
	batchMax         = 8_000
	batchStart       = 250
	connectionsHeld  = 100_000 // connections that wait for the companies behind them in the files
	progressInterval = 100 * time.Millisecond
)

// writer gathers items into batches for the catalog. Connections are written after the companies, so that they seldom
// have to be joined afterwards.
type writer struct {
	catalog  *catalog.Book
	progress func(Progress)
	told     time.Time

	file      *source
	delivered *catalog.Source
	batch     []item // companies
	size      int    // of the next batch
	linkSize  int    // of the next batch of connections
	records   int    // of the file, so far
	links     []catalog.Connection
	summary   Summary
	err       error // of the catalog; nothing can be written any more
}

func newWriter(o Options) *writer {
	return &writer{
		catalog: o.Catalog, progress: o.Progress, size: batchStart, linkSize: batchStart,
		summary: Summary{Reasons: []Rejects{}, Notes: []Note{}},
	}
}

func (w *writer) begin(s *source) {
	w.file, w.delivered, w.records = s, catalog.NewSource(), 0
	w.summary.Files++
}

func (w *writer) note(text string) {
	w.summary.Notes = append(w.summary.Notes, Note{w.file.name, text})
}

// end writes what is left of the file.
func (w *writer) end(ctx context.Context) error {
	err := w.flush(ctx)
	w.told = time.Time{}
	w.tell()
	return err
}

// take brings items in; ctx is looked at between batches only. An item counts as read once it is clear what became of it.
func (w *writer) take(ctx context.Context, items []item) error {
	w.records += len(items)
	for i := range items {
		it := &items[i]
		switch {
		case it.reason != "":
			w.reject(it)
		case it.company == nil:
			w.links = append(w.links, it.connections...)
		default:
			w.batch = append(w.batch, *it)
		}
		if len(w.batch) >= w.size {
			if err := w.flush(ctx); err != nil {
				return err
			}
		}
		if len(w.links) >= connectionsHeld {
			if err := w.flushAll(ctx); err != nil {
				return err
			}
		}
	}
	w.tell()
	return ctx.Err()
}

func (w *writer) reject(it *item) {
	if it.reason == ReasonConnection {
		w.summary.Connections.Read++
		w.summary.Connections.Rejected++
	} else {
		w.summary.Read++
		w.summary.Rejected++
	}
	w.summary.reject(it.reason, Sample{w.file.name, it.line, it.detail})
}

// flush writes the companies at hand.
func (w *writer) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil || len(w.batch) == 0 {
		return err
	}
	batch := make([]catalog.Incoming, len(w.batch))
	for i := range w.batch {
		batch[i] = *w.batch[i].company
	}
	started := time.Now()
	report, err := w.catalog.Put(context.WithoutCancel(ctx), w.delivered, batch)
	if err != nil {
		w.err = err
		return err
	}
	w.size = resize(w.size, len(batch), time.Since(started))
	time.Sleep(pause)
	for i := range w.batch {
		it := &w.batch[i]
		if report.Outcomes[i] == catalog.Nameless {
			w.summary.Rejected++
			w.summary.reject(ReasonNameless, Sample{w.file.name, it.line, ""})
			continue
		}
		for _, c := range it.connections {
			c.Number = report.Numbers[i]
			w.links = append(w.links, c)
		}
		w.summary.Connections.Read += len(it.rejects)
		w.summary.Connections.Rejected += len(it.rejects)
		for _, problem := range it.rejects {
			w.summary.reject(ReasonConnection, Sample{w.file.name, it.line, problem})
		}
	}
	w.summary.Read += len(batch)
	w.summary.Added += report.Count(catalog.Added)
	w.summary.Updated += report.Count(catalog.Updated)
	w.summary.Unchanged += report.Count(catalog.Unchanged)
	w.batch = w.batch[:0]
	w.tell()
	return nil
}

// flushAll writes the companies and connections at hand.
func (w *writer) flushAll(ctx context.Context) error {
	if err := w.flush(ctx); err != nil {
		return err
	}
	for len(w.links) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(w.linkSize, len(w.links))
		started := time.Now()
		report, err := w.catalog.Connect(context.WithoutCancel(ctx), w.links[:n])
		if err != nil {
			w.err = err
			return err
		}
		w.linkSize = resize(w.linkSize, n, time.Since(started))
		time.Sleep(pause)
		w.summary.Connections.Read += n
		w.summary.Connections.Added += report.Added
		w.summary.Connections.Unchanged += report.Unchanged
		w.summary.Connections.Pending += report.Pending
		w.summary.Connections.Ambiguous += report.Ambiguous
		w.links = w.links[n:]
		w.tell()
	}
	w.links = nil
	return nil
}

// resize is the size of the next batch, after one of n took the time.
func resize(size, n int, took time.Duration) int {
	if n < size && took < holdTarget {
		return size // a last, short one says little
	}
	fitting := int(float64(n) * float64(holdTarget) / float64(max(took, time.Millisecond)))
	return max(batchMin, min(batchMax, fitting, 2*size))
}

func (w *writer) tell() {
	if w.progress == nil || w.file == nil || time.Since(w.told) < progressInterval {
		return
	}
	w.told = time.Now()
	w.progress(Progress{
		File: w.file.name, ReadBytes: w.file.in.bytes.Load(), SizeBytes: w.file.size, Summary: w.summary.copied(),
	})
}

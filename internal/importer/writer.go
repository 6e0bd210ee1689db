package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/importer/source"
)

// The writer locks the catalog for about lockTime at a time, because each transaction of a purchase may wait that long, and pauses
// between transactions: without a pause, another process would hardly ever get the lock.
const (
	lockTimeDefault  = 12 * time.Millisecond
	lockTimeAlone    = time.Second            // while no server runs
	lockTimeApart    = 300 * time.Millisecond // if purchases do not wait; a change should still be searchable within a second
	pause            = 5 * time.Millisecond
	batchMin         = 100
	linkBatchMin     = 150 // of connections, which may all be of one company that has to be written for each batch
	linkBatchMax     = 12_000
	batchMax         = 8_000 // in memory, with all that the garbage collector has to look at
	batchStart       = 250
	settleAfter      = 100_000
	progressInterval = 100 * time.Millisecond
)

// writer collects items into batches for the catalog. Connections are written after the companies, so that most of them
// find their companies at once.
type writer struct {
	catalog    *catalog.Store
	loader     *catalog.Loader
	previewer  *catalog.Previewer
	options    Options
	progress   func(Progress)
	reportedAt time.Time

	file      *source.Source
	place     string // of the current table's rows: the file, or all.zip/part.csv for one of an archive
	tables    int    // of the file, so far
	delivered *catalog.Source
	rejects   *rejectFile
	imported  int64                // the number of the import; 0 before it writes
	fileRead  int                  // records of the file
	fileUsed  int                  // those that were not rejected
	refused   map[Reason]int       // those that were rejected
	paired    bool                 // rows have two companies
	batch     []item               // companies
	size      int                  // of the next batch
	unsettled int                  // companies and connections added since the catalog was settled
	linkSize  int                  // of the next batch of connections
	held      heldLinks            // connections, until all companies are written
	links     []catalog.Connection // of the next batches
	connector *catalog.Connector
	next      *linkBatch         // the first of links, whose ends are being looked up; nil if none
	previewed map[int64]struct{} // the connections that a dry run would have written
	summary   Summary
	err       error // of the catalog or the file of rejected rows; nothing can be written after it
}

func newWriter(o Options) *writer {
	return &writer{
		catalog: o.Catalog, loader: o.Catalog.NewLoader(), previewer: o.Catalog.NewPreviewer(o.TempDir), connector: o.Catalog.NewConnector(), options: o, held: heldLinks{dir: o.TempDir}, progress: o.Progress, size: batchStart, linkSize: batchStart, previewed: map[int64]struct{}{},
		summary: Summary{
			Reasons: []Rejects{}, Notes: []Note{}, Unparsed: []Unparsed{}, Sources: []Source{}, Matched: map[string]int{},
			Merges: Merges{Samples: []Merge{}}, DryRun: o.DryRun,
		},
	}
}

// unread records how the columns of a table are read of which no record can be used.
func (w *writer) unread(s *source.Source, t *source.Table, p *plan, number int) {
	out := p.source(s, t, number)
	out.Unread = true
	w.summary.Sources = append(w.summary.Sources, out)
}

func (w *writer) begin(s *source.Source, t *source.Table, p *plan, number int) {
	w.tables++
	if w.file != s {
		w.tables = 1
	}
	w.file, w.place, w.delivered = s, s.Name, catalog.NewSource()
	if t.Member != "" {
		w.place = s.Name + "/" + t.Member
	}
	w.delivered.Of(w.imported)
	w.rejects = newRejectFile(w.options.Rejects, tableName(s.Name, w.tables), t)
	w.fileRead, w.fileUsed, w.refused, w.paired = 0, 0, map[Reason]int{}, p.pair != nil
	if w.tables == 1 {
		w.summary.Files++
	}
	w.summary.Sources = append(w.summary.Sources, p.source(s, t, number))
}

// tableName returns the name of a file, with the number of the table in it from the second on.
func tableName(file string, table int) string {
	if table < 2 {
		return file
	}
	folder, base := filepath.Split(file)
	stem, ext, _ := strings.Cut(base, ".")
	return fmt.Sprintf("%s%s-%d.%s", folder, stem, table, ext)
}

func (w *writer) note(text string) {
	w.summary.Notes = append(w.summary.Notes, Note{w.file.Name, text})
}

// end writes the rest of the table, even if ctx was cancelled or the table could not be read to its end.
func (w *writer) end(ctx context.Context) error {
	if w.err != nil {
		return w.rejects.close()
	}
	err := errors.Join(w.flush(context.WithoutCancel(ctx)), w.rejects.close())
	if path := w.rejects.name; path != "" {
		w.summary.Sources[len(w.summary.Sources)-1].Rejects = path
	}
	w.reportedAt = time.Time{}
	w.report()
	if err == nil && ctx.Err() == nil && w.fileRead > 0 && w.fileUsed == 0 {
		err = errNothingUsed(w.refused)
	}
	return err
}

// errNothingUsed returns an error with the most frequent reason.
func errNothingUsed(refused map[Reason]int) error {
	most := Reason("")
	for _, r := range slices.Sorted(maps.Keys(refused)) {
		if most == "" || refused[r] > refused[most] {
			most = r
		}
	}
	return fmt.Errorf("%w: %s", errNoRecords, most)
}

var errNoRecords = errors.New("no record could be used")

// finish writes the rest of all files. If ctx is cancelled, it stops after the current batch, because the connections may take
// hours; the same import loads them.
func (w *writer) finish(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, w.held.close(), w.previewer.Close()) }()
	if w.err != nil {
		return nil // the error was returned already
	}
	written := w.summary.Connections
	err = w.flushAll(ctx)
	if err != nil && errors.Is(err, ctx.Err()) {
		err = nil // Import reports it
	}
	s := &w.summary
	if !w.previewer.Exact() {
		s.Notes = append(s.Notes, Note{w.file.Name, "has more companies than a dry run compares with each other: of the later rows, some that would update a company of an earlier one are counted as added"})
	}
	if s.Connections.Left = w.held.total - (s.Connections.Read - written.Read); w.imported == 0 {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	return errors.Join(err, w.catalog.Finish(ctx, w.imported, map[string]int{
		"read": s.Read, "added": s.Added, "updated": s.Updated, "unchanged": s.Unchanged, "rejected": s.Rejected,
		"connections": s.Connections.Added, "merged": s.Merges.Different,
	}))
}

// beginImport creates the import's record before the first write.
func (w *writer) beginImport(ctx context.Context) error {
	if w.options.DryRun || w.imported != 0 {
		return nil
	}
	var names []string
	for _, name := range w.options.Files {
		names = append(names, filepath.Base(name))
	}
	number, err := w.catalog.Begin(context.WithoutCancel(ctx), names)
	if err != nil {
		w.err = err
		return err
	}
	w.imported, w.summary.Import = number, number
	w.delivered.Of(number)
	return nil
}

// take adds items. It checks ctx between batches only. An item is counted as read once its outcome is known.
func (w *writer) take(ctx context.Context, items []item) error {
	for i := range items {
		it := &items[i]
		w.fileRead++
		w.addUnparsed(it)
		switch {
		case it.reason != "":
			w.reject(it)
		case it.company == nil:
			w.fileUsed++
			if err := w.held.add(it.connections...); err != nil {
				w.err = err
				return err
			}
		default:
			w.fileUsed++
			w.batch = append(w.batch, *it)
		}
		if len(w.batch) >= w.size {
			if err := w.flush(ctx); err != nil {
				return err
			}
		}
	}
	w.report()
	return cmp.Or(ctx.Err(), w.err)
}

func (w *writer) addUnparsed(it *item) {
	for _, d := range it.unparsed {
		w.summary.addUnparsed(d.field, Sample{w.place, it.line, d.value})
	}
}

func (w *writer) reject(it *item) {
	if it.reason == ReasonConnection || it.reason == ReasonEnded {
		w.summary.Connections.Read++
		w.summary.Connections.Rejected++
	} else {
		w.summary.Read++
		w.summary.Rejected++
	}
	w.rejectAs(it, it.reason, it.detail)
}

// rejectAs counts a rejected record and writes it to the file of rejected rows.
func (w *writer) rejectAs(it *item, reason Reason, detail string) {
	w.summary.reject(reason, Sample{w.place, it.line, detail})
	w.refused[reason]++
	if err := w.rejects.add(it, reason, detail); err != nil && w.err == nil {
		w.err = err
	}
}

// flush writes the collected companies.
func (w *writer) flush(ctx context.Context) error {
	if err := cmp.Or(ctx.Err(), w.err); err != nil || len(w.batch) == 0 {
		return err
	}
	batch := make([]catalog.Incoming, len(w.batch))
	from := filepath.Base(w.file.Name) + strings.TrimPrefix(w.place, w.file.Name)
	for i := range w.batch {
		batch[i] = *w.batch[i].company
		batch[i].From(from, w.batch[i].line)
	}
	started := time.Now()
	if err := w.beginImport(ctx); err != nil {
		return err
	}
	report, err := w.put(context.WithoutCancel(ctx), batch)
	if err != nil {
		w.err = err
		return err
	}
	w.size = w.resize(w.size, batchMin, batchMax, len(batch), time.Since(started))
	time.Sleep(pause)
	for i := range w.batch {
		it := &w.batch[i]
		if report.Outcomes[i] == catalog.Nameless {
			w.summary.Rejected++
			w.fileUsed--
			w.rejectAs(it, ReasonNameless, "")
			continue
		}
		w.merged(it, report.Matches[i])
		for j := range it.connections {
			it.connections[j].Number = report.Numbers[i]
		}
		if err := w.held.add(it.connections...); err != nil {
			w.err = err
		}
		w.summary.Connections.Read += len(it.rejects)
		w.summary.Connections.Rejected += len(it.rejects)
		for _, problem := range it.rejects {
			w.summary.reject(ReasonConnection, Sample{w.place, it.line, problem})
		}
	}
	w.summary.Read += len(batch)
	w.summary.Added += report.Count(catalog.Added)
	w.summary.Updated += report.Count(catalog.Updated)
	w.summary.Unchanged += report.Count(catalog.Unchanged)
	w.batch = w.batch[:0]
	w.report()
	return cmp.Or(w.err, w.settle(ctx, report.Count(catalog.Added)))
}

// put writes companies; in a dry run it only returns what would happen.
func (w *writer) put(ctx context.Context, batch []catalog.Incoming) (catalog.Report, error) {
	if w.options.DryRun {
		return w.previewer.Preview(ctx, w.delivered, batch)
	}
	return w.loader.Put(ctx, w.delivered, batch, w.alone())
}

// settle lets the catalog tidy up after each settleAfter companies or connections, if no server runs.
func (w *writer) settle(ctx context.Context, added int) error {
	if w.unsettled += added; w.unsettled < settleAfter || w.options.DryRun || w.lockTime() < lockTimeAlone {
		return nil
	}
	w.unsettled = 0
	err := w.catalog.Settle(ctx)
	if ctx.Err() != nil {
		return ctx.Err() // the next import continues with it
	}
	w.err = err
	return err
}

// merged records a row that became part of a company with another name or place, or of a company from an earlier row.
func (w *writer) merged(it *item, m catalog.Match) {
	if m.By == "" {
		return
	}
	s := &w.summary
	s.Matched[m.By]++
	name := it.company.End().Name
	// In rows of two companies the same company often repeats.
	if (!m.Repeated || w.paired) && !m.Differs {
		return
	}
	s.Merges.Count++
	if m.Differs {
		s.Merges.Different++
	}
	if m.Repeated {
		s.Merges.Repeated++
	}
	if len(s.Merges.Samples) < mergesShown {
		s.Merges.Samples = append(s.Merges.Samples, Merge{w.place, it.line, name, it.company.Place(), m.Name, m.Place, m.By})
	}
}

// flushAll writes the collected companies and connections.
func (w *writer) flushAll(ctx context.Context) error {
	err := w.flush(ctx)
	if w.err == nil {
		err = errors.Join(err, w.loader.Settle(context.WithoutCancel(ctx), w.alone())) // connections look for the companies
	}
	if err != nil {
		return err
	}
	err = w.held.each(func(part []catalog.Connection) error {
		w.links = append(w.links, part...)
		return w.flushLinks(ctx, 2*w.linkSize) // the batch, and the one after it
	})
	if err == nil {
		err = w.flushLinks(ctx, 1)
	}
	if w.next != nil {
		<-w.next.done // before the database is closed
	}
	return err
}

// linkBatch is a batch of connections whose ends are looked up while the batch before is written.
type linkBatch struct {
	links    []catalog.Connection
	done     chan struct{} // closed when lookedUp and err are set
	lookedUp *catalog.LookedUp
	err      error
}

// lookUp starts to look up the ends of the first of the connections.
func (w *writer) lookUp(ctx context.Context, links []catalog.Connection) *linkBatch {
	b := &linkBatch{links: slices.Clone(links[:min(w.linkSize, len(links))]), done: make(chan struct{})}
	if w.options.DryRun || len(b.links) == 0 {
		close(b.done)
		return b
	}
	go func() {
		defer close(b.done)
		b.lookedUp, b.err = w.connector.LookUp(context.WithoutCancel(ctx), b.links)
	}()
	return b
}

// flushLinks writes the next batches of connections while there are at least least of them.
func (w *writer) flushLinks(ctx context.Context, least int) error {
	written := 0
	for len(w.links)-written >= least {
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.next == nil {
			w.next = w.lookUp(ctx, w.links[written:])
		}
		batch := w.next
		n := len(batch.links)
		w.next = w.lookUp(ctx, w.links[written+n:])
		<-batch.done
		started := time.Now()
		report, err := w.connect(ctx, batch)
		if err != nil {
			w.err = err
			return err
		}
		if len(w.next.links) == 0 {
			w.next = nil
		}
		w.linkSize = w.resize(w.linkSize, linkBatchMin, linkBatchMax, n, time.Since(started))
		if !w.options.DryRun {
			time.Sleep(pause)
		}
		written += n
		w.summary.Connections.Read += n
		w.summary.Connections.Added += report.Added
		w.summary.Connections.Unchanged += report.Unchanged
		w.summary.Connections.Pending += report.Pending
		w.summary.Connections.Ambiguous += report.Ambiguous
		w.report()
		if err := w.settle(ctx, report.Added); err != nil {
			return err
		}
	}
	w.links = append(w.links[:0], w.links[written:]...)
	return nil
}

// connect writes connections; in a dry run it only counts what would happen.
func (w *writer) connect(ctx context.Context, b *linkBatch) (catalog.ConnectReport, error) {
	if w.options.DryRun {
		return w.catalog.PreviewConnections(context.WithoutCancel(ctx), w.previewed, b.links)
	}
	if b.err != nil {
		return catalog.ConnectReport{}, b.err
	}
	if err := w.beginImport(ctx); err != nil {
		return catalog.ConnectReport{}, err
	}
	return w.connector.Connect(context.WithoutCancel(ctx), w.imported, b.lookedUp)
}

// resize returns the size of the next batch, from least to most, after one of n items took the time.
func (w *writer) resize(size, least, most, n int, took time.Duration) int {
	hold := w.lockTime()
	if n < size && took < hold {
		return size // a short last batch is no measure
	}
	fitting := int(float64(n) * float64(hold) / float64(max(took, time.Millisecond)))
	return max(least, min(most, fitting, 2*size))
}

// lockTime returns about how long to lock the database for the next batch.
func (w *writer) lockTime() time.Duration {
	switch o := w.options; {
	case o.LockTime > 0:
		return o.LockTime
	case w.alone():
		return lockTimeAlone
	case !w.catalog.Blocks():
		return lockTimeApart
	}
	return lockTimeDefault
}

// alone reports whether no server uses the database at the moment.
func (w *writer) alone() bool { return w.options.Alone != nil && w.options.Alone() }

func (w *writer) report() {
	if w.progress == nil || w.file == nil || time.Since(w.reportedAt) < progressInterval {
		return
	}
	w.reportedAt = time.Now()
	w.progress(Progress{
		File: w.file.Name, ReadBytes: w.file.ReadBytes(), SizeBytes: w.file.Size, FileRead: w.fileRead, Summary: w.summary.copied(),
	})
}

package catalog

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/opencapi/capi/internal/company"
)

// Previewer says what the batches of an import would do, and writes nothing to the catalog. It keeps the companies that the import would
// have added or changed in a temporary file, so that later rows meet them. Not safe for concurrent use.
type Previewer struct {
	store *Store
	dir   string // of the file
	most  int    // companies to keep
	added uint64

	file  *os.File
	out   *bufio.Writer
	size  int64
	kept  map[company.Number]span
	known keyFilter
	keys  waitingKeys
}

// span is where a record is in a file.
type span struct {
	at     int64
	length int
}

// previewedMax bounds the memory: their keys and places take about 200 MB.
const previewedMax = 2_000_000

// NewPreviewer returns a previewer whose temporary file is in dir, or in the system's folder for them if that is empty. It must be closed.
func (s *Store) NewPreviewer(dir string) *Previewer {
	return &Previewer{store: s, dir: dir, most: previewedMax, kept: map[company.Number]span{}}
}

// Exact reports whether all companies that the import would have added or changed are known. If not, a row may count as another new
// company although it would update one of them.
func (v *Previewer) Exact() bool { return len(v.kept) < v.most }

// Preview returns what Put would do with a batch. The numbers of companies that would be added are placeholders.
func (v *Previewer) Preview(ctx context.Context, source *Source, batch []Incoming) (Report, error) {
	var p *put
	err := v.store.write(ctx, func(e *edit) error {
		e.next = max(e.next, firstPlaceholder) + v.added
		p = &put{edit: e, source: source, seen: map[company.Number]struct{}{}, preview: v}
		return p.run(ctx, batch)
	})
	if err == nil {
		err = v.keep(p)
	}
	if err != nil {
		return Report{}, fmt.Errorf("preview companies: %w", err)
	}
	return p.report, nil
}

// firstPlaceholder is so large that no company gets the number in the meantime.
const firstPlaceholder = 1 << 31

// keep keeps what the batch would have written.
func (v *Previewer) keep(p *put) (err error) {
	if p.source != nil {
		for n := range p.seen {
			p.source.delivered.Add(uint32(n))
		}
	}
	if v.file == nil && len(p.toWrite) > 0 {
		if v.file, err = os.CreateTemp(v.dir, "capi-preview-*"); err != nil {
			return err
		}
		_ = os.Remove(v.file.Name()) // so that nothing is left if the process is killed; Windows removes it in Close
		v.out = bufio.NewWriterSize(v.file, 1<<20)
	}
	var keys []companyKey
	for _, e := range p.toWrite {
		if e.added {
			v.added++
		}
		if _, known := v.kept[e.row.number]; !known && !v.Exact() {
			continue
		}
		if _, err := v.out.Write(e.row.record); err != nil {
			return err
		}
		v.kept[e.row.number] = span{v.size, len(e.row.record)}
		v.size += int64(len(e.row.record))
		keys = appendKeys(keys, &e.row)
	}
	v.known.add(keys)
	v.keys.add(keys)
	if v.out == nil {
		return nil
	}
	return v.out.Flush()
}

// over returns the rows as they would be after the batches before, and those that these would have added.
func (v *Previewer) over(rows []row, w wanted) ([]row, error) {
	var numbers []int64
	rows = slices.DeleteFunc(rows, func(r row) bool {
		_, kept := v.kept[r.number]
		if kept {
			numbers = append(numbers, int64(r.number))
		}
		return kept
	})
	keys := slices.DeleteFunc(w.keys(), func(k int64) bool { return !v.known.has(k) })
	for _, n := range distinct(append(numbers, v.keys.find(keys, w.places)...)) {
		r, err := v.read(company.Number(n)) //nolint:gosec // a number has 32 bits
		if err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.number, b.number) }) // of several, the oldest matches
	return rows, nil
}

func (v *Previewer) read(n company.Number) (row, error) {
	at := v.kept[n]
	record := make([]byte, at.length)
	if _, err := v.file.ReadAt(record, at.at); err != nil {
		return row{}, err
	}
	c, err := (&row{number: n, record: record}).company(false)
	if err != nil {
		return row{}, err
	}
	return rowOf(c), nil
}

// Close removes the temporary file.
func (v *Previewer) Close() error {
	if v.file == nil {
		return nil
	}
	err := v.file.Close()
	if removed := os.Remove(v.file.Name()); !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

// PreviewConnections returns what Connect would do with a batch, and writes nothing. A connection that an earlier call has
// added to seen counts as unchanged. The report does not say which links would be pending, because the companies of the
// same import are not in the catalog yet.
func (s *Store) PreviewConnections(ctx context.Context, seen map[int64]struct{}, batch []Connection) (ConnectReport, error) {
	report := ConnectReport{}
	err := s.write(ctx, func(e *edit) error {
		fresh := newLinks(batch)
		if err := e.finder().resolve(ctx, fresh); err != nil {
			return err
		}
		fresh, err := e.dropKnown(ctx, fresh)
		if err != nil {
			return err
		}
		report = ConnectReport{}
		for i := range fresh {
			if _, ok := seen[fresh[i].identity]; !ok {
				report.Added++
			}
		}
		for i := range fresh {
			seen[fresh[i].identity] = struct{}{}
		}
		report.Unchanged = len(batch) - report.Added
		return nil
	})
	if err != nil {
		return ConnectReport{}, fmt.Errorf("preview connections: %w", err)
	}
	return report, nil
}

// Package importer loads files of companies and connections into the catalog, and undoes imports. It maps the records that
// package source reads to companies. It contains no SQL, and does not update the index, which follows the catalog.
package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/importer/source"
)

// Options are what Import needs.
type Options struct {
	Catalog *catalog.Store
	Files   []string  // paths of files and folders, or patterns; "-" is Stdin
	Stdin   io.Reader // Defaults to an empty reader.

	// Dir is the folder of the files. If it is set, Files are names in it, never patterns or standard input. Defaults to none.
	Dir string

	Reading source.Options // Defaults to detection by content.
	Mapping Mapping        // Defaults to recognition by names and values.

	// MapTable returns the mapping of one table, which takes precedence over Mapping. table is its number in the file, from 0.
	// Defaults to none.
	MapTable func(file string, table int) Mapping

	DryRun bool // writes nothing; the summary says what would have happened

	// Rejects opens the file for the rejected rows of a source, which are written as they are, with the reason. ext is ".csv"
	// or ".ndjson". It is called for the first rejected row. If nil, they are only counted.
	Rejects func(source, ext string) (io.WriteCloser, error)

	// Progress is called a few times a second and at the end of each file, never by two goroutines at once. May be nil.
	Progress func(Progress)

	// LockTime is about how long the database is locked at a time. Each transaction of a purchase waits that long, but fewer, longer ones
	// write each page of the database's indexes less often. Defaults to 12ms, to 1s while Alone returns true, and to 300ms on
	// PostgreSQL, where purchases do not wait.
	LockTime time.Duration

	// Alone reports whether no server uses the database at the moment. It is called before each transaction. Defaults to false.
	Alone func() bool

	// TempDir is the folder for a temporary file of connections. Defaults to that of the system.
	TempDir string

	// Workers is the number of goroutines that parse. Defaults to the number of processors.
	Workers int
}

// Progress is how far an import is.
type Progress struct {
	File      string
	ReadBytes int64 // of the file on the disk, so compressed bytes
	SizeBytes int64 // 0 if unknown
	FileRead  int   // records
	Summary   Summary
}

// Import loads the files one after another. It returns the summary with an error, too. A record that cannot be used is
// counted as rejected, and the rest is loaded. A file that cannot be read to its end, or has no usable record, is an error,
// returned after the other files were loaded. When ctx is cancelled, Import ends after the current batch; running it again
// loads the rest.
func Import(ctx context.Context, o Options) (Summary, error) {
	if o.Workers < 1 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	started := time.Now()
	w := newWriter(o)
	err := errors.Join(importFiles(ctx, o, w), w.finish(ctx))
	if err == nil {
		err = ctx.Err()
	}
	w.summary.Took = Duration(time.Since(started))
	return w.summary, err
}

func importFiles(ctx context.Context, o Options, w *writer) error {
	if err := o.Mapping.Check(); err != nil {
		return err
	}
	files, skipped, err := o.files()
	if err != nil {
		return err
	}
	for _, folder := range slices.Sorted(maps.Keys(skipped)) {
		w.summary.Notes = append(w.summary.Notes, Note{folder, "has files that are not read: " + skipped[folder]})
	}
	sources := make([]*source.Source, 0, len(files))
	defer func() {
		for _, s := range sources {
			s.Close()
		}
	}()
	for _, name := range files {
		s, err := open(name, o)
		if err != nil {
			return err // before anything is loaded: most likely a typing error in the command
		}
		if len(files) > filesOpenMax {
			s.Close()
		}
		sources = append(sources, s)
	}
	var errs []error
	for i, s := range sources {
		if len(files) > filesOpenMax {
			if s, err = open(files[i], o); err != nil {
				return err
			}
		}
		if err := importFile(ctx, o, w, s); err != nil {
			errs = append(errs, fmt.Errorf("import %s: %w", s.Name, err))
		}
		s.Close()
		if ctx.Err() != nil || w.err != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// filesOpenMax is how many files are open from the beginning. Of more, each is opened a second time when it is its turn.
const filesOpenMax = 100

// files returns the names of the files, and those in folders that are no tables.
func (o *Options) files() (files []string, skipped map[string]string, err error) {
	if o.Dir != "" {
		return o.Files, nil, nil
	}
	return source.Expand(o.Files)
}

// Check returns the error with which Import would refuse a file as a whole, such as a web page. It is nil if the file can be
// read, even if it has no column that identifies companies.
func Check(name string, o Options) error {
	s, err := open(name, o)
	if err != nil {
		return err
	}
	defer s.Close()
	if _, err = s.Next(); errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// open opens a file; "-" is standard input.
func open(name string, o Options) (*source.Source, error) {
	if o.Dir != "" {
		s, err := source.Open(filepath.Join(o.Dir, name), schema{}, o.Reading)
		if err != nil {
			return nil, err
		}
		s.Name = name
		return s, nil
	}
	if name == "-" {
		in := o.Stdin
		if in == nil {
			in = strings.NewReader("")
		}
		return source.New("(stdin)", in, schema{}, o.Reading), nil
	}
	return source.Open(name, schema{}, o.Reading)
}

// importFile imports the tables of a file, one after another. A table without companies beside others is reported.
func importFile(ctx context.Context, o Options, w *writer, s *source.Source) error {
	var none, unused []error
	for imported, table := 0, 0; ; table++ {
		t, err := s.Next()
		if errors.Is(err, io.EOF) {
			if imported == 0 {
				return errors.Join(append(none, unused...)...)
			}
			for _, err := range none {
				w.note("has a table that was not read: " + err.Error())
			}
			for _, err := range unused {
				w.note("has a table without companies: " + err.Error())
			}
			return nil
		}
		if err != nil {
			return err
		}
		err = importTable(ctx, o, w, s, t, table)
		switch {
		case errors.Is(err, ErrNoColumns) && t.Name != "":
			none = append(none, fmt.Errorf("%s: %w", t.Name, err))
		case errors.Is(err, errNoRecords) && t.Name != "":
			unused = append(unused, fmt.Errorf("%s: %w", t.Name, err))
		case err != nil:
			return err
		default:
			imported++
		}
	}
}

// importTable reads, parses and writes a table concurrently, in the order of its records. number is that of the table in its
// file.
func importTable(ctx context.Context, o Options, w *writer, s *source.Source, t *source.Table, number int) error {
	m := o.Mapping
	if o.MapTable != nil {
		m = m.Over(o.MapTable(s.Name, number))
		if err := m.Check(); err != nil {
			return err
		}
	}
	first, err := takeSample(t)
	if err != nil {
		return err
	}
	plan, err := makePlan(m, first)
	if err == nil && first.records+first.rejected == 0 && !namesColumns(t.Header) {
		err = fmt.Errorf("%w: there is only one line, and it names no column: %q", ErrNoColumns, shorten(strings.Join(t.Header, ", ")))
	}
	if errors.Is(err, ErrNoColumns) {
		w.unread(s, t, plan, number)
	}
	if err != nil && len(t.Notices) > 0 {
		return fmt.Errorf("%w; the file %s", err, strings.Join(t.Notices, "; it ")) // how it was read may be why
	}
	if err != nil {
		return err
	}
	w.begin(s, t, plan, number)
	for _, notice := range t.Notices {
		w.note(notice)
	}
	p := startParsing(t, plan, o.Workers)
	defer p.stop()
	err = p.each(ctx, func(items []item) error { return w.take(ctx, items) })
	switch {
	case err != nil || w.fileRead > 0:
	case t.Empty != "":
		w.note(t.Empty)
	case len(t.Header) > 0:
		w.note("has only a header")
	default:
		w.note("is empty")
	}
	return errors.Join(err, w.end(ctx)) // what was read before an error is kept
}

// namesColumns reports whether a header has a name that is known, or there is none.
func namesColumns(header []string) bool {
	return len(header) == 0 || slices.ContainsFunc(header, func(name string) bool { return schema{}.Column(name).Known })
}

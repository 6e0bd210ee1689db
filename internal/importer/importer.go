// Package importer loads source files of companies and connections into the catalog, and takes imports back.
// It knows no SQL; the index hears of what was loaded through the package indexing.
package importer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/importer/source"

	"github.com/opencapi/capi/internal/catalog"
)

// Options is what Import works on.
type Options struct {
	Catalog *catalog.Store
	Files   []string  // paths; "-" is Stdin
	Stdin   io.Reader // Defaults to an empty one.

	Reading source.Options // Defaults to what is found out.
	Mapping Mapping        // Defaults to what is found out.
	DryRun  bool           // whether nothing is written, and the summary says what would be

	// Rejects opens the file that the rejected rows of a source go to, as they are and with what is wrong with them; ext
	// is ".csv" or ".ndjson". It is called for the first of them. Defaults to none.
	Rejects func(source, ext string) (io.WriteCloser, error)

	// Progress is told how far the import is, a few times a second and once at the end of each file, never by two
	// goroutines at once. Defaults to nobody.
	Progress func(Progress)

	// Hold is about how long the database is held at a time. Purchases wait meanwhile, but fewer, longer times write each
	// page of the database's indexes less often. Defaults to 50ms.
	LockTime time.Duration

	// Workers is the number of goroutines that parse. Defaults to the number of processors.
	Workers int
}

// Progress is how far an import is.
type Progress struct {
	File      string
	ReadBytes int64 // of the file as it lies on the disk
	SizeBytes int64 // 0 where it is not known
	FileRead  int   // records
	Summary   Summary
}

// Import loads the files one after another and gives the figures, also with an error. A record that cannot be used is
// counted as rejected and the rest loads; a file that cannot be read to its end, or of which no record can be used, is an
// error, after the others were loaded. When ctx ends, the batch at hand is still written; running the import again
// completes it.
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
	if err := o.Mapping.check(); err != nil {
		return err
	}
	files, err := source.Expand(o.Files)
	if err != nil {
		return err
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
			return err // before anything was loaded: most likely a slip in the command
		}
		sources = append(sources, s)
	}
	var errs []error
	for _, s := range sources {
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

// open opens a file; "-" is standard input.
func open(name string, o Options) (*source.Source, error) {
	if name == "-" {
		in := o.Stdin
		if in == nil {
			in = strings.NewReader("")
		}
		return source.New("(stdin)", in, schema{}, o.Reading), nil
	}
	return source.Open(name, schema{}, o.Reading)
}

// importFile imports the tables of a file, one after another.
func importFile(ctx context.Context, o Options, w *writer, s *source.Source) error {
	for {
		t, err := s.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := importTable(ctx, o, w, s, t); err != nil {
			return err
		}
	}
}

// importTable reads, parses and writes at once; the order of the records is kept.
func importTable(ctx context.Context, o Options, w *writer, s *source.Source, t *source.Table) error {
	first, err := takeSample(t)
	if err != nil {
		return err
	}
	plan, err := makePlan(o.Mapping, first)
	if err != nil {
		return err
	}
	w.begin(s, t, plan)
	for _, notice := range t.Notices {
		w.note(notice)
	}
	p := startParsing(t, plan, o.Workers)
	defer p.stop()
	err = p.each(ctx, func(items []item) error { return w.take(ctx, items) })
	switch {
	case err != nil || w.fileRead > 0:
	case len(t.Header) > 0:
		w.note("has only a header")
	default:
		w.note("is empty")
	}
	return errors.Join(err, w.end(ctx)) // what was read before the source broke off is kept
}

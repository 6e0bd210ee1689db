// Package ingest brings source files into the catalog, and the catalog's changes into an index.
// It knows no SQL and no index's inside.
package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/catalog"
)

// Options is what Import works on.
type Options struct {
	Catalog *catalog.Book
	Files   []string  // paths; "-" is Stdin
	Stdin   io.Reader // Defaults to an empty one.

	// Progress is told how far the import is, a few times a second and once at the end of each file, never by two
	// goroutines at once. Defaults to nobody.
	Progress func(Progress)

	// Workers is the number of goroutines that parse. Defaults to the number of processors.
	Workers int
}

// Progress is how far an import is.
type Progress struct {
	File      string
	ReadBytes int64 // of the file as it lies on the disk
	SizeBytes int64 // 0 where it is not known
	Summary   Summary
}

// Import loads the files one after another and gives the figures, also with an error. A record that cannot be used is
// counted as rejected and the rest loads; a file that cannot be read to its end is an error, after the others were
// loaded. When ctx ends, the batch at hand is still written; running the import again completes it.
func Import(ctx context.Context, o Options) (Summary, error) {
	if o.Workers < 1 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	started := time.Now()
	w := newWriter(o)
	err := importFiles(ctx, o, w)
	switch {
	case w.err != nil:
	case ctx.Err() != nil:
		err = errors.Join(err, w.flush(context.WithoutCancel(ctx)))
	default:
		err = errors.Join(err, w.flushAll(ctx))
	}
	w.summary.Took = Duration(time.Since(started))
	return w.summary, err
}

func importFiles(ctx context.Context, o Options, w *writer) error {
	sources := make([]*source, 0, len(o.Files))
	defer func() {
		for _, s := range sources {
			s.close()
		}
	}()
	for _, name := range o.Files {
		s, err := open(name, o.Stdin)
		if err != nil {
			return err // before anything was loaded: most likely a slip in the command
		}
		sources = append(sources, s)
	}
	var errs []error
	for _, s := range sources {
		if err := importFile(ctx, o, w, s); err != nil {
			errs = append(errs, fmt.Errorf("import %s: %w", s.name, err))
		}
		if ctx.Err() != nil || w.err != nil {
			break
		}
	}
	return errors.Join(errs...)
}

// importFile reads, parses and writes at once; the order of the records is kept.
func importFile(ctx context.Context, o Options, w *writer, s *source) error {
	reader, err := s.reader()
	if err != nil {
		return err
	}
	w.begin(s)
	if s.gzip == nil && strings.HasSuffix(strings.ToLower(s.name), ".gz") {
		w.note("is not packed by gzip, whatever its name says; it is read as it is")
	}
	p := startParsing(reader, o.Workers)
	defer p.stop()
	err = p.each(ctx, func(items []item) error { return w.take(ctx, items) })
	if w.err != nil || ctx.Err() != nil {
		return err
	}
	if err == nil && w.records == 0 {
		w.note(nothingIn(reader))
	}
	return errors.Join(err, w.end(ctx)) // what was read before the source broke off is kept
}

// nothingIn says why a reader has given no record.
func nothingIn(r Reader) string {
	if h, ok := r.(interface{ hasHeader() bool }); ok && h.hasHeader() {
		return "has only a header"
	}
	return "is empty"
}

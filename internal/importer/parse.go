package importer

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/opencapi/capi/internal/importer/source"
)

// chunksMax is how many chunks may be parsed ahead of the writer. Together they have about as many rows as the largest batch, so that
// the next batch is parsed while one is written.
const chunksMax = 32

// parsedChunk is a chunk and the items parsed from it.
type parsedChunk struct {
	chunk source.Chunk
	items []item
	done  chan struct{} // closed when items is complete
}

// parsing reads a table and parses it in several goroutines. Chunks stay in the order of the table.
type parsing struct {
	chunks  chan *parsedChunk
	err     error // of the reader; may be read once chunks is closed
	quit    chan struct{}
	workers sync.WaitGroup
}

func startParsing(t *source.Table, plan *plan, workers int) *parsing {
	p := &parsing{chunks: make(chan *parsedChunk, chunksMax), quit: make(chan struct{})}
	work := make(chan *parsedChunk, chunksMax)
	// stop does not wait for this goroutine, because a read of standard input cannot be cancelled. It ends at its next chunk.
	go func() {
		defer close(p.chunks)
		defer close(work)
		p.err = p.read(t, work)
	}()
	for range workers {
		p.workers.Go(func() { p.parse(work, plan) })
	}
	return p
}

func (p *parsing) read(t *source.Table, work chan<- *parsedChunk) error {
	for {
		chunk, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		next := &parsedChunk{chunk: chunk, done: make(chan struct{})}
		for _, c := range []chan<- *parsedChunk{work, p.chunks} {
			select {
			case c <- next:
			case <-p.quit:
				return nil
			}
		}
	}
}

func (p *parsing) parse(work <-chan *parsedChunk, plan *plan) {
	m := newMapper(plan)
	for {
		select {
		case next, ok := <-work:
			if !ok {
				return
			}
			next.chunk.Records(func(r *source.Record) { next.items = m.items(next.items, r) })
			close(next.done)
		case <-p.quit:
			return
		}
	}
}

// each calls fn with the items of each chunk, in order. It returns the first error of fn, the reader or ctx.
func (p *parsing) each(ctx context.Context, fn func([]item) error) error {
	for {
		select {
		case next, ok := <-p.chunks:
			if !ok {
				return p.err
			}
			<-next.done
			if err := fn(next.items); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// stop ends the parsers and waits for them.
func (p *parsing) stop() {
	close(p.quit)
	p.workers.Wait()
}

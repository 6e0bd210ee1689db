package importer

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/opencapi/capi/internal/importer/source"
)

// chunksMax is how many chunks may be parsed ahead of the writing.
const chunksMax = 16

// parsedChunk is a chunk of a table on its way through a parser.
type parsedChunk struct {
	chunk source.Chunk
	items []item
	done  chan struct{} // closed when items are there
}

// parsing reads a table and parses it in several goroutines; parts come in the order of the table.
type parsing struct {
	chunks  chan *parsedChunk
	err     error // of the reader; to be read after parts is closed
	quit    chan struct{}
	workers sync.WaitGroup
}

func startParsing(t *source.Table, plan *plan, workers int) *parsing {
	p := &parsing{chunks: make(chan *parsedChunk, chunksMax), quit: make(chan struct{})}
	work := make(chan *parsedChunk, chunksMax)
	// Nobody waits for this goroutine: a read of standard input cannot be broken off. It ends at its next chunk.
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

// each hands the items of every part to fn, in order, and gives the error that ended it: fn's, the reader's or ctx's.
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

// stop ends the parsers, wherever they are, and waits for them.
func (p *parsing) stop() {
	close(p.quit)
	p.workers.Wait()
}

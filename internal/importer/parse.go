package importer

import (
	"context"
	"errors"
	"io"
	"sync"
)

// partsMax is how many pieces may be parsed ahead of the writing.
const partsMax = 16

// part is a piece of a source on its way through a parser.
type part struct {
	piece Piece
	items []item
	done  chan struct{} // closed when items are there
}

// parsing reads a source and parses it in several goroutines; parts come in the order of the source.
type parsing struct {
	parts   chan *part
	err     error // of the reader; to be read after parts is closed
	quit    chan struct{}
	workers sync.WaitGroup
}

func startParsing(r Reader, plan *plan, workers int) *parsing {
	p := &parsing{parts: make(chan *part, partsMax), quit: make(chan struct{})}
	work := make(chan *part, partsMax)
	// Nobody waits for this goroutine: a read of standard input cannot be broken off. It ends at its next piece.
	go func() {
		defer close(p.parts)
		defer close(work)
		p.err = p.read(r, work)
	}()
	for range workers {
		p.workers.Go(func() { p.parse(work, plan) })
	}
	return p
}

func (p *parsing) read(r Reader, work chan<- *part) error {
	for {
		piece, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		next := &part{piece: piece, done: make(chan struct{})}
		for _, c := range []chan<- *part{work, p.parts} {
			select {
			case c <- next:
			case <-p.quit:
				return nil
			}
		}
	}
}

func (p *parsing) parse(work <-chan *part, plan *plan) {
	m := newMapper(plan)
	for {
		select {
		case next, ok := <-work:
			if !ok {
				return
			}
			next.piece.Records(func(r *Record) { next.items = m.items(next.items, r) })
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
		case next, ok := <-p.parts:
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

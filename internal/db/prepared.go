package db

import (
	"context"
	"database/sql"
	"sync"
)

// preparedMax bounds the prepared statements. The program has fewer, apart from texts that it composes.
const preparedMax = 128

// prepared is a pool that compiles each text once per connection.
type prepared struct {
	*sql.DB
	mu    sync.RWMutex
	texts map[string]*sql.Stmt
}

// Prepared makes Read reuse prepared statements, for a database whose driver does not do that itself.
func (d *DB) Prepared() *DB {
	d.reads = &prepared{DB: d.read, texts: map[string]*sql.Stmt{}}
	return d
}

func (p *prepared) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := p.statement(ctx, query); s != nil { //nolint:sqlclosecheck // the pool closes it
		return s.QueryContext(ctx, args...)
	}
	return p.DB.QueryContext(ctx, query, args...)
}

func (p *prepared) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	if s := p.statement(ctx, query); s != nil { //nolint:sqlclosecheck // the pool closes it
		return s.QueryRowContext(ctx, args...)
	}
	return p.DB.QueryRowContext(ctx, query, args...)
}

// statement returns the prepared statement, or nil if the text must run unprepared: there are too many already, or it
// cannot be prepared, in which case running it returns the error.
func (p *prepared) statement(ctx context.Context, query string) *sql.Stmt {
	p.mu.RLock()
	s, n := p.texts[query], len(p.texts)
	p.mu.RUnlock()
	if s != nil || n >= preparedMax {
		return s
	}
	s, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if first := p.texts[query]; first != nil {
		_ = s.Close() //nolint:sqlclosecheck // another goroutine was first
		return first
	}
	p.texts[query] = s
	return s
}

package db

import (
	"context"
	"database/sql"
	"sync"
)

// preparedMax bounds the statements that are kept prepared; the program has fewer, but for those that it puts together.
const preparedMax = 128

// prepared is a pool that compiles each text once a connection.
type prepared struct {
	*sql.DB
	mu    sync.RWMutex
	texts map[string]*sql.Stmt
}

// Prepared has the statements of Read compiled once, for a database whose driver does not see to that itself.
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

// statement is nil where the text is to run as it is: it cannot be prepared, which running it will tell, or there are
// too many.
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
		_ = s.Close() //nolint:sqlclosecheck // another came first
		return first
	}
	p.texts[query] = s
	return s
}

// Package postgres opens a PostgreSQL database, version 14 or newer, and implements its dialect.
// It has no statements on tables.
package postgres

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/migrations"
)

const (
	connsMax   = 16
	migrateMax = 30 // attempts
)

// Open connects to a postgres:// URL and brings the schema up to date. Several processes may do so at once.
func Open(ctx context.Context, url string) (*db.DB, error) {
	pool, err := connect(url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	pool.SetMaxOpenConns(connsMax)
	pool.SetMaxIdleConns(connsMax)
	if err := migrate(ctx, pool); err != nil {
		return nil, errors.Join(fmt.Errorf("open database: %w", err), pool.Close())
	}
	return db.New(Dialect{}, pool, pool), nil
}

func migrate(ctx context.Context, pool *sql.DB) error {
	// Another node may be migrating: try every second, for five minutes.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return fmt.Errorf("migration lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, pool, migrations.For(Dialect{}.Name()),
		goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	// A server that sells while a step runs may hold what the step needs next, and wait for what the step holds. PostgreSQL then ends
	// one of the two. Each step is a transaction, so the rest can be tried again.
	for attempt := 1; ; attempt++ {
		_, err := p.Up(ctx)
		if err == nil {
			break
		}
		if attempt == migrateMax || !(Dialect{}).Retryable(err) {
			return fmt.Errorf("migrate: %w", err)
		}
	}
	return migrations.CheckVersion(ctx, p, Dialect{}.Name())
}

// Dialect is the dialect of PostgreSQL.
type Dialect struct{}

// Name is the name in the configuration.
func (Dialect) Name() string { return "postgres" }

// EachString lists the texts of a JSON array.
func (Dialect) EachString(placeholder string) string {
	return "jsonb_array_elements_text(" + placeholder + "::jsonb) AS each(value)"
}

// EachNumber lists the integers of a JSON array.
func (Dialect) EachNumber(placeholder string) string {
	return "(SELECT value::bigint AS value FROM jsonb_array_elements_text(" + placeholder + "::jsonb) AS e(value)) AS each"
}

// InNumbers makes an array of the integers of a JSON array, for which an index is used. The planner takes IN with a SELECT for half of a
// table that has no statistics yet.
func (Dialect) InNumbers(placeholder string) string {
	return "= ANY (ARRAY(SELECT value::bigint FROM jsonb_array_elements_text(" + placeholder + "::jsonb) AS e(value)))"
}

// InSelect makes an array of the integers, for the same reason as InNumbers. With IN and a LIMIT, the planner reads the table in its order
// until it has found as many rows as the limit, which are rarely there.
func (Dialect) InSelect(statement string) string { return "= ANY (ARRAY(" + statement + "))" }

// ForUpdate locks the rows until the end of the transaction.
func (Dialect) ForUpdate() string { return " FOR UPDATE" }

// ForShare keeps the rows from changing until the end of the transaction.
func (Dialect) ForShare() string { return " FOR SHARE" }

// SkipLocked locks the rows that are not locked already.
func (Dialect) SkipLocked() string { return " FOR UPDATE SKIP LOCKED" }

// Clock is the server's clock, also within a transaction.
func (Dialect) Clock() string { return "(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT" }

// Retryable reports whether the error is a deadlock or a serialization failure.
func (Dialect) Retryable(err error) bool {
	c := code(err)
	return c == "40001" || c == "40P01"
}

// Unavailable recognises a server that cannot be reached, is starting or stopping, or has no connection or disk space left.
func (Dialect) Unavailable(err error) string {
	var connect *pgconn.ConnectError
	var network net.Error
	c := code(err)
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded): // of the request
		return ""
	case c == "53100":
		return "The disk of the database is full"
	case strings.HasPrefix(c, "53"):
		return "The database has no connection or memory left"
	case strings.HasPrefix(c, "57P"), strings.HasPrefix(c, "08"), c == "25006":
		return "The database is starting, stopping or read-only"
	case c == "25P03":
		return "The database has not heard from this server for too long"
	case c != "":
		return ""
	case errors.As(err, &connect), errors.As(err, &network), errors.Is(err, driver.ErrBadConn), errors.Is(err, io.ErrUnexpectedEOF),
		pgconn.SafeToRetry(err):
		return "The database cannot be reached"
	}
	return ""
}

// Duplicate reports whether the error is the violation of a primary key or a unique index.
func (Dialect) Duplicate(err error) bool { return code(err) == "23505" }

func code(err error) string {
	var e *pgconn.PgError
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

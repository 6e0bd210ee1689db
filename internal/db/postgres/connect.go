package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// A server that is cut off from the database without a word holds the locks of its transactions, and waits for answers itself, until one
// side notices. These are the bounds. A transaction of ours does nothing but talk to the database, so it is never idle for long.
const (
	idleTransactionMax = 10 * time.Second
	keepAliveIdle      = 10 * time.Second
	keepAliveInterval  = 5 * time.Second
	keepAliveCount     = 3
	unacknowledgedMax  = 30 * time.Second // of what we send, where the system supports it
)

// sessionSettings sets what neither the URL nor the server's configuration sets. Pools between us and PostgreSQL refuse most settings at
// the start of a connection, so this is a statement.
var sessionSettings = fmt.Sprintf(`SELECT set_config(s.name, v.value, false)
	FROM (VALUES ('idle_in_transaction_session_timeout', '%d'), ('tcp_keepalives_idle', '%d'),
		('tcp_keepalives_interval', '%d'), ('tcp_keepalives_count', '%d')) AS v(name, value)
	JOIN pg_settings s ON s.name = v.name WHERE s.source = 'default'`,
	idleTransactionMax.Milliseconds(), int(keepAliveIdle.Seconds()), int(keepAliveInterval.Seconds()), keepAliveCount)

// connect returns a pool for a postgres:// URL. It connects when it is used.
func connect(url string) (*sql.DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{
		Timeout: config.ConnectTimeout, Control: limitUnacknowledged,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount},
	}
	config.DialFunc = dialer.DialContext
	return stdlib.OpenDB(*config, stdlib.OptionAfterConnect(func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, sessionSettings)
		return err
	})), nil
}

// limitUnacknowledged ends a connection if what was sent on it is not acknowledged in time. By itself Linux tries for a quarter of an hour.
func limitUnacknowledged(network, _ string, c syscall.RawConn) (err error) {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	failed := c.Control(func(fd uintptr) { err = setUserTimeout(fd, unacknowledgedMax) })
	if failed != nil {
		return failed
	}
	return err
}

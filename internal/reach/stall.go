package reach

import (
	"context"
	"net"
	"time"
)

// Dial opens a connection, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// WithStallLimit returns a function that dials connections which fail if nothing moves on them for the given time. A server that
// answers slowly is waited for; one that has vanished without a word is not.
func WithStallLimit(dial Dial, limit time.Duration) Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &limitedConn{Conn: conn, limit: limit}, nil
	}
}

type limitedConn struct {
	net.Conn
	limit time.Duration
}

func (c *limitedConn) Read(p []byte) (int, error) { return c.bounded(p, c.Conn.Read) }

// Write also extends the deadline of a Read that is waiting: the transport always has one waiting for the next answer.
func (c *limitedConn) Write(p []byte) (int, error) { return c.bounded(p, c.Conn.Write) }

func (c *limitedConn) bounded(p []byte, do func([]byte) (int, error)) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.limit)); err != nil {
		return 0, err
	}
	return do(p)
}

package s3

import (
	"context"
	"net"
	"time"
)

// dialWithStallLimit returns a function that dials connections which fail if nothing moves on them for the given time. A server that
// answers slowly is waited for; one that has vanished without a word is not.
func dialWithStallLimit(limit time.Duration) func(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 15 * time.Second}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dialer.DialContext(ctx, network, address)
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

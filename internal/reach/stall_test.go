package reach_test

import (
	"net"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/reach"
)

func TestAConnectionOnWhichNothingMovesFails(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	conn, err := reach.WithStallLimit((&net.Dialer{}).DialContext, 200*time.Millisecond)(t.Context(), "tcp", listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	server, err := listener.Accept()
	require.NoError(t, err)
	defer server.Close()

	failed := make(chan error, 1)
	go func() {
		_, err := conn.Read(make([]byte, 1))
		failed <- err
	}()
	for range 10 { // what is written keeps the reader waiting
		time.Sleep(50 * time.Millisecond)
		_, err := conn.Write([]byte("x"))
		require.NoError(t, err)
	}
	require.Empty(t, failed)
	require.ErrorIs(t, <-failed, os.ErrDeadlineExceeded)
}

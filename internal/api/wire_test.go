package api_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wire sends text unchanged over its own connection and returns the first response.
func wire(t *testing.T, h *house, sent string) answer {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.DisableGeneralOptionsHandler = true // as in app
	server.Start()
	t.Cleanup(server.Close)
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(20*time.Second)))
	_, err = io.WriteString(c, sent)
	require.NoError(t, err)
	got, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	body, err := io.ReadAll(got.Body)
	require.NoError(t, err)
	return answer{got.StatusCode, got.Header, body}
}

func head(h *house, size int, more string) string {
	return fmt.Sprintf("POST %s/exports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\n%s\r\n", base, h.writer, size, more)
}

func TestABodyDeclaredTooLargeIsRefusedBeforeItIsSent(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	a := wire(t, h, head(h, 1<<20+1, "Expect: 100-continue\r\n"))
	require.Equal(t, http.StatusRequestEntityTooLarge, a.status, "without a 100 Continue before it")
	require.Equal(t, "PAYLOAD_TOO_LARGE", a.code(t))
	require.Equal(t, http.StatusRequestEntityTooLarge, wire(t, h, head(h, 1<<30, "")).status)
}

func TestABodyThatNeverEndsTimesOut(t *testing.T) {
	t.Parallel()
	h := stocked(t, 5, settings{body: 50 * time.Millisecond})
	a := wire(t, h, head(h, 100, "")+`{"name": "x", `)
	require.Equal(t, http.StatusRequestTimeout, a.status)
	require.Equal(t, "REQUEST_TIMEOUT", a.code(t))
	require.Contains(t, a.failure(t).Message, "within 50ms")
	require.Zero(t, exportsMade(t, h))

	whole := `{"name": "x", "search_filters": {}}`
	require.Equal(t, http.StatusCreated, wire(t, h, head(h, len(whole), "")+whole).status)
}

func TestOptionsOfTheWholeServerGetsTheErrorBody(t *testing.T) {
	t.Parallel()
	a := wire(t, open(t, settings{}), "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n")
	require.Equal(t, http.StatusNotFound, a.status)
	require.Equal(t, "NOT_FOUND", a.code(t))
}

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db/dbtest"
)

// hangUp sends the request with its key and closes the connection after pause.
func (c *client) hangUp(t *testing.T, key, body string, pause time.Duration) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.base, "http://"))
	require.NoError(t, err)
	_, err = fmt.Fprintf(conn, "POST /api/v1/exports HTTP/1.1\r\nHost: capi\r\nAuthorization: Bearer %s\r\n"+
		"Content-Type: application/json\r\nIdempotency-Key: %s\r\nContent-Length: %d\r\n\r\n%s", c.token, key, len(body), body)
	require.NoError(t, err)
	time.Sleep(pause)
	require.NoError(t, conn.Close())
}

// retry sends the request with its key until the answer is not that the first attempt is still in flight.
func (c *client) retry(t *testing.T, key, body string) []byte {
	t.Helper()
	for {
		r, err := http.NewRequest(http.MethodPost, c.base+"/api/v1/exports", strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+c.token)
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", key)
		answer, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		p, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		if answer.StatusCode != http.StatusConflict {
			require.Equal(t, http.StatusCreated, answer.StatusCode, "%s", p)
			return p
		}
		require.Contains(t, string(p), "REQUEST_IN_FLIGHT")
		time.Sleep(tick)
	}
}

func TestAClientThatDropsItsConnectionAndRetriesIsChargedOnceAndGetsItsFile(t *testing.T) {
	t.Parallel()
	for _, database := range []string{"sqlite", "postgres"} {
		t.Run(database, func(t *testing.T) {
			t.Parallel()
			const attempts, size = 20, 50
			var settings []string
			if database == "postgres" {
				settings = append(settings, "CAPI_DB="+dbtest.PostgresURL(t))
			}
			s := newFixture(t, attempts*size, settings...)
			s.load(t, companies(0, attempts*size, nil))
			c := s.client(s.serve(t))
			for i := range attempts {
				key := fmt.Sprint("drop-", i)
				body := fmt.Sprintf(`{"name":"drop %d","search_filters":{"employee_count_min":%d,"employee_count_max":%d}}`,
					i, i*size, i*size+size-1)
				c.hangUp(t, key, body, time.Duration(i)*time.Millisecond)
				answer := c.retry(t, key, body)
				require.Equal(t, answer, c.retry(t, key, body), "the same answer, byte for byte")
				var v created
				require.NoError(t, json.Unmarshal(answer, &v))
				export := v.Job.ID
				c.wait(t, export)
				require.Len(t, rows(t, c.file(t, export)), size)
				require.Equal(t, (attempts-i-1)*size, c.credits(t).Balance, "charged once")
			}
			var exports struct{ Items []any }
			c.must(t, http.StatusOK, "GET", "/exports?limit=100", nil, &exports)
			require.Len(t, exports.Items, attempts)
			s.requireHealthy(t)
		})
	}
}

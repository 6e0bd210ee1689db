package api_test

import (
	"encoding/csv"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
)

// keyed sends a request with an Idempotency-Key, or without one if key is empty.
func (h *house) keyed(t testing.TB, token, key, path string, body any) answer {
	t.Helper()
	return h.raw(t, h.keyedRequest(t, token, key, path, body))
}

func (h *house) keyedRequest(t testing.TB, token, key, path string, body any) *http.Request {
	t.Helper()
	r := h.request(t, token, "POST", base+path, body)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	return r
}

func requireReplay(t testing.TB, first, second answer) {
	t.Helper()
	require.Equal(t, first.status, second.status, "%s", second.body)
	require.Equal(t, string(first.body), string(second.body))
	require.Equal(t, first.header.Get("Content-Type"), second.header.Get("Content-Type"))
	require.Empty(t, first.header.Get("Idempotency-Replayed"))
	require.Equal(t, "true", second.header.Get("Idempotency-Replayed"))
}

var everything = M{"name": "everything", "search_filters": M{}}

func TestARetryWithItsKeyReturnsTheFirstResponseByteForByte(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := stocked(t, 20, settings{db: d})
		list := newList(t, h, "a list")
		for _, c := range []struct{ path, body, respelt string }{
			{
				"/exports", `{"name":"all","search_filters":{"employee_count_min":0}}`,
				` { "search_filters" : {"employee_count_min":0}, "name" : "all" }`,
			},
			{
				"/exports/quote", `{"search_filters":{},"limit":5}`, `{"limit":5,"search_filters":{}}`,
			},
			{"/lists", `{"name":"another"}`, `{"name": "another"}`},
			{"/lists/" + list + "/companies", `{"search_filters":{},"domains":["nobody.test"]}`, `{"domains":["nobody.test"],"search_filters":{}}`},
		} {
			t.Run(c.path, func(t *testing.T) {
				first := h.keyed(t, h.writer, "key "+c.path, c.path, c.body)
				require.Less(t, first.status, 300, "%s", first.body)
				for _, body := range []string{c.body, c.body, c.respelt} {
					requireReplay(t, first, h.keyed(t, h.writer, "key "+c.path, c.path, body))
				}
			})
		}
		require.Equal(t, 1, exportsMade(t, h))
		require.Len(t, get[struct{ Items []M }](t, h, h.reader, 200, "GET", "/lists", nil).Items, 2)
	})
}

func TestAReplayIsTheFirstResponseWhateverChangedSince(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{})
	h.work(t)
	list := newList(t, h, "a list")
	grown := h.keyed(t, h.writer, "grow", "/lists/"+list+"/companies", M{"search_filters": M{}})
	bought := h.keyed(t, h.writer, "buy", "/exports", everything)
	var made created
	bought.into(t, &made)
	require.Equal(t, "completed", finish(t, h, made.ExportJob.ID)["status"])
	require.Equal(t, http.StatusNoContent, h.send(t, h.writer, "DELETE", "/lists/"+list, nil).status)
	h.put(t, madeUp("A Newcomer", "Peru", 1))

	requireReplay(t, grown, h.keyed(t, h.writer, "grow", "/lists/"+list+"/companies", M{"search_filters": M{}}))
	requireReplay(t, bought, h.keyed(t, h.writer, "buy", "/exports", everything))
	require.Equal(t, 980, balance(t, h))
}

func TestAKeyUsedForAnotherRequestIsRefused(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{})
	one, other := newList(t, h, "one"), newList(t, h, "other")
	members := M{"search_filters": M{}}
	require.Equal(t, http.StatusCreated, h.keyed(t, h.writer, "k", "/exports", everything).status)
	require.Equal(t, http.StatusOK, h.keyed(t, h.writer, "l", "/lists/"+one+"/companies", members).status)
	for name, a := range map[string]answer{
		"another body":      h.keyed(t, h.writer, "k", "/exports", M{"name": "all", "search_filters": M{}}),
		"another operation": h.keyed(t, h.writer, "k", "/lists", M{"name": "all"}),
		"another list":      h.keyed(t, h.writer, "l", "/lists/"+other+"/companies", members),
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, http.StatusUnprocessableEntity, a.status, name)
			require.Equal(t, "IDEMPOTENCY_KEY_REUSED", a.code(t), name)
			require.Empty(t, a.header.Get("Idempotency-Replayed"), name)
		})
	}
	require.Equal(t, 1, exportsMade(t, h))
	require.Zero(t, get[listed](t, h, h.reader, 200, "GET", "/lists/"+other, nil).CompanyCount)
}

func TestAKeyBelongsToTheTokensWorkspace(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{})
	first := h.keyed(t, h.writer, "k", "/exports", everything)
	colleague := h.token(t, h.ws, auth.ReadWrite)
	requireReplay(t, first, h.keyed(t, colleague, "k", "/exports", everything))

	stranger := h.token(t, h.workspace(t, 1000), auth.ReadWrite)
	theirs := h.keyed(t, stranger, "k", "/exports", everything)
	require.Equal(t, http.StatusCreated, theirs.status)
	require.NotEqual(t, string(first.body), string(theirs.body))
	require.Empty(t, theirs.header.Get("Idempotency-Replayed"))
	require.Equal(t, http.StatusCreated, h.keyed(t, stranger, "k2", "/exports", M{"name": "x", "search_filters": M{}}).status)
}

func TestAReplayRequiresTokenAndScope(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{limits: "exports.create=2/min"})
	require.Equal(t, http.StatusCreated, h.keyed(t, h.writer, "k", "/exports", everything).status)
	require.Equal(t, "MISSING_AUTH_HEADER", h.keyed(t, "", "k", "/exports", everything).code(t))
	require.Equal(t, "INSUFFICIENT_SCOPE", h.keyed(t, h.reader, "k", "/exports", everything).code(t))
	require.Equal(t, "VALIDATION_ERROR", h.keyed(t, h.writer, "k", "/exports", "{broken").code(t))
	require.Equal(t, "RATE_LIMITED", h.keyed(t, h.writer, "k", "/exports", everything).code(t))
}

func TestARetryAfterA402RunsAgain(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{})
	poor := h.workspace(t, 19)
	token := h.token(t, poor, auth.ReadWrite)
	for range 2 {
		a := h.keyed(t, token, "k", "/exports", everything)
		require.Equal(t, "insufficient_balance", a.code(t))
		require.Empty(t, a.header.Get("Idempotency-Replayed"))
	}
	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := h.credits.Grant(t.Context(), tx, poor, credit.Grant{Amount: 1})
		return err
	}))
	first := h.keyed(t, token, "k", "/exports", everything)
	require.Equal(t, http.StatusCreated, first.status)
	requireReplay(t, first, h.keyed(t, token, "k", "/exports", everything))
}

// blocked occupies the database's writer, so that writing requests stay in flight until the returned function is called.
func blocked(t *testing.T, d *db.DB) (release func()) {
	t.Helper()
	held, let, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- d.Tx(t.Context(), func(*db.Tx) error {
			close(held)
			<-let
			return nil
		})
	}()
	<-held
	return func() {
		close(let)
		require.NoError(t, <-done)
	}
}

// atOnce sends the requests concurrently and returns their responses in the order of arrival.
func (h *house) atOnce(requests ...*http.Request) <-chan answer {
	answers := make(chan answer, len(requests))
	for _, r := range requests {
		go func() {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			answers <- answer{w.Code, w.Header(), w.Body.Bytes()}
		}()
	}
	return answers
}

func TestAnIdenticalRequestInFlightIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ keys, bodies [2]string }{
		"with one key":  {[2]string{"k", "k"}, [2]string{`{"name":"x","search_filters":{}}`, `{"search_filters":{}, "name":"x"}`}},
		"without a key": {bodies: [2]string{`{"name":"x","search_filters":{}}`, `{"name":"x","search_filters":{}}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := stocked(t, 20, settings{})
			release := blocked(t, h.db)
			first := h.keyedRequest(t, h.writer, c.keys[0], "/exports", c.bodies[0])
			answers := h.atOnce(first, h.keyedRequest(t, h.writer, c.keys[1], "/exports", c.bodies[1]))
			refused := <-answers // the second one; the first waits for the database
			conform(t, first, refused)
			require.Equal(t, http.StatusConflict, refused.status)
			require.Equal(t, "REQUEST_IN_FLIGHT", refused.code(t))
			release()
			require.Equal(t, http.StatusCreated, (<-answers).status)
			require.Equal(t, 1, exportsMade(t, h))
			require.Equal(t, 980, balance(t, h))
		})
	}
}

func TestWithoutAKeyOnlyIdenticalRequestsInFlightAreRefused(t *testing.T) {
	t.Parallel()
	h := stocked(t, 20, settings{})
	colleague := h.token(t, h.ws, auth.ReadWrite)
	release := blocked(t, h.db)
	answers := h.atOnce(
		h.keyedRequest(t, h.writer, "", "/exports", M{"name": "x", "search_filters": M{}}),
		h.keyedRequest(t, h.writer, "", "/exports", M{"name": "y", "search_filters": M{}}),
		h.keyedRequest(t, colleague, "", "/exports", M{"name": "x", "search_filters": M{}}))
	release()
	for range 3 {
		require.Equal(t, http.StatusCreated, (<-answers).status)
	}
	for range 2 { // sequential requests are all wanted
		require.Equal(t, http.StatusCreated, h.keyed(t, h.writer, "", "/exports", everything).status)
	}
	require.Equal(t, 5, exportsMade(t, h))
}

func TestInvalidKeysAreRefused(t *testing.T) {
	t.Parallel()
	h := stocked(t, 5, settings{})
	for _, key := range []string{"", strings.Repeat("k", 256), "ключ", "tab\tbed"} {
		r := h.keyedRequest(t, h.writer, "", "/exports", everything)
		r.Header["Idempotency-Key"] = []string{key}
		a := h.raw(t, r)
		require.Contains(t, a.fields(t), "Idempotency-Key", key)
	}
	twice := h.keyedRequest(t, h.writer, "a", "/exports", M{"nam": "x"})
	twice.Header.Add("Idempotency-Key", "b")
	errs := h.raw(t, twice).fields(t)
	require.Equal(t, "is given more than once", errs["Idempotency-Key"])
	require.Contains(t, errs, "nam", "every error is reported at once")
	require.Zero(t, exportsMade(t, h))

	for _, key := range []string{"k", strings.Repeat("k", 255), `"8e03978e-40d5-43dd-bc93-6894a57f9324"`, "a key, with spaces!"} {
		require.Equal(t, http.StatusCreated, h.keyed(t, h.writer, key, "/exports", M{"name": key[:1], "search_filters": M{}}).status)
	}
}

// crashing simulates a process that crashes when it starts to respond.
type crashing struct{ *httptest.ResponseRecorder }

func (crashing) WriteHeader(int) { panic(http.ErrAbortHandler) }

func TestARetryAfterACrashBetweenCommitAndResponseReturnsTheResponse(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := stocked(t, 20, settings{db: d})
		func() {
			defer func() { require.NotNil(t, recover()) }()
			h.ServeHTTP(crashing{httptest.NewRecorder()}, h.keyedRequest(t, h.writer, "k", "/exports", everything))
		}()
		next := open(t, settings{db: d}) // the next process
		a := next.keyed(t, h.writer, "k", "/exports", everything)
		require.Equal(t, http.StatusCreated, a.status)
		require.Equal(t, "true", a.header.Get("Idempotency-Replayed"))
		var made created
		a.into(t, &made)
		require.Equal(t, 20, made.CreditsCharged)
		require.Equal(t, 980, balance(t, h))
		require.Equal(t, 1, exportsMade(t, h))
	})
}

// A client can lose its connection at any moment between the last byte sent and the response.
func TestARetryAfterADroppedConnectionIsChargedOnceAndGetsTheFile(t *testing.T) {
	t.Parallel()
	const drops, stock = 12, 40
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := stocked(t, stock, settings{db: d})
		h.work(t)
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		for i := range drops {
			ws := h.workspace(t, 100)
			h.ws, h.writer, h.reader = ws, h.token(t, ws, auth.ReadWrite), h.token(t, ws, auth.Read)
			const body = `{"name":"dropped","search_filters":{}}`
			sendAndDrop(t, server, h.writer, body, time.Duration(i)*500*time.Microsecond)

			made := retry(t, server, h.writer, body)
			require.Equal(t, stock, made.CreditsCharged)
			require.Equal(t, 100-stock, balance(t, h))
			require.Equal(t, 1, exportsMade(t, h))
			require.Equal(t, "completed", finish(t, h, made.ExportJob.ID)["status"])
			rows, err := csv.NewReader(strings.NewReader(string(download(t, h, made.ExportJob.ID).body))).ReadAll()
			require.NoError(t, err)
			require.Len(t, rows, 1+stock)
		}
	})
}

const droppedKey = "dropped-1"

func sendAndDrop(t *testing.T, server *httptest.Server, token, body string, after time.Duration) {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	require.NoError(t, err)
	_, err = fmt.Fprintf(conn, "POST %s/exports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nIdempotency-Key: %s\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", base, token, droppedKey, len(body), body)
	require.NoError(t, err)
	time.Sleep(after) // the test varies the moment of the drop
	require.NoError(t, conn.Close())
}

// retry repeats the request until the status is not 409.
func retry(t *testing.T, server *httptest.Server, token, body string) created {
	t.Helper()
	for {
		r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+base+"/exports", strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Idempotency-Key", droppedKey)
		r.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		p, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		if resp.StatusCode == http.StatusConflict {
			continue
		}
		require.Equal(t, http.StatusCreated, resp.StatusCode, "%s", p)
		var made created
		answer{resp.StatusCode, resp.Header, p}.into(t, &made)
		return made
	}
}

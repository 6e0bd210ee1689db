package api_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/api"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

// operations returns every documented operation, with its path parameters filled in.
func operations(t *testing.T) []struct{ method, path, scope string } {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(api.OpenAPI())
	require.NoError(t, err)
	var all []struct{ method, path, scope string }
	for template, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			path := template
			for _, p := range op.Parameters {
				if p.Value.In == "path" {
					path = strings.ReplaceAll(path, "{"+p.Value.Name+"}", uuid.NewString())
				}
			}
			scope := "read"
			if strings.Contains(op.Description, "scope `read_write`") {
				scope = "read_write"
			}
			all = append(all, struct{ method, path, scope string }{method, path, scope})
		}
	}
	require.NotEmpty(t, all)
	return all
}

func TestARequestWithoutAValidTokenRevealsNothingElse(t *testing.T) {
	t.Parallel()
	h := open(t, settings{limits: "exports.create=1/min"})
	for _, op := range operations(t) {
		for range 3 { // neither a broken body nor the rate limit is revealed
			a := h.send(t, "", op.method, op.path+"?nonsense=1", "{broken")
			require.Equal(t, http.StatusUnauthorized, a.status, op)
			require.Equal(t, "MISSING_AUTH_HEADER", a.code(t))
			require.Equal(t, "Bearer", a.header.Get("WWW-Authenticate"))
			require.Empty(t, a.header.Get("RateLimit-Limit"))
		}
	}
}

func TestAReadTokenCannotWrite(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	for _, op := range operations(t) {
		a := h.send(t, h.reader, op.method, op.path, "{broken")
		if op.scope == "read" {
			require.NotContains(t, string(a.body), "INSUFFICIENT_SCOPE", op)
			continue
		}
		require.Equal(t, http.StatusForbidden, a.status, op)
		f := a.failure(t)
		require.Equal(t, "INSUFFICIENT_SCOPE", f.Code)
		require.Equal(t, M{"token_scope": "read", "required": "read_write"}, f.Details)
	}
}

func TestEveryTokenFailureHasItsOwnCode(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	past := time.Now().Add(-time.Hour)
	create := func(n token.NewToken) (string, id.Token) {
		n.Name, n.Scope = "x", auth.ReadWrite
		secret, token, err := h.tokens.Create(t.Context(), n)
		require.NoError(t, err)
		return "Bearer " + secret, token.ID
	}
	revoked, revokedID := create(token.NewToken{Workspace: h.ws})
	require.Equal(t, http.StatusOK, h.send(t, strings.TrimPrefix(revoked, "Bearer "), "GET", "/credits", nil).status)
	require.NoError(t, h.tokens.Revoke(t.Context(), revokedID))
	expired, _ := create(token.NewToken{Workspace: h.ws, ExpiresAt: &past})
	legacy, _ := create(token.NewToken{})
	ada := id.New[id.Person]()
	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
		return h.spaces.AddMember(t.Context(), tx, h.ws, ada, workspace.Member)
	}))
	orphan, _ := create(token.NewToken{Workspace: h.ws, Owner: ada})
	require.NoError(t, h.spaces.Leave(t.Context(), h.ws, ada))

	for header, code := range map[string]string{
		"":                               "MISSING_AUTH_HEADER",
		"Basic dXNlcjpwYXNz":             "INVALID_TOKEN_FORMAT",
		"Bearer sk_live_abcdef":          "INVALID_TOKEN_FORMAT",
		strings.Fields(revoked)[1]:       "INVALID_TOKEN_FORMAT",
		"Bearer cornect_your_token_here": "INVALID_TOKEN",
		revoked:                          "INVALID_TOKEN",
		expired:                          "TOKEN_EXPIRED",
		legacy:                           "TOKEN_NOT_WORKSPACE_BOUND",
		orphan:                           "NOT_WORKSPACE_MEMBER",
	} {
		t.Run(cmp.Or(header, "no header"), func(t *testing.T) {
			r := h.request(t, "", "GET", base+"/credits", nil)
			r.Header.Set("Authorization", header)
			a := h.raw(t, r)
			require.Equal(t, http.StatusUnauthorized, a.status)
			require.Equal(t, code, a.code(t), header)
		})
	}
}

func TestRateLimitHeadersSayWhatIsLeftAndWhenToRetry(t *testing.T) {
	t.Parallel()
	h := open(t, settings{limits: "credits.get=2/min"})
	for left := 1; left >= 0; left-- {
		a := h.send(t, h.reader, "GET", "/credits", nil)
		require.Equal(t, http.StatusOK, a.status)
		require.Equal(t, "2", a.header.Get("RateLimit-Limit"))
		require.Equal(t, strconv.Itoa(left), a.header.Get("RateLimit-Remaining"))
	}
	a := h.send(t, h.reader, "GET", "/credits", nil)
	require.Equal(t, http.StatusTooManyRequests, a.status)
	require.Equal(t, "RATE_LIMITED", a.code(t))
	wait, err := strconv.Atoi(a.header.Get("Retry-After"))
	require.NoError(t, err)
	require.True(t, 1 <= wait && wait <= 30, wait)
	require.Equal(t, "0", a.header.Get("RateLimit-Remaining"))
	require.Contains(t, a.failure(t).Message, "The limit is 2 requests a minute")

	require.Equal(t, http.StatusOK, h.send(t, h.writer, "GET", "/credits", nil).status, "another token has its own bucket")
	require.Equal(t, http.StatusOK, h.send(t, h.reader, "GET", "/lists", nil).status, "another endpoint has its own bucket")
}

func TestARateLimitedExportIsRefusedBeforeItsBodyIsRead(t *testing.T) {
	t.Parallel()
	h := stocked(t, 10, settings{limits: "companies.search=off"})
	for range 5 {
		require.Equal(t, 422, h.send(t, h.writer, "POST", "/exports", M{}).status)
	}
	require.Equal(t, "RATE_LIMITED", h.send(t, h.writer, "POST", "/exports", "{broken").code(t))
}

func TestUnknownPathsAndMethodsGetTheErrorBody(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	for _, path := range []string{
		"/", "/nothing", base, base + "/", base + "/export", base + "/exports/", base + "//exports", base + "/./exports",
		base + "/exports/../credits", "/api/v2/exports", base + "/Exports", base + "/exports%2Fquote",
	} {
		a := h.raw(t, h.request(t, h.writer, "GET", path, nil))
		require.Equal(t, http.StatusNotFound, a.status, path)
		require.Equal(t, "NOT_FOUND", a.code(t))
		require.Equal(t, "application/json", a.header.Get("Content-Type"))
	}
	for path, allow := range map[string]string{
		"/exports": "GET, HEAD, POST", "/companies/search": "POST", "/exports/quote": "POST", "/credits": "GET, HEAD",
		"/lists/" + uuid.NewString(): "DELETE, GET, HEAD, PATCH",
	} {
		t.Run(path, func(t *testing.T) {
			a := h.send(t, h.writer, "PUT", path, M{})
			require.Equal(t, http.StatusMethodNotAllowed, a.status, path)
			require.Equal(t, "METHOD_NOT_ALLOWED", a.code(t))
			require.Equal(t, allow, a.header.Get("Allow"))
		})
	}
	for _, path := range []string{"/companies/search", "/exports/quote"} {
		for _, method := range []string{"GET", "HEAD", "DELETE", "OPTIONS"} {
			a := h.send(t, h.reader, method, path, nil)
			require.Equal(t, http.StatusMethodNotAllowed, a.status, "%s %s", method, path)
			require.Equal(t, "POST", a.header.Get("Allow"))
		}
	}
	a := h.raw(t, h.request(t, "", "GET", "/"+strings.Repeat("x", 5000), nil))
	require.Equal(t, "NOT_FOUND", a.code(t))
	require.Less(t, len(a.body), 400, "a response does not repeat the whole input")
}

func TestSeveralAuthorizationHeadersAreRefused(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	for _, more := range []string{"Bearer " + h.reader, "Basic eDp5", ""} {
		r := h.request(t, h.reader, "GET", base+"/credits", nil)
		r.Header.Add("Authorization", more)
		a := h.raw(t, r)
		require.Equal(t, http.StatusUnauthorized, a.status)
		require.Equal(t, "INVALID_TOKEN_FORMAT", a.code(t))
	}
}

func TestBodiesMustBeJSONOfAtMostOneMebibyte(t *testing.T) {
	t.Parallel()
	h := stocked(t, 10, settings{})
	padded := func(size int) string { return "{" + strings.Repeat(" ", size-2) + "}" }
	require.Equal(t, http.StatusOK, h.send(t, h.reader, "POST", "/companies/search", padded(1<<20)).status)
	a := h.send(t, h.reader, "POST", "/companies/search", padded(1<<20+1))
	require.Equal(t, http.StatusRequestEntityTooLarge, a.status)
	require.Equal(t, "PAYLOAD_TOO_LARGE", a.code(t))

	for header, status := range map[string]int{
		"application/json": 200, "application/json; charset=utf-8": 200, "Application/JSON;charset=UTF-8": 200, "": 200,
		"text/plain": 415, "application/x-www-form-urlencoded": 415, "application/json; charset=latin1": 415,
		"multipart/form-data; boundary=x": 415, "nonsense;;": 415,
	} {
		t.Run(cmp.Or(header, "no media type"), func(t *testing.T) {
			r := h.request(t, h.reader, "POST", base+"/companies/search", M{})
			r.Header.Set("Content-Type", header)
			a := h.raw(t, r)
			require.Equal(t, status, a.status, header)
			if status != 200 {
				require.Equal(t, "UNSUPPORTED_MEDIA_TYPE", a.code(t))
			}
		})
	}
	r := h.request(t, h.reader, "POST", base+"/companies/search", M{})
	r.Header.Set("Content-Encoding", "gzip")
	require.Equal(t, http.StatusUnsupportedMediaType, h.raw(t, r).status)
	require.Equal(t, http.StatusOK, h.send(t, h.reader, "POST", "/companies/search", nil).status, "no body means no filter")
	require.Equal(t, http.StatusOK, h.send(t, h.reader, "POST", "/companies/search", "\xef\xbb\xbf{}").status)
}

func TestInternalErrorsShowOnlyARequestID(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := open(t, settings{log: &log, mounts: map[string]http.Handler{
		"/panics": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("the secret is 42") }),
		"/half": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("half an answer"))
			panic("torn")
		}),
	}})
	r := h.request(t, "", "GET", "/panics", nil)
	r.Header.Set("X-Request-Id", "from-the-client:1")
	a := h.raw(t, r)
	require.Equal(t, http.StatusInternalServerError, a.status)
	f := a.failure(t)
	require.Equal(t, "INTERNAL", f.Code)
	require.Equal(t, M{"request_id": "from-the-client:1"}, f.Details)
	require.NotContains(t, string(a.body), "secret")
	require.Contains(t, log.String(), "the secret is 42")

	func() {
		defer func() {
			cause, _ := recover().(error)
			require.ErrorIs(t, cause, http.ErrAbortHandler, "a truncated response must not look complete")
		}()
		h.raw(t, h.request(t, "", "GET", "/half", nil))
	}()

	require.NoError(t, h.db.Close())
	a = h.send(t, h.reader, "GET", "/credits", nil)
	require.Equal(t, "INTERNAL", a.code(t))
	require.NotContains(t, string(a.body), "sql")
	require.Equal(t, a.header.Get("X-Request-Id"), a.failure(t).Details["request_id"])
}

func TestEachRequestIsLoggedOnOneLineWithoutSecrets(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	h := open(t, settings{log: &log})
	h.send(t, h.writer, "GET", "/exports?cursor=zzz", nil)
	h.send(t, h.reader, "POST", "/exports", M{"name": "a secret name"})
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 2)
	var line M
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &line))
	require.Equal(t, "request", line["msg"])
	for key, want := range map[string]any{
		"method": "POST", "path": base + "/exports", "status": 403.0, "code": "INSUFFICIENT_SCOPE",
		"operation": "createExport", "workspace_id": h.ws.String(),
	} {
		require.Equal(t, want, line[key], key)
	}
	require.NotEmpty(t, line["request_id"])
	for _, secret := range []string{h.writer, h.reader, "secret name", "zzz"} {
		require.NotContains(t, log.String(), secret)
	}
}

func TestValidRequestIDsOfClientsAreKept(t *testing.T) {
	t.Parallel()
	h := open(t, settings{})
	for given, taken := range map[string]bool{
		"abc-123": true, "a b": false, "\"quoted\"": false, strings.Repeat("x", 200): false, "": false, "zeile\n2": false,
	} {
		t.Run(cmp.Or(given, "empty"), func(t *testing.T) {
			r := h.request(t, h.reader, "GET", base+"/credits", nil)
			r.Header.Set("X-Request-Id", given)
			require.Equal(t, taken, given == h.raw(t, r).header.Get("X-Request-Id"), given)
		})
	}
}

func TestLongResponsesAreCompressedOnRequest(t *testing.T) {
	t.Parallel()
	h := stocked(t, 60, settings{})
	r := h.request(t, h.reader, "POST", base+"/companies/search", M{})
	r.Header.Set("Accept-Encoding", "gzip")
	require.Equal(t, "gzip", h.raw(t, r).header.Get("Content-Encoding"))
	require.Empty(t, h.send(t, h.reader, "POST", "/companies/search", M{}).header.Get("Content-Encoding"))
}

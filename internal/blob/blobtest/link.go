package blobtest

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/blob"
)

func sign(t *testing.T, h Harness, key string, link blob.Link) string {
	t.Helper()
	if link.ExpiresAt.IsZero() {
		link.ExpiresAt = time.Now().Add(time.Hour)
	}
	if link.ContentType == "" {
		link.ContentType = "text/csv; charset=utf-8"
	}
	u, err := h.Store.SignedURL(t.Context(), key, link)
	require.NoError(t, err)
	return u
}

// answer is a response whose body has been read.
type answer struct {
	StatusCode    int
	Header        http.Header
	ContentLength int64
}

func get(t *testing.T, h Harness, link string, header ...string) (answer, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := h.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, resp.Header, resp.ContentLength}, string(body)
}

func refused(t *testing.T, h Harness, link string) {
	t.Helper()
	resp, body := get(t, h, link)
	require.GreaterOrEqual(t, resp.StatusCode, 400, link)
	require.Less(t, resp.StatusCode, 500, link)
	require.NotContains(t, body, "secret", link)
}

func linkGives(t *testing.T, h Harness) {
	put(t, h, "exports/w/e.csv", "id,name\r\n")
	resp, body := get(t, h, sign(t, h, "exports/w/e.csv", blob.Link{FileName: "us-fintech.csv"}))
	require.Equal(t, http.StatusOK, resp.StatusCode)
	require.Equal(t, "id,name\r\n", body)
	require.Equal(t, "text/csv; charset=utf-8", resp.Header.Get("Content-Type"))
	require.Equal(t, int64(9), resp.ContentLength)
}

func linkRanges(t *testing.T, h Harness) {
	put(t, h, "k", "0123456789")
	link := sign(t, h, "k", blob.Link{})
	resp, body := get(t, h, link, "Range", "bytes=2-4")
	require.Equal(t, http.StatusPartialContent, resp.StatusCode)
	require.Equal(t, "234", body)
	require.Equal(t, "bytes 2-4/10", resp.Header.Get("Content-Range"))
	resp, body = get(t, h, link, "Range", "bytes=-3")
	require.Equal(t, http.StatusPartialContent, resp.StatusCode)
	require.Equal(t, "789", body)
	resp, _ = get(t, h, link, "Range", "bytes=99-")
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, resp.StatusCode)
}

func linkNames(t *testing.T, h Harness) {
	put(t, h, "k", "x")
	for _, name := range []string{
		"plain.csv", "with space.csv", "zürich-übersicht.csv", "日本-企業.json", "it's 100% \"quoted\".csv", "a;b,c=d.csv", "кафе.csv",
	} {
		resp, _ := get(t, h, sign(t, h, "k", blob.Link{FileName: name}))
		require.Equal(t, http.StatusOK, resp.StatusCode)
		kind, params, err := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
		require.NoError(t, err, resp.Header.Get("Content-Disposition"))
		require.Equal(t, "attachment", kind)
		require.Equal(t, name, params["filename"])
	}
	resp, _ := get(t, h, sign(t, h, "k", blob.Link{FileName: "evil\r\nSet-Cookie: a=b.csv"}))
	require.Empty(t, resp.Header.Get("Set-Cookie"))
}

func linkTampered(t *testing.T, h Harness) {
	put(t, h, "k", "secret")
	link := sign(t, h, "k", blob.Link{FileName: "a.csv"})
	u, err := url.Parse(link)
	require.NoError(t, err)
	for param, values := range u.Query() {
		for _, value := range []string{values[0] + "1", strings.ToUpper(values[0]) + "x", ""} {
			q := u.Query()
			q.Set(param, value)
			changed := *u
			changed.RawQuery = q.Encode()
			refused(t, h, changed.String())
		}
		q := u.Query()
		q.Del(param)
		changed := *u
		changed.RawQuery = q.Encode()
		refused(t, h, changed.String())
	}
}

func linkExpired(t *testing.T, h Harness) {
	put(t, h, "k", "secret")
	refused(t, h, sign(t, h, "k", blob.Link{ExpiresAt: time.Now().Add(-time.Second)}))
}

func linkOtherKey(t *testing.T, h Harness) {
	put(t, h, "first", "open")
	put(t, h, "other", "secret")
	link := sign(t, h, "first", blob.Link{})
	refused(t, h, strings.Replace(link, "first", "other", 1))
	refused(t, h, strings.Replace(link, "first", "x/../other", 1))
}

func linkDeleted(t *testing.T, h Harness) {
	put(t, h, "k", "secret")
	link := sign(t, h, "k", blob.Link{})
	require.NoError(t, h.Store.Delete(t.Context(), "k"))
	refused(t, h, link)
}

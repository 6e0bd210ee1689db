package customer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// errLost means that the outcome of a request is unknown: there was no answer, or its status was 500 or higher, which means
// that the server does not know either.
var errLost = errors.New("no answer")

// answer is an answer that shows the outcome of the request.
type answer struct {
	status   int
	body     []byte
	replayed bool // from the header
}

func (a answer) ok() bool { return a.status < http.StatusMultipleChoices }

// code returns the error code, empty for a success.
func (a answer) code() string {
	var body struct {
		Detail struct {
			Code string
		}
	}
	if a.ok() || json.Unmarshal(a.body, &body) != nil {
		return ""
	}
	return body.Detail.Code
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, bytes.TrimSpace(a.body)) }

// into decodes the body of a success. Any other answer is an error.
func (a answer) into(v any) error {
	if !a.ok() {
		return fmt.Errorf("unexpected answer %s", a)
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		return fmt.Errorf("read answer %s: %w", a, err)
	}
	return nil
}

// apiRequest is a request to the API.
type apiRequest struct {
	method, path string // path below /api/v1
	key          string // Idempotency-Key
	body         []byte // nil for none
}

// call sends a request. The error is errLost if its outcome is unknown.
func (c *Customer) call(ctx context.Context, t *token, r apiRequest) (answer, error) {
	var body io.Reader
	if r.body != nil {
		body = bytes.NewReader(r.body)
	}
	out, err := http.NewRequestWithContext(ctx, r.method, "http://capi.test/api/v1"+r.path, body)
	if err != nil {
		return answer{}, err
	}
	out.Header.Set("Authorization", "Bearer "+t.Secret)
	if body != nil {
		out.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		out.Header.Set("Idempotency-Key", r.key)
	}
	return c.do(out)
}

func (c *Customer) do(out *http.Request) (answer, error) {
	in, err := c.Do(out)
	if err != nil {
		return answer{}, fmt.Errorf("%w to %s %s: %w", errLost, out.Method, out.URL.Path, err)
	}
	defer in.Body.Close()
	content, err := io.ReadAll(in.Body)
	if err != nil {
		return answer{}, fmt.Errorf("%w to %s %s: %w", errLost, out.Method, out.URL.Path, err)
	}
	a := answer{in.StatusCode, content, in.Header.Get("Idempotency-Replayed") == "true"}
	if a.status >= http.StatusInternalServerError {
		return answer{}, fmt.Errorf("%w to %s %s: %s", errLost, out.Method, out.URL.Path, a)
	}
	return a, nil
}

// get sends a GET with the customer's own token, which is never revoked.
func (c *Customer) get(ctx context.Context, path string, v any) error {
	a, err := c.call(ctx, c.own, apiRequest{method: http.MethodGet, path: path})
	if err != nil {
		return err
	}
	return a.into(v)
}

// pages reads all pages of a list.
func pages[T any](ctx context.Context, c *Customer, path string) (all []T, err error) {
	for cursor := ""; ; {
		var page struct {
			Items      []T     `json:"items"`
			NextCursor *string `json:"next_cursor"`
		}
		if err := c.get(ctx, path+"limit=100&cursor="+url.QueryEscape(cursor), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.NextCursor == nil {
			return all, nil
		}
		cursor = *page.NextCursor
	}
}

// fetch gets a link from an answer.
func (c *Customer) fetch(ctx context.Context, link string) ([]byte, error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, err
	}
	if c.Files == "" || u.Host != c.Files {
		u.Scheme, u.Host = "http", "capi.test"
	}
	out, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	a, err := c.do(out)
	if err == nil && a.status != http.StatusOK {
		err = fmt.Errorf("unexpected answer %s to %s", a, link)
	}
	return a.body, err
}

func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of strings and numbers can always be encoded
	}
	return b
}

// Package client is the Go client of the CAPI HTTP API, version 1. It needs only the standard library.
// It is not part of the server and shares no code with it.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Options are the settings of a Client.
type Options struct {
	// HTTP sends the requests. Defaults to http.DefaultClient.
	HTTP *http.Client
}

// Client sends requests with one token. It is safe for concurrent use.
type Client struct {
	base, token string
	http        *http.Client
}

// New returns a client of the server at base, such as http://localhost:8080, that authenticates with token.
func New(base, token string, o Options) *Client {
	c := &Client{base: strings.TrimSuffix(base, "/"), token: token, http: o.HTTP}
	if c.http == nil {
		c.http = http.DefaultClient
	}
	return c
}

// call sends in as JSON unless it is nil, and decodes the response into out unless that is nil. A response that is not a
// success is returned as an *Error.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	return c.send(ctx, method, path, "", in, out)
}

// create is call for a POST that creates or buys something. It sends a random Idempotency-Key, so that the request takes
// effect once even if the connection breaks: http.Transport retries a POST with such a key, and no other.
func (c *Client) create(ctx context.Context, path string, in, out any) error {
	return c.send(ctx, http.MethodPost, path, rand.Text(), in, out)
}

func (c *Client) send(ctx context.Context, method, path, key string, in, out any) error {
	var body io.Reader
	if in != nil {
		p, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
		body = bytes.NewReader(p)
	}
	r, err := newRequest(ctx, method, c.base+"/api/v1"+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		return errorOf(response)
	}
	if out == nil || response.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(response.Body).Decode(out); err != nil {
		return fmt.Errorf("read response to %s %s: %w", method, path, err)
	}
	return nil
}

func newRequest(ctx context.Context, method, url string, body io.Reader) (*http.Request, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	r.Header.Set("User-Agent", userAgent())
	return r, nil
}

// page returns the query string of a page, without the parameters that are zero.
func page(cursor string, limit int) string { return paged(url.Values{}, cursor, limit) }

// paged returns the query string of the parameters and a page.
func paged(q url.Values, cursor string, limit int) string {
	if cursor != "" {
		q.Set("cursor", cursor)
	}
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// Page is one page of a list. NextCursor is empty on the last page.
type Page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
}

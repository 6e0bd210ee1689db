// Package client speaks to the CAPI HTTP API, version 1.
// It knows nothing of how the server works.
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

// Client sends requests with one token. Safe for concurrent use.
type Client struct {
	base, token string
	http        *http.Client
}

// New makes a client of the server at base, such as http://localhost:8080, that speaks with token.
func New(base, token string, o Options) *Client {
	c := &Client{base: strings.TrimSuffix(base, "/"), token: token, http: o.HTTP}
	if c.http == nil {
		c.http = http.DefaultClient
	}
	return c
}

// call sends in as JSON, if it is not nil, and reads the answer into out, if that is not nil. An answer that is not a
// success is an *Error.
func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	return c.send(ctx, method, path, "", in, out)
}

// create is call for a POST that makes or buys something. A random Idempotency-Key goes with it, so that it happens once
// however often the connection breaks: http.Transport sends a request with a key again where it would give up otherwise.
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
	r, err := http.NewRequestWithContext(ctx, method, c.base+"/api/v1"+path, body)
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusMultipleChoices {
		return errorOf(answer)
	}
	if out == nil || answer.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		return fmt.Errorf("read answer of %s %s: %w", method, path, err)
	}
	return nil
}

// page is the query string of a page; the zero values are left out.
func page(cursor string, limit int) string { return paged(url.Values{}, cursor, limit) }

// paged adds what names a page to a query string.
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

// Page is one page of a list. NextCursor is empty at the end.
type Page[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
}

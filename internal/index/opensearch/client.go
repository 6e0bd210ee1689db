package opensearch

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/opensearch-project/opensearch-go/v4"

	"github.com/opencapi/capi/internal/fault"
)

// client sends requests to the cluster. Its errors are faults with the code IndexUnavailable if the cluster cannot answer now,
// and *refusal if it understood a request and refuses it.
type client struct {
	os      *opensearch.Client
	timeout time.Duration
	idle    func() // closes idle connections; nil if they are not the client's own
}

const (
	dialTimeout  = 2 * time.Second
	retries      = 2 // further attempts on other nodes, or on the same
	answerMax    = 512 << 20
	retrySeconds = 5 // after which a caller should try again while the cluster does not answer
)

// newClient returns a client, whose background work ends with ctx.
func newClient(ctx context.Context, o Options) (*client, error) {
	transport := o.Transport
	if transport == nil {
		made, err := transportOf(o)
		if err != nil {
			return nil, err
		}
		transport = made
	}
	os, err := opensearch.NewClient(opensearch.Config{
		Addresses: o.Addresses, Username: o.User, Password: o.Password, Transport: transport, MaxRetries: retries,
		RetryOnStatus:           []int{http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout},
		RetryBackoff:            func(attempt int) time.Duration { return time.Duration(attempt) * 100 * time.Millisecond },
		ResurrectTimeoutInitial: time.Second, ResurrectTimeoutMax: 5 * time.Second, // so that it recovers soon
		Context: ctx, HealthCheckMaxRetries: -1, MaxRetryClusterHealth: -1, // a user may not be allowed to ask for more than its index
	})
	if err != nil {
		return nil, fmt.Errorf("opensearch: %w", err)
	}
	c := &client{os: os, timeout: o.Timeout}
	if own, ok := transport.(*http.Transport); ok && o.Transport == nil {
		c.idle = own.CloseIdleConnections
	}
	return c, nil
}

// close closes the connections.
func (c *client) close() {
	if c.idle != nil {
		c.idle()
	}
}

// shared returns the client for use by another index, which does not close it.
func (c *client) shared() *client { return &client{os: c.os, timeout: c.timeout} }

func transportOf(o Options) (*http.Transport, error) {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: dialTimeout}).DialContext, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: 2 * dialTimeout, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the certificates to trust: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read the certificates to trust: %s has no certificate in PEM", o.CAFile)
		}
	}
	if o.CertFile != "" || o.KeyFile != "" {
		pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read the client certificate: %w", err)
		}
		t.TLSClientConfig.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// refusal is an answer that says what is wrong with a request.
type refusal struct {
	status       int
	lost         bool // the request may succeed with a new point in time
	Kind, Reason string
}

func (r *refusal) Error() string {
	return strings.TrimSpace(fmt.Sprintf("opensearch answers %d: %s: %s", r.status, r.Kind, r.Reason))
}

// isMissing reports whether the cluster said that something does not exist, such as an index or a point in time.
func isMissing(err error) bool {
	var r *refusal
	return errors.As(err, &r) && r.status == http.StatusNotFound
}

// unavailable is the error while the cluster does not answer, or not completely.
func unavailable(cause error) error {
	return fault.New(fault.IndexUnavailable, "The search index does not answer. Try again in %d s.", retrySeconds).
		With("retry_after", retrySeconds).Because(cause)
}

func isFault(err error) bool {
	var f *fault.Error
	return errors.As(err, &f)
}

// do sends a request, with the body as JSON unless it is a []byte, and decodes the answer into the result unless that is nil.
func (c *client) do(ctx context.Context, method, path string, body, result any) error {
	return c.within(ctx, c.timeout, method, path, body, result)
}

// write is do for requests that take longer than searches.
func (c *client) write(ctx context.Context, method, path string, body, result any) error {
	return c.within(ctx, 4*c.timeout, method, path, body, result)
}

func (c *client) within(parent context.Context, limit time.Duration, method, path string, body, result any) error {
	ctx, cancel := context.WithTimeout(parent, limit)
	defer cancel()
	sent, kind, err := encode(body)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, path, bytes.NewReader(sent))
	if err != nil {
		return fmt.Errorf("opensearch: %w", err)
	}
	if len(sent) > 0 {
		req.Header.Set("Content-Type", kind)
	} else {
		req.Body = nil
	}
	answer, err := c.os.Stream(req)
	if answer != nil {
		defer answer.Body.Close() // there may be an error, too
	}
	if err != nil {
		if parent.Err() != nil {
			return parent.Err()
		}
		return unavailable(fmt.Errorf("%s %s: %w", method, pathOf(path), err))
	}
	p, err := io.ReadAll(io.LimitReader(answer.Body, answerMax))
	if err != nil {
		if parent.Err() != nil {
			return parent.Err()
		}
		return unavailable(fmt.Errorf("%s %s: read the answer: %w", method, pathOf(path), err))
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		return refused(answer.StatusCode, p)
	}
	if result == nil {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(p))
	decoder.UseNumber()
	if err := decoder.Decode(result); err != nil {
		return unavailable(fmt.Errorf("%s %s: read the answer: %w", method, pathOf(path), err))
	}
	return nil
}

func encode(body any) (p []byte, contentType string, err error) {
	switch body := body.(type) {
	case nil:
		return nil, "", nil
	case []byte:
		return body, "application/x-ndjson", nil
	}
	p, err = json.Marshal(body)
	if err != nil {
		return nil, "", fmt.Errorf("opensearch: %w", err)
	}
	return p, "application/json", nil
}

// pathOf returns the path without its parameters, for messages.
func pathOf(path string) string {
	path, _, _ = strings.Cut(path, "?")
	return path
}

// refused returns the error for an answer with an error status.
func refused(status int, p []byte) error {
	r := &refusal{status: status}
	for _, sign := range []string{"search_context_missing_exception", "index_not_found_exception", "no_shard_available_action_exception", "node_not_connected_exception", "node_disconnected_exception", "index_closed_exception"} {
		r.lost = r.lost || bytes.Contains(p, []byte(sign))
	}
	var answer struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(p, &answer) == nil && len(answer.Error) > 0 {
		var detail struct {
			Type      string `json:"type"`
			Reason    string `json:"reason"`
			RootCause []struct {
				Type   string `json:"type"`
				Reason string `json:"reason"`
			} `json:"root_cause"`
		}
		if json.Unmarshal(answer.Error, &detail) == nil {
			r.Kind, r.Reason = detail.Type, detail.Reason
			if len(detail.RootCause) > 0 {
				r.Kind, r.Reason = detail.RootCause[0].Type, detail.RootCause[0].Reason
			}
		} else {
			r.Reason = string(answer.Error)
		}
	} else {
		r.Reason = string(p[:min(len(p), 200)])
	}
	if status == http.StatusTooManyRequests || status >= http.StatusInternalServerError {
		return unavailable(r)
	}
	return r
}

package api

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/signing"
)

const (
	// KeysPath is where the keys are published with which signatures are verified.
	KeysPath = "/.well-known/jwks.json"

	signatureHeader = "JWS-Signature"
)

// signed is embedded in a response whose bytes are signed.
type signed struct{}

func (signed) isSigned() {}

type signable interface{ isSigned() }

func signatureParam() *huma.Param {
	return &huma.Param{
		Description: "A detached JWS over the exact bytes of the body, before compression (RFC 7515, appendix F; algorithm EdDSA). Its key is in " +
			KeysPath + ".",
		Schema: &huma.Schema{Type: huma.TypeString},
	}
}

// writeSigned sends what write writes, as a whole, with its signature.
func (s *server) writeSigned(ctx context.Context, w http.ResponseWriter, write func(http.ResponseWriter) error) error {
	whole := &buffered{header: http.Header{}}
	if err := write(whole); err != nil {
		return err
	}
	signature, err := s.Signing.Sign(ctx, whole.body.Bytes())
	if err != nil {
		return fmt.Errorf("sign answer: %w", err)
	}
	maps.Copy(w.Header(), whole.header)
	w.Header().Set(signatureHeader, signature)
	w.WriteHeader(whole.status)
	_, _ = w.Write(whole.body.Bytes()) // if the client is gone, there is nobody to report to
	return nil
}

// buffered is a ResponseWriter that keeps the response.
type buffered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (b *buffered) Header() http.Header         { return b.header }
func (b *buffered) Write(p []byte) (int, error) { return b.body.Write(p) }
func (b *buffered) WriteHeader(status int)      { b.status = status }

// serveKeys publishes the keys. They are public, and readers may keep them for signing.CacheTime, because a new key is published for
// longer than that before it signs.
func (s *server) serveKeys(w http.ResponseWriter, r *http.Request) {
	keys, err := s.Signing.Published(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	body, err := httpx.Encode(keys)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/jwk-set+json")
	h.Set("Cache-Control", "public, max-age="+strconv.Itoa(int(signing.CacheTime/time.Second)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Access-Control-Allow-Origin", "*") // lets pages on other sites verify signatures
	_, _ = w.Write(body)
}

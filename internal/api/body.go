package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/fault"
)

// bodySizeBytesMax is the largest body that is read.
const bodySizeBytesMax = 1 << 20

// resolver is a body that checks more than its schema says and keeps what it found out. It is asked after the schema,
// with what was faulty left out, so that the client hears of every fault at once.
type resolver interface{ resolve() []fault.FieldError }

// readBody is the request's body; nil for none.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	p, err := io.ReadAll(io.LimitReader(r.Body, bodySizeBytesMax+1))
	if err != nil {
		return nil, fault.New(fault.Validation, "body: could not be read to its end").Because(err).
			With("errors", bodyFault("could not be read to its end"))
	}
	if len(p) > bodySizeBytesMax {
		w.Header().Set("Connection", "close") // what is left of the body is not worth reading
		return nil, fault.New(fault.PayloadTooLarge, "The body is over 1 MiB (%d bytes).", bodySizeBytesMax).
			With("size_bytes_max", bodySizeBytesMax)
	}
	if len(p) == 0 {
		return nil, nil
	}
	return p, checkMediaType(r.Header)
}

func checkMediaType(h http.Header) error {
	refuse := func(message string) error {
		return fault.New(fault.UnsupportedMediaType, "%s Send JSON with the header Content-Type: application/json.", message)
	}
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return refuse("Compressed bodies are not read.")
	}
	given := h.Get("Content-Type")
	if given == "" {
		return nil
	}
	media, params, err := mime.ParseMediaType(given)
	if err != nil || media != "application/json" {
		return refuse(fmt.Sprintf("The body's media type %q is not read.", given))
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return refuse("JSON is UTF-8.")
	}
	return nil
}

var byteOrderMark = []byte("\xef\xbb\xbf")

// readJSON decodes p into body and gives every fault of it. A missing body is an empty object.
func (b *binding) readJSON(p []byte, body any) ([]fault.FieldError, error) {
	if p = bytes.TrimSpace(bytes.TrimPrefix(p, byteOrderMark)); len(p) == 0 {
		p = []byte("{}")
	}
	v, faults := parseJSON(p)
	if v == nil {
		return faults, nil
	}
	c := &checker{registry: b.registry, faults: faults}
	c.check(b.body, v, nil)
	if v.faulty {
		return c.faults, nil
	}
	if c.rewritten {
		p = v.render(nil)
	}
	if err := json.Unmarshal(p, body); err != nil {
		return nil, fmt.Errorf("decode a checked body: %w", err)
	}
	if r, ok := body.(resolver); ok {
		c.faults = appendNew(c.faults, r.resolve())
	}
	return c.faults, nil
}

// appendNew leaves out what is told of fields that are told of already: it comes of their having been left out.
func appendNew(told, more []fault.FieldError) []fault.FieldError {
	for _, f := range more {
		if len(told) >= faultsMax {
			break
		}
		if !slices.ContainsFunc(told, func(t fault.FieldError) bool { return t.Field == f.Field }) {
			told = append(told, f)
		}
	}
	return told
}

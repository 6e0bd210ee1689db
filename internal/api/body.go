package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/fault"
)

// bodySizeBytesMax is the largest body that is read.
const bodySizeBytesMax = 1 << 20

// bodyTimeout is how long a body may take to arrive.
const bodyTimeout = 30 * time.Second

// resolver is a body that checks more than its schema says and keeps what it found out. It is asked after the schema,
// with what was faulty left out, so that the client hears of every fault at once.
type resolver interface{ resolve() []fault.FieldError }

// writer is a body that looks at what was written before it is decoded: null and an empty list are absence afterwards.
type writer interface{ written(*value) }

// namesMembers holds if the member of v is an object that has members.
func namesMembers(v *value, name string) bool {
	for _, m := range v.members {
		if m.name == name {
			return len(m.value.members) > 0
		}
	}
	return false
}

// readBody is the request's body; nil for none.
func (b *binding) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > bodySizeBytesMax { // before a client that asks whether to go on is told so
		return nil, tooLarge(w)
	}
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(b.bodyTimeout)) // not all that answers is a connection
	p, err := io.ReadAll(io.LimitReader(r.Body, bodySizeBytesMax+1))
	if err != nil {
		return nil, unread(w, err, b.bodyTimeout)
	}
	_ = connection.SetReadDeadline(time.Time{})
	if len(p) > bodySizeBytesMax {
		return nil, tooLarge(w)
	}
	if len(p) == 0 {
		return nil, nil
	}
	return p, checkMediaType(r.Header)
}

// tooLarge refuses a body, whose rest is not worth reading.
func tooLarge(w http.ResponseWriter) error {
	w.Header().Set("Connection", "close")
	return fault.New(fault.PayloadTooLarge, "The body is over 1 MiB (%d bytes).", bodySizeBytesMax).
		With("size_bytes_max", bodySizeBytesMax)
}

// unread says why a body was not read to its end.
func unread(w http.ResponseWriter, err error, timeout time.Duration) error {
	w.Header().Set("Connection", "close")
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fault.New(fault.RequestTimeout, "The body did not arrive within %s. Send it again, at once.", timeout).Because(err)
	}
	return fault.New(fault.Validation, "body: could not be read to its end").Because(err).
		With("errors", bodyFault("could not be read to its end"))
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
	if w, ok := body.(writer); ok {
		w.written(v)
	}
	if r, ok := body.(resolver); ok {
		c.faults = appendNew(c.faults, r.resolve())
	}
	return c.faults, nil
}

// appendNew leaves out what is told of fields that are told of already, or a part of them: it comes of their having been
// left out.
func appendNew(told, more []fault.FieldError) []fault.FieldError {
	for _, f := range more {
		if len(told) >= faultsMax {
			break
		}
		if !slices.ContainsFunc(told, func(t fault.FieldError) bool { return within(t.Field, f.Field) }) {
			told = append(told, f)
		}
	}
	return told
}

// within holds if the field is the other, or a part of it.
func within(field, other string) bool {
	rest, ok := strings.CutPrefix(field, other)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

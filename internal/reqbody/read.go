// Package reqbody reads request bodies and parameters, validates them against schemas, and reports every error at once with
// the path of its field. It knows no route.
package reqbody

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/fault"
)

// SizeBytesMax is the size of the largest body of most requests.
const SizeBytesMax = 1 << 20

// Read returns the request's body, which must be JSON of at most sizeBytesMax and arrive within the timeout; nil without one. Faults:
// PayloadTooLarge, RequestTimeout, UnsupportedMediaType, Validation.
func Read(w http.ResponseWriter, r *http.Request, sizeBytesMax int64, timeout time.Duration) ([]byte, error) {
	if r.ContentLength > sizeBytesMax { // before reading, so that a client that sent Expect: 100-continue is refused first
		return nil, tooLarge(w, r, sizeBytesMax, timeout)
	}
	connection := http.NewResponseController(w)
	_ = connection.SetReadDeadline(time.Now().Add(timeout)) // not every ResponseWriter has a connection
	p, err := io.ReadAll(io.LimitReader(r.Body, sizeBytesMax+1))
	if err != nil {
		w.Header().Set("Connection", "close")
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil, fault.New(fault.RequestTimeout, "The body did not arrive within %s. Send it again without pauses.", timeout).
				Because(err)
		}
		return nil, fault.New(fault.Validation, "body: could not be read completely").Because(err).
			With("errors", bodyError("could not be read completely"))
	}
	_ = connection.SetReadDeadline(time.Time{})
	if int64(len(p)) > sizeBytesMax {
		return nil, tooLarge(w, r, sizeBytesMax, timeout)
	}
	if len(p) == 0 {
		return nil, nil
	}
	return p, checkMediaType(r.Header)
}

// tooLarge refuses a body, and closes the connection. It reads the rest only of one that is a little too large
// and on its way already: a proxy that is still sending would answer with an error of its own when the connection is closed.
func tooLarge(w http.ResponseWriter, r *http.Request, sizeBytesMax int64, timeout time.Duration) error {
	drainedBytesMax := sizeBytesMax + 1<<20
	if r.ContentLength <= drainedBytesMax && r.Header.Get("Expect") == "" {
		connection := http.NewResponseController(w)
		_ = connection.SetReadDeadline(time.Now().Add(timeout)) // not every ResponseWriter has a connection
		_, _ = io.CopyN(io.Discard, r.Body, drainedBytesMax)    // the body is refused anyway
		_ = connection.SetReadDeadline(time.Time{})
	}
	w.Header().Set("Connection", "close")
	return fault.New(fault.PayloadTooLarge, "The body is over %d MiB (%d bytes).", sizeBytesMax>>20, sizeBytesMax).
		With("size_bytes_max", sizeBytesMax)
}

func checkMediaType(h http.Header) error {
	unsupported := func(message string) error {
		return fault.New(fault.UnsupportedMediaType, "%s Send JSON with the header Content-Type: application/json.", message)
	}
	if encoding := h.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return unsupported("Compressed bodies are not supported.")
	}
	given := h.Get("Content-Type")
	if given == "" {
		return nil
	}
	media, params, err := mime.ParseMediaType(given)
	if err != nil || media != "application/json" {
		return unsupported(fmt.Sprintf("The media type %q is not supported.", given))
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return unsupported("JSON must be encoded in UTF-8.")
	}
	return nil
}

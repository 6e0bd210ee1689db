package export

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/format"
)

// Check is one property of a file compared with its manifest.
type Check struct {
	Name     string `json:"name"` // size, sha256, rows or columns
	OK       bool   `json:"ok"`
	Expected string `json:"expected"`
	Found    string `json:"found"`
}

// Problem describes a failed check.
func (c Check) Problem() string {
	verb := "is"
	if strings.HasSuffix(c.Name, "s") {
		verb = "are"
	}
	return fmt.Sprintf("its %s %s %s, not %s", c.Name, verb, cmp.Or(c.Found, "none"), cmp.Or(c.Expected, "none"))
}

// Verify reads a file to its end and compares it with the manifest: size, sha256, rows and columns, in this order. Only
// reading r can fail: a truncated or malformed file has failed checks.
func (m Manifest) Verify(r io.Reader) ([]Check, error) {
	hash := sha256.New()
	counted := &counter{r: bufio.NewReaderSize(r, readBytes)}
	in := io.TeeReader(counted, hash)
	shape, malformed := format.Inspect(m.Format, m.Options, in)
	if _, err := io.Copy(io.Discard, in); err != nil {
		return nil, fmt.Errorf("read file: %w", err)
	}
	if counted.err != nil {
		return nil, fmt.Errorf("read file: %w", counted.err)
	}
	sum := hex.EncodeToString(hash.Sum(nil))
	expected := format.HeaderRow(m.Columns, m.Options)
	columns := slices.Equal(shape.Columns, expected) || shape.Columns == nil && malformed == nil && m.Rows == 0
	return []Check{
		{"size", counted.n == m.SizeBytes, bytesText(m.SizeBytes), bytesText(counted.n)},
		{"sha256", strings.EqualFold(sum, m.SHA256), m.SHA256, sum},
		{"rows", malformed == nil && shape.Rows == m.Rows, strconv.Itoa(m.Rows), rowsText(shape, malformed)},
		{"columns", columns, strings.Join(expected, ","), strings.Join(shape.Columns, ",")},
	}, nil
}

const readBytes = 64 << 10

func bytesText(n int64) string { return fmt.Sprintf("%d bytes", n) }

func rowsText(s format.Shape, malformed error) string {
	if malformed == nil {
		return strconv.Itoa(s.Rows)
	}
	return fmt.Sprintf("%d before the file becomes unreadable: %v", s.Rows, malformed)
}

// counter counts the bytes read and keeps a read error, which a format's reader may report as a malformed file.
type counter struct {
	r   io.Reader
	n   int64
	err error
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.err = err
	}
	return n, err
}

package format

import (
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compression is how a file of a text format is compressed, by its name in the API.
type Compression string

// The compressions; the zero Compression means None.
const (
	None Compression = "none"
	Gzip Compression = "gzip"
	Zstd Compression = "zstd"
)

func (c Compression) compresses() bool { return c != "" && c != None }

// codec is one way of compressing.
type codec struct {
	extension   string // with its dot
	contentType string
	compress    func(io.Writer) (io.WriteCloser, error)
	decompress  func(io.Reader) (io.ReadCloser, error)
}

var codecs = map[Compression]codec{
	"":   {},
	None: {},
	Gzip: {
		".gz", "application/gzip",
		func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) },
	},
	// One goroutine, so that the same companies are the same bytes, and so that a reader does not read ahead.
	Zstd: {
		".zst", "application/zstd",
		func(w io.Writer) (io.WriteCloser, error) { return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1)) },
		func(r io.Reader) (io.ReadCloser, error) {
			d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
			if err != nil {
				return nil, err
			}
			return d.IOReadCloser(), nil
		},
	},
}

// compressed writes a file through a compressor.
type compressed struct {
	Writer
	compressor io.Closer
}

// Close also ends the compressed stream.
func (c *compressed) Close() error { return errors.Join(c.Writer.Close(), c.compressor.Close()) }

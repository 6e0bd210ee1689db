package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	headBytes = 1 << 20 // of a source, by which its format is recognised

	// A source that unpacks to more than bombBytesMin and bombRatio times its size is treated as a decompression bomb. The
	// most repetitive real files reach a third of that ratio.
	bombRatio    = 200
	bombBytesMin = 16 << 20

	zstdWindowMax = 64 << 20 // memory that a frame may demand
	layersMax     = 3        // of compression, one inside the other
)

var errBomb = fmt.Errorf("it unpacks to more than %d times its size, so it may be a decompression bomb; if you trust the file, unpack it and import the result", bombRatio)

// unpack decompresses the input, as often as its first bytes say so. packed reports whether it was compressed at all.
func (s *Source) unpack(in io.Reader) (b *bufio.Reader, packed bool, err error) {
	b = bufio.NewReaderSize(in, headBytes)
	for range layersMax {
		magic, err := b.Peek(4)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, false, fmt.Errorf("read: %w", err)
		}
		var inner io.Reader
		switch {
		case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
			z, err := gzip.NewReader(b)
			if err != nil {
				return nil, false, fmt.Errorf("unpack gzip: %w", err)
			}
			s.onClose(z.Close)
			inner = z
		case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
			z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(zstdWindowMax))
			if err != nil {
				return nil, false, fmt.Errorf("unpack zstd: %w", err)
			}
			s.onClose(func() error { z.Close(); return nil })
			inner = z
		default:
			head, err := b.Peek(headBytes)
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, false, fmt.Errorf("read: %w", err)
			}
			return b, packed, refuseBytes(head)
		}
		packed = true
		b = bufio.NewReaderSize(&guard{Reader: inner, in: &s.in}, headBytes)
	}
	return nil, false, fmt.Errorf("it is compressed more than %d times over; unpack it first", layersMax-1)
}

// guard fails with errBomb if the output is far larger than the input.
type guard struct {
	io.Reader
	in  *counter
	out int64
}

func (g *guard) Read(p []byte) (int, error) {
	n, err := g.Reader.Read(p)
	g.out += int64(n)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("the compressed file ends too early, so a part of it is missing; download or copy it again: %w", err)
	}
	if g.out > bombBytesMin && g.out/bombRatio > g.in.bytes.Load() {
		return n, errBomb
	}
	return n, err
}

// spoolBytesMax is how much disk space a source may take that needs random access.
const spoolBytesMax = 16 << 30

// spool copies a stream into a temporary file, which Close removes.
func (s *Source) spool(in io.Reader) (*os.File, int64, error) {
	f, err := os.CreateTemp("", "capi-import-*")
	if err != nil {
		return nil, 0, fmt.Errorf("make a temporary file: %w", err)
	}
	s.onClose(func() error { return errors.Join(f.Close(), os.Remove(f.Name())) })
	n, err := io.Copy(f, io.LimitReader(in, spoolBytesMax+1))
	if err == nil && n > spoolBytesMax {
		err = fmt.Errorf("it unpacks to more than %d GiB", spoolBytesMax>>30)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("unpack into a temporary file: %w", err)
	}
	return f, n, nil
}

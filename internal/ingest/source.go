package ingest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
)

// source is an opened file or stream.
type source struct {
	name string
	size int64 // 0 where it is not known
	in   counter
	file *os.File // nil for stdin
	gzip *gzip.Reader
}

// counter counts the bytes read; another goroutine may ask.
type counter struct {
	io.Reader
	bytes atomic.Int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

func open(name string, stdin io.Reader) (*source, error) {
	if name == "-" {
		if stdin == nil {
			stdin = strings.NewReader("")
		}
		return &source{name: "(stdin)", in: counter{Reader: stdin}}, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err // it says "open" and which file
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		if err == nil {
			err = fmt.Errorf("%s is a directory", name)
		}
		return nil, errors.Join(err, f.Close())
	}
	s := &source{name: name, file: f, in: counter{Reader: f}}
	if info.Mode().IsRegular() {
		s.size = info.Size()
	}
	return s, nil
}

func (s *source) close() {
	if s.gzip != nil {
		s.gzip.Close()
	}
	if s.file != nil {
		s.file.Close()
	}
}

const peekBytes = 4096

// reader finds out how the source is packed and in which format it is.
func (s *source) reader() (Reader, error) {
	b := bufio.NewReaderSize(&s.in, 256<<10)
	name := strings.ToLower(filepath.Base(s.name))
	if magic, err := b.Peek(2); err == nil && magic[0] == 0x1f && magic[1] == 0x8b {
		if s.gzip, err = gzip.NewReader(b); err != nil {
			return nil, fmt.Errorf("unpack gzip: %w", err)
		}
		b = bufio.NewReaderSize(s.gzip, 256<<10)
		name = strings.TrimSuffix(name, ".gz")
	}
	head, err := b.Peek(peekBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read: %w", err)
	}
	if bytes.HasPrefix(head, bom) {
		b.Discard(len(bom)) //nolint:errcheck // it was peeked at
		head = head[len(bom):]
	}
	return format(b, filepath.Ext(name), head)
}

var bom = []byte("\xef\xbb\xbf")

func format(b *bufio.Reader, ext string, head []byte) (Reader, error) {
	first := byte(0)
	if trimmed := bytes.TrimLeft(head, " \t\r\n"); len(trimmed) > 0 {
		first = trimmed[0]
	}
	if i := bytes.IndexByte(head, 0); i >= 0 {
		return nil, errors.New("this is not text; import reads NDJSON and CSV in UTF-8, plain or packed by gzip")
	}
	switch {
	case first == '[' && ext != ".csv" && ext != ".tsv":
		return nil, errors.New("this is one JSON array; import reads NDJSON, one JSON object a line")
	case ext == ".ndjson", ext == ".jsonl", ext == ".json", ext != ".csv" && ext != ".tsv" && first == '{':
		return newLines(b), nil
	}
	return newCSV(b)
}

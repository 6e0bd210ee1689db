package importer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
)

// source is an opened file or stream.
type source struct {
	name    string
	size    int64 // 0 where it is not known
	in      counter
	file    *os.File // nil for stdin
	closing []func() error
	packed  bool   // reader found
	format  string // the same, for people
}

// claimed is the packing that the source's name speaks of; empty if it speaks of none.
func (s *source) claimed() string {
	switch strings.ToLower(filepath.Ext(s.name)) {
	case ".gz":
		return "gzip"
	case ".zst":
		return "zstd"
	}
	return ""
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

// readBytes is how much of the source has been read; a format that is read from its end may come to some of it twice.
func (s *source) readBytes() int64 {
	n := s.in.bytes.Load()
	if s.size > 0 {
		n = min(n, s.size)
	}
	return n
}

// anyPlace reads the source's file at any place, and counts what is read.
type anyPlace struct {
	*os.File
	in *counter
}

func (a anyPlace) ReadAt(p []byte, at int64) (int, error) {
	n, err := a.File.ReadAt(p, at)
	a.in.bytes.Add(int64(n))
	return n, err
}

// Expand replaces patterns such as data/*.csv by the files that they match, sorted. A name that is a file's stays, and
// so does one without a pattern; a pattern that matches nothing is an error.
func Expand(names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		if _, err := os.Lstat(name); err == nil || !strings.ContainsAny(name, "*?[") {
			out = append(out, name)
			continue
		}
		found, err := filepath.Glob(name)
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", name, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("find %s: no file matches: %w", name, os.ErrNotExist)
		}
		out = append(out, found...)
	}
	return out, nil
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
			err = fmt.Errorf("%s is a directory; name its files, such as %s", name, filepath.Join(name, "*.csv"))
		}
		return nil, errors.Join(err, f.Close())
	}
	s := &source{name: name, file: f, in: counter{Reader: f}, closing: []func() error{f.Close}}
	if info.Mode().IsRegular() {
		s.size = info.Size()
	}
	return s, nil
}

// close lets go of the file and of what was unpacked from it; a second call does nothing.
func (s *source) close() {
	for _, fn := range slices.Backward(s.closing) {
		fn() //nolint:errcheck // it was read only
	}
	s.closing = nil
}

func (s *source) onClose(fn func() error) { s.closing = append(s.closing, fn) }

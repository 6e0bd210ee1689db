// Package source reads files of records: CSV, JSON, NDJSON, XLSX and Parquet, plain, compressed or in an archive. It finds out what a
// file is and how it is written, and cuts it into chunks that can be parsed in parallel. It does not interpret values,
// and knows nothing of companies: what the names of columns mean comes from the caller's Schema.
package source

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

// Options says how a source is read where the content should not decide.
type Options struct {
	Encoding  string // a name such as windows-1252 or shift_jis; found out if empty
	Delimiter string // of CSV: one character, or "tab"; found out if empty
	Sheet     string // of a workbook; if empty, the one with most columns that the Schema knows
}

// Schema is what the caller knows about the columns that it looks for. The readers use it to find the row that names the
// columns, the sheet of a workbook, and the array that holds the records of a JSON document. It must be safe for
// concurrent use.
type Schema interface {
	// Column returns what is known about a column, by its name as the source spells it.
	Column(name string) Column
	// IsValue reports whether a cell is a value and cannot be the name of a column.
	IsValue(cell string) bool
}

// Column is what a Schema knows about a column.
type Column struct {
	Known bool // the caller reads it
	Key   bool // an object that has it at the top level is a record itself, not a wrapper around an array of records
	Whole bool // an object is one value of it; otherwise the object's members become columns
	Prose bool // a value that is a link stays as it is
}

// Source is an opened file or stream. It holds one or more tables.
type Source struct {
	Name string
	Size int64 // in bytes, as the file lies on the disk; 0 if it is not known

	schema  Schema
	options Options
	in      counter
	file    *os.File               // nil for a stream
	read    bool                   // the first table was returned by Next
	more    func() (*Table, error) // returns the tables after it; nil if there are none
	closing []func() error

	inArchive bool
	partition []Field  // of each record, from the names of the folders
	guess     *guessed // the encoding, if it is only a guess
}

// Open opens a file. It reads nothing yet.
func Open(path string, schema Schema, o Options) (*Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err // it says "open" and names the file
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		if err == nil {
			err = fmt.Errorf("%s is a directory; name the files in it", path)
		}
		return nil, errors.Join(err, f.Close())
	}
	s := New(path, f, schema, o)
	s.file, s.closing = f, []func() error{f.Close}
	s.partition = partitionOf(path)
	if info.Mode().IsRegular() {
		s.Size = info.Size()
	}
	return s, nil
}

// New reads a stream. The extensions of its name say what it may be.
func New(name string, in io.Reader, schema Schema, o Options) *Source {
	return &Source{Name: name, schema: schema, options: o, in: counter{Reader: in}}
}

// Next returns the next table, which must be read before Next is called again, and io.EOF after the last one.
func (s *Source) Next() (*Table, error) {
	t, err := s.next()
	if err != nil {
		return t, err
	}
	t.schema = s.schema
	if len(s.partition) > 0 {
		t.reader = &partitioned{reader: t.reader, fields: s.partition}
	}
	return t, nil
}

func (s *Source) next() (*Table, error) {
	switch {
	case s.read && s.more != nil:
		return s.more()
	case s.read:
		return nil, io.EOF
	}
	s.read = true
	return s.recognise()
}

// ReadBytes returns how much of the source has been read. It is safe for concurrent use. A format that is read from its
// end may read some bytes twice.
func (s *Source) ReadBytes() int64 {
	n := s.in.bytes.Load()
	if s.Size > 0 {
		n = min(n, s.Size)
	}
	return n
}

// Close closes the file and removes what was unpacked from it. A second call does nothing.
func (s *Source) Close() {
	for _, fn := range slices.Backward(s.closing) {
		fn() //nolint:errcheck // it was read only
	}
	s.closing = nil
}

func (s *Source) onClose(fn func() error) { s.closing = append(s.closing, fn) }

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

// countedFile is the source's file for random access. It counts what is read.
type countedFile struct {
	*os.File
	in *counter
}

func (f countedFile) ReadAt(p []byte, offset int64) (int, error) {
	n, err := f.File.ReadAt(p, offset)
	f.in.bytes.Add(int64(n))
	return n, err
}

// Expand replaces patterns such as data/*.csv by the files that they match, sorted, and a folder by the tables in it and in its
// folders. Names of files and names without a pattern stay. A pattern that matches nothing is an error, and so is a folder
// without tables. skipped names the other files of each folder.
func Expand(names []string) (files []string, skipped map[string]string, err error) {
	skipped = map[string]string{}
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case err == nil && info.IsDir():
			tables, others, err := tablesIn(name)
			if err != nil {
				return nil, nil, err
			}
			files = append(files, tables...)
			if len(others) > 0 {
				skipped[name] = someOf(others)
			}
			continue
		case err == nil || !strings.ContainsAny(name, "*?["):
			files = append(files, name)
			continue
		}
		found, err := filepath.Glob(name)
		if err != nil {
			return nil, nil, fmt.Errorf("find %s: %w", name, err)
		}
		if len(found) == 0 {
			return nil, nil, fmt.Errorf("find %s: no file matches: %w", name, os.ErrNotExist)
		}
		files = append(files, found...)
	}
	return files, skipped, nil
}

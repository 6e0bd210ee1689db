package importer

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Reading says how a source is to be read where it should not be found out.
type Reading struct {
	Encoding  string // a name such as windows-1252 or shift_jis
	Delimiter string // of CSV: one character, or "tab"
	Sheet     string // of a workbook
}

// reader finds out how the source is packed and in which format it is.
func (s *source) reader(o Reading) (Reader, error) {
	b, packed, err := s.unpack(&s.in)
	if err != nil {
		return nil, err
	}
	s.packed = packed
	head, err := b.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("PAR1")):
		return s.atAnyPlace(b, packed, newParquet)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return s.atAnyPlace(b, packed, func(f io.ReaderAt, size int64) (Reader, error) { return newXLSX(s, f, size, o.Sheet) })
	}
	text, enc, err := s.decode(b, head, o.Encoding)
	if err != nil {
		return nil, err
	}
	b = bufio.NewReaderSize(text, headBytes)
	head, err = b.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read: %w", err)
	}
	if bytes.IndexByte(head, 0) >= 0 {
		return nil, errors.New("this is neither text nor a format that is known: " +
			"import reads CSV, TSV, JSON, NDJSON, XLSX and Parquet, plain or packed by gzip or zstd")
	}
	return s.textReader(b, head, enc, o)
}

// atAnyPlace opens a format that is read from its end.
func (s *source) atAnyPlace(b *bufio.Reader, packed bool, open func(io.ReaderAt, int64) (Reader, error)) (Reader, error) {
	if !packed && s.file != nil && s.size > 0 {
		s.in.bytes.Store(0) // what was peeked at is read again
		return open(anyPlace{s.file, &s.in}, s.size)
	}
	f, size, err := s.spool(b)
	if err != nil {
		return nil, err
	}
	return open(f, size)
}

// textReader tells JSON from CSV.
func (s *source) textReader(b *bufio.Reader, head []byte, enc *evidence, o Reading) (Reader, error) {
	exts := strings.Split(strings.ToLower(filepath.Base(s.name)), ".")[1:]
	named := func(ext ...string) bool {
		return slices.ContainsFunc(ext, func(e string) bool { return slices.Contains(exts, e) })
	}
	first := byte(0)
	if trimmed := bytes.TrimLeft(head, " \t\r\n"); len(trimmed) > 0 {
		first = trimmed[0]
	}
	json := first == '{' || first == '[' && startsJSONArray(head)
	if named("ndjson", "jsonl", "json") && !json && first != 0 && !bytes.Contains(head, []byte("{")) {
		json = false // a name may lie
	} else if named("ndjson", "jsonl", "json") {
		json = true
	}
	switch {
	case o.Delimiter != "" || named("csv", "tsv", "tab") && first != '{':
	case json && first == '[':
		s.format = "JSON array"
		return newValues(b, nil)
	case json && (named("ndjson", "jsonl") || isLines(head)):
		s.format = "NDJSON"
		return newLines(b), nil
	case json:
		path := arrayPath(head)
		s.format = "JSON"
		if path != nil {
			s.format = "JSON array in " + strings.Join(path, ".")
		}
		return newValues(b, path)
	}
	r, err := newCSV(b, enc, o.Delimiter, named("tsv", "tab"))
	if err != nil {
		return nil, err
	}
	s.format = r.describe()
	return r, nil
}

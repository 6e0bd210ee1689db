package source

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// claimedCompression returns the compression that the source's name suggests; empty if it suggests none.
func (s *Source) claimedCompression() string {
	switch strings.ToLower(filepath.Ext(s.Name)) {
	case ".gz":
		return "gzip"
	case ".zst":
		return "zstd"
	}
	return ""
}

// recognise detects compression and format, and opens the table.
func (s *Source) recognise() (*Table, error) {
	b, packed, err := s.unpack(&s.in)
	if err != nil {
		return nil, err
	}
	head, err := b.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read: %w", err)
	}
	var t *Table
	switch {
	case bytes.HasPrefix(head, []byte("PAR1")):
		t, err = s.randomAccess(b, packed, func(f io.ReaderAt, size int64) (*Table, error) {
			r, err := newParquet(f, size, s.schema)
			if err != nil {
				return nil, err
			}
			s.onClose(r.rows.Close)
			return &Table{Format: Parquet, Description: "Parquet", reader: r}, nil
		})
	case isZip(head):
		t, err = s.randomAccess(b, packed, s.openZip)
	case isTar(head):
		t, err = s.openTar(b)
	default:
		t, err = s.textTable(b, head)
	}
	if err != nil {
		return nil, err
	}
	if name := s.claimedCompression(); name != "" && !packed {
		t.Notices = append(t.Notices, "is not compressed with "+name+", although its name says so; it was read as it is")
	}
	return t, nil
}

// randomAccess opens a format that is read from its end.
func (s *Source) randomAccess(b *bufio.Reader, packed bool, open func(io.ReaderAt, int64) (*Table, error)) (*Table, error) {
	if !packed && s.file != nil && s.Size > 0 {
		s.in.bytes.Store(0) // what was peeked at is read again
		return open(countedFile{s.file, &s.in}, s.Size)
	}
	f, size, err := s.spool(b)
	if err != nil {
		return nil, err
	}
	return open(f, size)
}

// textTable decodes the text and opens it as JSON, NDJSON or CSV.
func (s *Source) textTable(b *bufio.Reader, head []byte) (*Table, error) {
	text, enc, err := s.decode(b, head, s.options.Encoding)
	if err != nil {
		return nil, err
	}
	b = bufio.NewReaderSize(&withoutNULs{Reader: text}, headBytes)
	hasNULs := bytes.IndexByte(head, 0) >= 0 && enc != nil
	head, err = b.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read: %w", err)
	}
	if isBinary(head) {
		return nil, errNotText
	}
	if err := refuseText(s.Name, head, s.options.Delimiter != ""); err != nil {
		return nil, err
	}
	t, err := s.parse(b, head, enc)
	if err == nil && s.guess != nil {
		t.Notices = append(t.Notices, s.guess.notice())
	}
	if err == nil && hasNULs {
		t.Notices = append(t.Notices, "contains NUL characters, which are left out")
	}
	return t, err
}

// parse opens text as JSON, NDJSON or CSV.
func (s *Source) parse(b *bufio.Reader, head []byte, enc *evidence) (*Table, error) {
	exts := strings.Split(strings.ToLower(filepath.Base(s.Name)), ".")[1:]
	named := func(ext ...string) bool {
		return slices.ContainsFunc(ext, func(e string) bool { return slices.Contains(exts, e) })
	}
	if guard := scriptGuard.Find(head); guard != nil {
		b.Discard(len(guard)) //nolint:errcheck // it was peeked at
		head = head[len(guard):]
	}
	first := byte(0)
	if trimmed := bytes.TrimLeft(head, " \t\r\n"+recordSeparator); len(trimmed) > 0 {
		first = trimmed[0]
	}
	json := first == '{' || first == '[' && startsJSONArray(head)
	if named("ndjson", "jsonl", "json") && !json && first != 0 && !bytes.Contains(head, []byte("{")) {
		json = false // the name is wrong
	} else if named("ndjson", "jsonl", "json") {
		json = true
	}
	if json && first == '{' && s.options.Delimiter == "" {
		if err := refuseJSON(head); err != nil {
			return nil, err
		}
		if why := emptyDocument(s.schema, head); why != "" {
			return &Table{Format: JSON, Description: "JSON object", Empty: why, reader: &objectChunks{}}, nil
		}
	}
	switch {
	case s.options.Delimiter != "" || named("csv", "tsv", "tab") && first != '{' && !isObjects(head):
	case json && first == '[':
		return valuesTable(b, s.schema, nil)
	case json && (named("ndjson", "jsonl") || bytes.HasPrefix(bytes.TrimSpace(head), []byte(recordSeparator)) || isLines(s.schema, head)):
		return &Table{Format: NDJSON, Description: "NDJSON", reader: newLines(b, s.schema)}, nil
	case json:
		at := findShape(s.schema, head)
		if at != nil && at.layout == layoutColumns {
			r, header, err := newColumns(b, s.schema, at)
			return &Table{Format: JSON, Description: at.describe(), Fixed: true, Header: header, reader: r}, err
		}
		return valuesTable(b, s.schema, at)
	}
	r, err := newCSV(b, s.schema, enc, s.options.Delimiter, named("tsv", "tab"))
	if err != nil {
		return nil, err
	}
	t := &Table{Format: CSV, Description: r.describe(), Fixed: r.cards == nil, Header: r.header, reader: r}
	if r.cards != nil {
		t.Description += ", a field on each line"
	}
	if r.doubt != "" {
		t.Notices = append(t.Notices, r.doubt)
	}
	return t, nil
}

// scriptGuard keeps a JSON answer of a server from being run as a script.
var scriptGuard = regexp.MustCompile(`^\s*(?:\)\]\}'?,?|for\s*\(;;\);|while\s*\((?:1|true)\);)\s*`)

var objects = regexp.MustCompile(`^\s*\[\s*\{\s*"`)

// isObjects reports whether the text begins like a JSON array of objects.
func isObjects(head []byte) bool { return objects.Match(head) }

// valuesTable opens JSON as an array, an object of records, or objects one after another.
func valuesTable(b *bufio.Reader, schema Schema, at *shape) (*Table, error) {
	isArray := at == nil && startsWith(b, '[')
	r, err := newValues(b, schema, at)
	if err != nil {
		return nil, err
	}
	if c := r.fieldCards(); c != nil {
		return &Table{Format: JSON, Description: "JSON, an object for each field", reader: c}, nil
	}
	t := &Table{Format: JSON, Description: "JSON", Fixed: r.layout == layoutRows, Header: r.header, reader: r}
	switch {
	case at != nil:
		t.Description = at.describe()
		if len(at.others) > 0 {
			t.Notices = append(t.Notices, "has other arrays that are not read: "+someOf(at.others))
		}
	case isArray:
		t.Description = (&shape{layout: r.layout}).describe()
	}
	return t, nil
}

// startsWith reports whether the first byte that is not white space is c.
func startsWith(b *bufio.Reader, c byte) bool {
	head, _ := b.Peek(headBytes) // reading it will return the same error
	head = bytes.TrimLeft(head, " \t\r\n")
	return len(head) > 0 && head[0] == c
}

package source

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// values reads a sequence of JSON objects, each on any number of lines: the elements of an array, which may be inside an
// object, or objects without an array around them.
type values struct {
	schema Schema
	in     *bufio.Reader
	line   int  // of the next byte, from 1
	array  bool // they are the elements of an array, which must be closed
	end    error
}

const lineBytesMax = 64 << 20 // of a line or object; after that the source cannot be read

// startsJSONArray reports whether a text begins like an array of objects or arrays.
func startsJSONArray(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	rest := bytes.TrimLeft(head[1:], " \t\r\n")
	return len(rest) == 0 || rest[0] == '{' || rest[0] == ']' || rest[0] == '['
}

// isLines reports whether most of the first lines are complete objects.
func isLines(schema Schema, head []byte) bool {
	whole, lines := 0, 0
	for line := range bytes.Lines(head) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if objectsInARow(line) {
			return false
		}
		if lines++; line[0] == '{' && (line[len(line)-1] == '}' && json.Valid(line) || len(line) == len(bytes.TrimSpace(head)) && !json.Valid(line)) {
			whole++
		}
		if lines == 20 {
			break
		}
	}
	if lines == 1 && whole == 1 {
		return arrayPath(schema, head) == nil
	}
	return 2*whole >= lines
}

// objectsInARow reports whether a line has several objects.
func objectsInARow(line []byte) bool {
	return line[0] == '{' && bytes.Contains(line, []byte("}{")) && !json.Valid(line) && json.Valid(line[:bytes.Index(line, []byte("}{"))+1])
}

// wrappers are the usual names of the member that holds the records, in an object around them.
var wrappers = []string{
	"data", "results", "items", "records", "rows", "hits", "companies", "organizations", "entries", "list", "value", "values",
	"response", "content", "docs", "documents", "entities",
}

// arrayPath returns the path to the array of records inside an object; nil if the object is a record itself.
func arrayPath(schema Schema, head []byte) []string {
	path, _ := findArray(schema, head)
	return path
}

// findArray also returns the offset of the array.
func findArray(schema Schema, head []byte) (path []string, offset int64) {
	d := json.NewDecoder(bytes.NewReader(head))
	d.UseNumber()
	var names []string // of the current member, in each open object
	isRecord, key := false, true
	for {
		t, err := d.Token()
		if err != nil || len(names) == 0 && t != json.Delim('{') {
			return nil, 0 // reading it will report where it is broken
		}
		switch t := t.(type) {
		case json.Delim:
			switch t {
			case '{':
				names, key = append(names, ""), true
				continue
			case '}':
				if names = names[:len(names)-1]; len(names) == 0 {
					return nil, 0
				}
			case '[':
				offset := d.InputOffset() - 1
				rest := bytes.TrimLeft(head[offset+1:], " \t\r\n")
				last := strings.ToLower(names[len(names)-1])
				wraps := slices.Contains(wrappers, last)
				if len(rest) > 0 && rest[0] == '{' && (wraps || !isRecord && !schema.Column(last).Known) {
					return names, offset
				}
				if err := skipArray(d); err != nil {
					return nil, 0
				}
			}
			key = true
		case string:
			if key {
				names[len(names)-1] = t
				if len(names) == 1 && schema.Column(t).Key {
					isRecord = true
				}
				key = false
				continue
			}
			key = true
		default:
			key = true
		}
	}
}

// skipArray skips the rest of an array.
func skipArray(d *json.Decoder) error {
	for depth := 1; depth > 0; {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('['), json.Delim('{'):
			depth++
		case json.Delim(']'), json.Delim('}'):
			depth--
		}
	}
	return nil
}

// newValues reads the records of an array at the path, which is empty if the text is the array itself or has none.
func newValues(b *bufio.Reader, schema Schema, path []string) (*values, error) {
	v := &values{schema: schema, in: b, line: 1}
	if path != nil {
		head, err := b.Peek(headBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read: %w", err)
		}
		_, offset := findArray(schema, head)
		v.line += bytes.Count(head[:offset], []byte{'\n'})
		b.Discard(int(offset)) //nolint:errcheck // it was peeked at
	}
	if c, err := v.next(); err == nil && c == '[' {
		v.array = true
	} else if err == nil {
		v.in.UnreadByte() //nolint:errcheck // it was read just now
	}
	return v, nil
}

// next returns the next byte that is not white space.
func (v *values) next() (byte, error) {
	for {
		c, err := v.in.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case '\n':
			v.line++
		case ' ', '\t', '\r':
		default:
			return c, nil
		}
	}
}

// nextChunk returns objects of about chunkBytes.
func (v *values) nextChunk() (Chunk, error) {
	p := &valueChunk{schema: v.schema}
	for size := 0; size < chunkBytes && v.end == nil; {
		value, ok := v.value()
		if ok {
			size += len(value.text) + 16
			p.values = append(p.values, value)
		}
	}
	if len(p.values) == 0 {
		return nil, v.end
	}
	return p, nil
}

// value reads one element. ok is false at the end.
func (v *values) value() (value jsonValue, ok bool) {
	c, err := v.next()
	for err == nil && c == ',' {
		c, err = v.next()
	}
	switch {
	case err != nil:
		v.fail(err)
		return value, false
	case c == ']' && v.array:
		v.end = io.EOF
		return value, false
	}
	value.line = v.line
	text, err := v.text(c)
	switch {
	case errors.Is(err, io.EOF):
		v.end = io.EOF
		if v.array {
			v.end = fmt.Errorf("line %d: %w", value.line, errCut)
		}
	case err != nil:
		v.fail(err)
		return value, false
	}
	if len(text) > recordBytesMax {
		value.reason = ReasonTooLong
		return value, true
	}
	value.text = string(text)
	return value, true
}

func (v *values) fail(err error) {
	v.end = io.EOF
	if !errors.Is(err, io.EOF) {
		v.end = fmt.Errorf("read: %w", err)
	} else if v.array {
		v.end = fmt.Errorf("the JSON array is not closed: %w", errCut)
	}
}

// text reads the value that begins with c. Of a value that is too long it returns only the beginning.
func (v *values) text(c byte) ([]byte, error) {
	text := []byte{c}
	depth, quoted, escaped := 0, false, false
	for read := 1; ; read++ {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped = c == '\\'
			quoted = c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		}
		if depth <= 0 && !quoted && (c == '}' || c == ']' || c == '"') {
			return text, nil
		}
		if read > lineBytesMax {
			return nil, fmt.Errorf("line %d: a value does not end within %d MiB", v.line, lineBytesMax>>20)
		}
		var err error
		if c, err = v.in.ReadByte(); err != nil {
			return text, err
		}
		if depth == 0 && !quoted && (c == ',' || c == ']' || c == '\n' || c == '{') {
			v.in.UnreadByte() //nolint:errcheck // it was read just now
			return text, nil
		}
		if c == '\n' {
			v.line++
		}
		if len(text) <= recordBytesMax {
			text = append(text, c)
		}
	}
}

type jsonValue struct {
	line   int
	text   string
	reason Reason
}

type valueChunk struct {
	schema Schema
	values []jsonValue
}

// Records parses the objects.
func (p *valueChunk) Records(yield func(*Record)) {
	var record Record
	for i := range p.values {
		v := &p.values[i]
		record = Record{Line: v.line, Fields: record.Fields[:0], Reason: v.reason, rawText: v.text}
		switch {
		case record.Reason != "":
		case !utf8.ValidString(v.text):
			record.Reason = ReasonNotUTF8
		default:
			var err error
			if record.Fields, err = parseObject(v.text, record.Fields); err != nil {
				record.Reason, record.Detail = ReasonBrokenJSON, err.Error()
			}
			record.Fields = flatten(p.schema, record.Fields)
		}
		yield(&record)
	}
}

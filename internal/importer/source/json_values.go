package source

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// values reads a sequence of JSON values, each on any number of lines: the elements of an array, the members of an object,
// both of which may be inside another object, or objects with nothing around them.
type values struct {
	layout
	schema Schema
	in     *bufio.Reader
	line   int         // of the next byte, from 1
	close  byte        // ends the array or object around them; 0 if there is none
	header []string    // of layoutRows
	ahead  []jsonValue // read while looking for the header
	rest   []jsonValue // likewise, of a document after the first one
	end    error

	nested  bool     // the elements are arrays of the records
	depth   int      // of the arrays in which the next record is, if nested
	single  bool     // only the next value is read
	closed  bool     // the current document has ended
	around  int      // the objects around the array of records that are not closed yet
	members []string // of the first record of an array that is a member; nil if there is no other to go on with
}

var lineBytesMax = 64 << 20 // of a line or object; after that the source cannot be read. Only tests change it

// startsJSONArray reports whether a text begins like an array of objects or arrays.
func startsJSONArray(head []byte) bool {
	head = bytes.TrimLeft(head, " \t\r\n")
	rest := bytes.TrimLeft(head[1:], " \t\r\n")
	if len(rest) > 0 && rest[0] == '"' { // of texts, which CSV would not begin like this
		after := bytes.TrimLeft(rest[stringEnd(rest, 0):], " \t\r\n")
		return len(after) > 0 && (after[0] == ']' || after[0] == ',' && bytes.HasPrefix(bytes.TrimLeft(after[1:], " \t\r\n"), []byte(`"`)))
	}
	return len(rest) == 0 || rest[0] == '{' || rest[0] == ']' || rest[0] == '['
}

// isLines reports whether most of the first lines are complete objects.
func isLines(schema Schema, head []byte) bool {
	whole, lines := 0, 0
	for line := range bytes.Lines(head) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if objectsInARow(bytes.TrimLeft(line, recordSeparator)) {
			return false
		}
		line = bytes.TrimRight(bytes.TrimLeft(line, recordSeparator), ",")
		if lines++; len(line) > 0 && line[0] == '{' && (line[len(line)-1] == '}' && isWholeJSON(line) || len(line) == len(bytes.TrimSpace(head)) && !isWholeJSON(line)) {
			whole++
		}
		if lines == 20 {
			break
		}
	}
	if lines == 1 && whole == 1 {
		return findShape(schema, head) == nil
	}
	return 2*whole >= lines
}

// objectsInARow reports whether a line has several objects.
func objectsInARow(line []byte) bool {
	if len(line) == 0 || line[0] != '{' || json.Valid(line) {
		return false
	}
	first := json.NewDecoder(bytes.NewReader(line))
	if first.Decode(&json.RawMessage{}) != nil {
		return false
	}
	rest := bytes.TrimSpace(line[first.InputOffset():])
	return len(rest) > 0 && rest[0] == '{'
}

// wrappers are the usual names of the member that holds the records, in an object around them.
var wrappers = []string{
	"data", "results", "items", "records", "rows", "hits", "companies", "organizations", "entries", "list", "value", "values",
	"response", "content", "docs", "documents", "entities",
}

// findArray returns the path to the array of records inside an object, and its offset; nil if the object is a record itself. An array
// beside the records, such as facets, is taken only if there is no other.
func findArray(schema Schema, head []byte) (path []string, offset int64) {
	if path, offset = findArrayBut(schema, head, isBeside); path != nil {
		return path, offset
	}
	return findArrayBut(schema, head, describes)
}

// besides are the names of arrays that answers have next to the records of companies.
var besides = map[string]bool{
	"facets": true, "aggregations": true, "aggs": true, "buckets": true, "filters": true, "included": true, "links": true, "errors": true, "warnings": true,
	"people": true, "persons": true, "contacts": true, "users": true, "members": true, "suggestions": true, "breadcrumbs": true,
}

// isBeside reports whether an array with the path is most likely one of these.
func isBeside(path []string) bool {
	return describes(path) || slices.ContainsFunc(path, func(name string) bool { return besides[strings.ToLower(name)] })
}

// findArrayBut is findArray without the arrays that skip.
func findArrayBut(schema Schema, head []byte, skip func(path []string) bool) (path []string, offset int64) {
	d := json.NewDecoder(bytes.NewReader(head))
	d.UseNumber()
	var names []string // of the current member, in each open object
	isRecord, key, named := false, true, false
	for {
		t, err := d.Token()
		if err != nil || len(names) == 0 && t != json.Delim('{') {
			return nil, 0 // reading it will report where it is broken
		}
		switch t := t.(type) {
		case json.Delim:
			switch t {
			case '{':
				names, key, named = append(names, ""), true, false
				continue
			case '}':
				if names = names[:len(names)-1]; len(names) == 0 {
					return nil, 0
				}
			case '[':
				named = false
				offset := d.InputOffset() - 1
				rest := bytes.TrimLeft(head[offset+1:], " \t\r\n")
				last := strings.ToLower(names[len(names)-1])
				wraps := slices.Contains(wrappers, last)
				if len(rest) > 0 && rest[0] == '{' && !skip(names) && (wraps || !isRecord && !schema.Column(last).Known) {
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
				named = len(names) == 1 && schema.Column(t).Key
				key = false
				continue
			}
			key, isRecord = true, isRecord || named
		default:
			key, isRecord = true, isRecord || named
		}
	}
}

// describes reports whether a member with the path says what the columns of other records are.
func describes(path []string) bool {
	return slices.ContainsFunc(path, func(name string) bool { return strings.EqualFold(name, "schema") })
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

// newValues reads the records at a place in the text; at is nil if they are the text itself.
func newValues(b *bufio.Reader, schema Schema, at *shape) (*values, error) {
	v := &values{schema: schema, in: b, line: 1}
	if at != nil {
		head, err := b.Peek(headBytes)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read: %w", err)
		}
		v.layout, v.header, v.around = at.layout, at.header, len(at.path)
		v.line += bytes.Count(head[:at.offset], []byte{'\n'})
		b.Discard(int(at.offset)) //nolint:errcheck // it was peeked at
	}
	lines := at == nil && isRowLines(b)
	if lines {
		v.layout = layoutRows
		return v, v.readHeader()
	}
	c, err := v.next()
	switch {
	case err != nil:
		return v, nil //nolint:nilerr // nextChunk will return it
	case c == '[':
		v.close = ']'
	case c == '{' && v.layout == layoutMembers:
		v.close = '}'
	default:
		v.in.UnreadByte() //nolint:errcheck // it was read just now
	}
	v.single = v.layout == layoutObject
	if at == nil && c == '[' {
		if c, err = v.next(); err == nil {
			v.in.UnreadByte() //nolint:errcheck // likewise
		}
		if c == '[' {
			v.layout = layoutRows
			head, _ := b.Peek(b.Buffered())
			if inner := outline(tolerate(head, `"N"`)); inner != nil && inner.are('{') {
				v.layout, v.nested = layoutObjects, true
			}
		}
	}
	if at != nil && len(at.path) > 0 && at.layout == layoutObjects {
		v.members = []string{}
	}
	if v.layout == layoutRows && v.header == nil {
		return v, v.readHeader()
	}
	return v, nil
}

// isRowLines reports whether the text is one JSON array after another, each on a line of its own.
func isRowLines(b *bufio.Reader) bool {
	head, _ := b.Peek(headBytes) // reading it will return the same error
	line, rest, found := bytes.Cut(bytes.TrimLeft(head, " \t\r\n"), []byte{'\n'})
	rest = bytes.TrimLeft(rest, " \t\r\n")
	if !found || len(line) == 0 || line[0] != '[' || len(rest) == 0 || rest[0] != '[' || !isWholeJSON(line) {
		return false
	}
	row := outline(tolerate(line, `"N"`))
	return row != nil && len(row.values) > 0 && !row.are('{') && !row.are('[')
}

// readHeader finds the row that names the columns.
func (v *values) readHeader() error {
	var rows [][]string
	for len(rows) < headerRowsMax {
		value, ok := v.element()
		if !ok {
			break
		}
		v.ahead = append(v.ahead, value)
		var row []string
		for _, cell := range parseRow(value.text) {
			text := valueOf(cell)
			row = append(row, text.Text)
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 && v.end != nil && !errors.Is(v.end, io.EOF) {
		return v.end
	}
	at, names, err := findHeader(v.schema, rows)
	if err != nil {
		return err
	}
	v.header, v.ahead = names, v.ahead[at+1:]
	return nil
}

// parseRow returns the elements of an array; nil if the text is not an array.
func parseRow(text string) []any {
	for _, t := range []func() string{func() string { return text }, func() string { return string(tolerate(text, "null")) }} {
		v, err := (&scanner{text: t()}).other()
		if row, ok := v.Other.([]any); ok && err == nil {
			return row
		}
	}
	return nil
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
	p := &valueChunk{layout: v.layout, schema: v.schema, header: v.header, values: v.ahead}
	v.ahead = nil
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

// key reads the name of a member, up to its value. c is the first byte of it; the first byte of the value is returned.
func (v *values) key(c byte) (key string, first byte, err error) {
	text, err := v.text(c)
	if err != nil {
		return "", 0, err
	}
	if json.Unmarshal(text, &key) != nil {
		return "", 0, fmt.Errorf("line %d: %w", v.line, errCut)
	}
	if c, err = v.next(); err == nil && c != ':' {
		return "", 0, fmt.Errorf("line %d: unexpected %q", v.line, c)
	}
	if err == nil {
		c, err = v.next()
	}
	return key, c, err
}

// value reads one element of the document, or of those after it. ok is false at the end.
func (v *values) value() (value jsonValue, ok bool) {
	for {
		if v.closed && !v.nextDocument() {
			if v.end == nil {
				v.end = io.EOF
			}
			return value, false
		}
		if value, ok = v.element(); ok || !v.closed {
			return value, ok
		}
	}
}

// nextDocument goes on to a document that follows the one that ended, as files have that were joined. It returns false if there is none.
func (v *values) nextDocument() bool {
	for v.around > 0 {
		c, err := v.next()
		switch {
		case err != nil:
			return false
		case c == '}':
			v.around--
			continue
		case c != ',':
			return false
		}
		if c, err = v.next(); err == nil {
			_, c, err = v.key(c)
		}
		if err == nil {
			_, err = v.text(c)
		}
		if err != nil {
			return false
		}
	}
	c, err := v.next()
	if err != nil || c != '{' && c != '[' {
		return false
	}
	v.in.UnreadByte() //nolint:errcheck // it was read just now
	var at *shape
	if c == '{' {
		head, _ := v.in.Peek(headBytes) // reading it will return the same error
		at = findShape(v.schema, head)
	}
	line := v.line
	next, err := newValues(v.in, v.schema, at)
	switch {
	case err != nil:
		v.end = err
		return false
	case next.layout != v.layout || !slices.Equal(next.header, v.header):
		v.end = fmt.Errorf("line %d: a document of another shape begins after the end of the first one; save it in a file of its own", line)
		return false
	}
	next.line += line - 1
	for i := range next.ahead {
		next.ahead[i].line += line - 1
	}
	next.rest, next.ahead = next.ahead, nil
	*v = *next
	return true
}

// element reads one element of the current document. ok is false at its end.
func (v *values) element() (value jsonValue, ok bool) {
	if len(v.rest) > 0 {
		value, v.rest = v.rest[0], v.rest[1:]
		return value, true
	}
	c, err := v.next()
	for err == nil && (c == ',' || v.isNesting(c)) {
		c, err = v.next()
	}
	if err == nil && c == v.close && len(v.members) > 0 {
		c, err = v.nextArray(c)
	}
	switch {
	case err != nil:
		v.fail(err)
		return value, false
	case c == v.close:
		v.closed = true
		return value, false
	}
	value.line = v.line
	if v.layout == layoutMembers {
		if value.key, c, err = v.key(c); err != nil {
			v.fail(err)
			return value, false
		}
	}
	text, err := v.text(c)
	switch {
	case errors.Is(err, io.EOF):
		v.end = io.EOF
		if v.close != 0 {
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
	if v.single && v.end == nil {
		v.closed = true
	}
	if v.members != nil && len(v.members) == 0 {
		v.members = memberNames(text)
	}
	return value, true
}

// isNesting reports whether c begins or ends an array of records inside the array.
func (v *values) isNesting(c byte) bool {
	switch {
	case !v.nested:
		return false
	case c == '[':
		v.depth++
	case c == ']' && v.depth > 0:
		v.depth--
	default:
		return false
	}
	return true
}

// nextArray goes on behind the end of an array to the next member of the object around it that is an array of records like those
// before. It returns the first byte of its first record; end if there is none.
func (v *values) nextArray(end byte) (byte, error) {
	for {
		c, err := v.next()
		if err != nil || c != ',' {
			if c == '}' {
				v.around--
			}
			return end, nil //nolint:nilerr // the object around the records may be cut off, and they are complete
		}
		if c, err = v.next(); err != nil || c != '"' {
			return end, nil //nolint:nilerr // likewise
		}
		name, c, err := v.key(c)
		if err != nil {
			return end, nil //nolint:nilerr // likewise
		}
		if c != '[' {
			if _, err := v.text(c); err != nil {
				return end, nil //nolint:nilerr // likewise
			}
			continue
		}
		if c, err = v.next(); err != nil || c == '{' && !besides[strings.ToLower(name)] && v.isLikeBefore() {
			return c, err
		}
		v.in.UnreadByte() //nolint:errcheck // it was read just now
		if err := v.skipElements(); err != nil {
			return end, nil //nolint:nilerr // likewise
		}
	}
}

// isLikeBefore reports whether the object whose first byte was read has the members of the first record.
func (v *values) isLikeBefore() bool {
	const usual = 4 << 10 // of a record; there may be many arrays
	for _, size := range []int{usual, headBytes} {
		head, _ := v.in.Peek(size - 1) // reading it will return the same error
		n := outline(tolerate(append([]byte{'{'}, head...), `"N"`))
		if n != nil && (!n.cut || size == headBytes) {
			return sameMembers(v.members, n.names)
		}
	}
	return false
}

// skipElements skips the elements of an array and its end.
func (v *values) skipElements() error {
	for {
		c, err := v.next()
		if err != nil || c == ']' {
			return err
		}
		if c != ',' {
			if _, err := v.text(c); err != nil {
				return err
			}
		}
	}
}

// memberNames returns the names of the members of an object at the beginning of the text.
func memberNames(text []byte) []string {
	n := outline(tolerate(text, `"N"`))
	if n == nil {
		return nil
	}
	return n.names
}

func (v *values) fail(err error) {
	v.end = io.EOF
	if !errors.Is(err, io.EOF) {
		v.end = fmt.Errorf("read: %w", err)
	} else if v.close != 0 {
		v.end = fmt.Errorf("the JSON array or object is not closed: %w", errCut)
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
		if depth == 0 && !quoted && (c == ',' || c == ']' || c == '}' || c == '\n' || c == '{') {
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
	key    string // of layoutMembers
	text   string
	reason Reason
}

type valueChunk struct {
	layout
	schema Schema
	header []string
	values []jsonValue
}

// Records parses the values.
func (p *valueChunk) Records(yield func(*Record)) {
	var record Record
	for i := range p.values {
		v := &p.values[i]
		record = Record{Line: v.line, Fields: record.Fields[:0], Reason: v.reason, rawText: v.text}
		switch {
		case record.Reason != "":
		case !utf8.ValidString(v.text):
			record.Reason = ReasonNotUTF8
		case p.layout == layoutRows:
			p.row(&record, v)
		default:
			p.object(&record, v, yield)
			continue
		}
		yield(&record)
	}
}

// object parses an object, or a text in place of one, and yields its records.
func (p *valueChunk) object(record *Record, v *jsonValue, yield func(*Record)) {
	var err error
	if v.text[0] == '"' {
		var text string
		isText := json.Unmarshal([]byte(v.text), &text) == nil
		if isText && strings.HasPrefix(text, "{") && isWholeJSON([]byte(text)) {
			v.text = text // a record that was written as text
		} else if isText {
			record.Fields = append(record.Fields, Field{nameColumns([]string{""})[0], Value{Kind: Text, Text: text}})
			yield(record)
			return
		}
	}
	if record.Fields, err = parseRecord(v.text, record.Fields); err != nil {
		record.Reason, record.Detail = ReasonBrokenJSON, err.Error()
		yield(record)
		return
	}
	yieldRecords(p.schema, v.text, record, func(r *Record) {
		if p.layout == layoutMembers && !slices.ContainsFunc(r.Fields, func(f Field) bool { return f.Name == KeyField }) {
			if _, err := strconv.Atoi(v.key); err != nil { // a number only says which member it is
				r.Fields = append(r.Fields, Field{KeyField, Value{Kind: Text, Text: v.key}})
			}
		}
		yield(r)
	})
}

// KeyField is the field for the key of a record in an object of records.
const KeyField = "key"

// row parses an array whose elements the header names.
func (p *valueChunk) row(record *Record, v *jsonValue) {
	cells := parseRow(v.text)
	if cells == nil {
		record.Reason, record.Detail = ReasonBrokenJSON, "not a JSON array"
		return
	}
	if len(cells) > len(p.header) {
		record.Reason = ReasonColumns
		record.Detail = plural(len(cells), "cell") + ", " + plural(len(p.header), "column")
		return
	}
	for i, cell := range cells {
		record.Fields = append(record.Fields, Field{p.header[i], valueOf(plainJSON(cell))})
	}
	record.Fields = flatten(p.schema, record.Fields)
}

const columnsBytesMax = 32 << 20 // of a document that has one column after another

// newColumns reads a document that has one column after another. All of it must be read before the first record is known.
func newColumns(in io.Reader, schema Schema, at *shape) (*objectChunks, []string, error) {
	p, err := io.ReadAll(io.LimitReader(in, columnsBytesMax+1))
	if err != nil {
		return nil, nil, fmt.Errorf("read: %w", err)
	}
	if len(p) > columnsBytesMax {
		return nil, nil, fmt.Errorf("this JSON has one column after another, and more than %d MiB; write one object per line instead, "+
			"in pandas with to_json(orient=\"records\", lines=True)", columnsBytesMax>>20)
	}
	v, err := (&scanner{text: string(tolerate(p[at.offset:], "null"))}).object(nil)
	if err != nil {
		return nil, nil, err
	}
	var header, keys []string
	seen := map[string]bool{}
	columns := make([]map[string]any, len(v))
	for i := range v {
		header = append(header, v[i].Name)
		members, ok := v[i].Value.Other.(map[string]any)
		if list, isList := v[i].Value.Any().([]any); isList && !ok {
			members = map[string]any{}
			for row, e := range list {
				members[strconv.Itoa(row)] = e
			}
		}
		columns[i] = members
		for key := range members {
			if !seen[key] {
				seen[key] = true
				keys = append(keys, key)
			}
		}
	}
	slices.SortFunc(keys, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) // numbers in their order
	})
	out := &objectChunks{line: 1}
	for _, key := range keys {
		fields := make([]Field, 0, len(v))
		for i := range v {
			fields = append(fields, Field{v[i].Name, valueOf(plainJSON(columns[i][key]))})
		}
		out.rows = append(out.rows, flatten(schema, fields))
	}
	return out, header, nil
}

// objectChunks returns rows that are read already.
type objectChunks struct {
	line int
	rows [][]Field
}

func (o *objectChunks) nextChunk() (Chunk, error) {
	if len(o.rows) == 0 {
		return nil, io.EOF
	}
	n := min(len(o.rows), csvRecordsMax)
	chunk := &objectChunk{line: o.line, rows: o.rows[:n]}
	o.line, o.rows = o.line+n, o.rows[n:]
	return chunk, nil
}

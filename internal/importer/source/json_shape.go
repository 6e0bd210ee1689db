package source

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// layout is how the records are arranged in a JSON document.
type layout uint8

const (
	layoutObjects layout = iota // objects, in an array or one after another
	layoutRows                  // an array of arrays, of which the first may name the columns
	layoutMembers               // an object of records by their keys
	layoutColumns               // an object of columns, each a list or an object of values by the number of the row
	layoutObject                // one object
)

// shape is where the records of a JSON document are.
type shape struct {
	layout
	path   []string // to the array or object that holds them; empty for the document itself
	offset int64    // of that array or object
	header []string // of layoutRows, if it stands apart from the rows
	others []string // arrays of objects beside it that are not read
}

// describe returns the shape for people.
func (s *shape) describe() string {
	what := map[layout]string{
		layoutObjects: "JSON array", layoutRows: "JSON array of arrays", layoutMembers: "JSON, records by key", layoutColumns: "JSON, column by column",
		layoutObject: "JSON object",
	}[s.layout]
	if len(s.path) > 0 {
		what += " in " + strings.Join(s.path, ".")
	}
	return what
}

// findShape finds the records inside a document that is one object; nil if the object is a record itself.
func findShape(schema Schema, head []byte) *shape {
	head = tolerate(head, `"N"`) // keeps the offsets
	root := outline(head)
	if root == nil {
		return nil
	}
	if s := root.shape(schema, nil); s != nil {
		return s
	}
	path, offset := findArray(schema, head)
	switch s := root.company(schema, path); {
	case s != nil:
		return s
	case path == nil:
		return root.deepCompany(schema, nil)
	}
	s := &shape{path: path, offset: offset}
	s.findOthers(root)
	return s
}

// company returns the object around the array with the path that is a company itself: the array is something of it, such as its former
// names. It returns nil if there is none.
func (n *node) company(schema Schema, array []string) *shape {
	last := len(array) - 1
	if last > 0 && slices.Contains(wrappers, strings.ToLower(array[last])) {
		return nil
	}
	for i := range last {
		if n = n.member(array[i]); n == nil {
			return nil
		}
		if n.isCompany(schema) {
			return &shape{layout: layoutObject, path: array[:i+1], offset: n.offset}
		}
	}
	return nil
}

// deepCompany returns the first object that is a company, and too deep for its members to be read with the objects around it; nil if
// there is none.
func (n *node) deepCompany(schema Schema, path []string) *shape {
	if n.kind != '{' || len(path) > shapeDepthMax || n.isRecord(schema) && !n.isCompany(schema) {
		return nil
	}
	if n.isCompany(schema) {
		if len(path) < 2 || schema.Column(strings.Join(path, ".")+".name").Key {
			return nil
		}
		return &shape{layout: layoutObject, path: path, offset: n.offset}
	}
	for i, v := range n.values {
		if s := v.deepCompany(schema, append(slices.Clip(path), n.names[i])); s != nil {
			return s
		}
	}
	return nil
}

// isCompany reports whether an object is a record of a company, by members that lists and searches do not have.
func (n *node) isCompany(schema Schema) bool {
	own := 0
	for i, name := range n.names[:min(len(n.names), shapeMembersMax)] {
		if kind := n.values[i].kind; kind != '{' && kind != '[' && schema.Column(name).Known && !ofAnything[strings.ToLower(name)] {
			own++
		}
	}
	return own >= 2 && n.isRecord(schema)
}

// ofAnything are names of members that anything may have.
var ofAnything = map[string]bool{
	"id": true, "uuid": true, "name": true, "title": true, "label": true, "display_name": true, "description": true, "summary": true, "url": true, "link": true,
	"type": true, "category": true, "tags": true, "keywords": true, "created_at": true, "updated_at": true, "size": true,
}

// findOthers names the arrays of objects beside the one that is read, except for those that have the same members: they are read, too.
func (s *shape) findOthers(n *node) {
	for _, name := range s.path[:len(s.path)-1] {
		if n != nil {
			n = n.member(name)
		}
	}
	if n == nil {
		return
	}
	at := n.member(s.path[len(s.path)-1])
	for i, v := range n.values {
		if v != at && v.kind == '[' && v.are('{') && at != nil && at.are('{') && (besides[strings.ToLower(n.names[i])] || !sameMembers(at.values[0].names, v.values[0].names)) {
			s.others = append(s.others, n.names[i])
		}
	}
}

// sameMembers reports whether two records have nearly the same members.
func sameMembers(a, b []string) bool {
	both := 0
	for _, name := range a {
		if slices.Contains(b, name) {
			both++
		}
	}
	return 5*both >= 4*(len(a)+len(b)-both)
}

const (
	outlineDepthMax = 20
	outlineNodesMax = 50_000
	shapeDepthMax   = 3  // of wrappers around an object of records
	shapeMembersMax = 50 // looked at
)

// node is a value in the beginning of a JSON document.
type node struct {
	kind   byte // '{', '[', '"' or 0 for other values
	text   string
	null   bool
	offset int64
	names  []string // of the members
	values []*node  // the members or elements
	cut    bool     // its end is missing
}

// outline parses the beginning of a document; nil if it does not begin like JSON.
func outline(head []byte) *node {
	d := json.NewDecoder(bytes.NewReader(head))
	d.UseNumber()
	nodes := 0
	n, _ := readNode(d, 0, &nodes)
	return n
}

// readNode reads one value. ok is false if the text ends inside it.
func readNode(d *json.Decoder, depth int, nodes *int) (n *node, ok bool) {
	t, err := d.Token()
	if *nodes++; err != nil || *nodes > outlineNodesMax || depth > outlineDepthMax {
		return nil, false
	}
	n = &node{offset: d.InputOffset() - 1}
	switch t := t.(type) {
	case nil:
		n.null = true
	case string:
		n.kind, n.text = '"', t
	case json.Delim:
		n.kind = byte(t)
		for d.More() {
			if n.kind == '{' {
				name, err := d.Token()
				text, isText := name.(string)
				if err != nil || !isText {
					n.cut = true
					return n, false
				}
				n.names = append(n.names, text)
			}
			v, ok := readNode(d, depth+1, nodes)
			if v != nil {
				n.values = append(n.values, v)
			}
			if !ok {
				n.names, n.cut = n.names[:min(len(n.names), len(n.values))], true
				return n, false
			}
		}
		if _, err := d.Token(); err != nil {
			n.cut = true
			return n, false
		}
	}
	return n, true
}

// member returns the member with the name; nil if there is none.
func (n *node) member(name string) *node {
	if i := slices.Index(n.names, name); i >= 0 {
		return n.values[i]
	}
	return nil
}

// are reports whether there is at least one member or element, and all are of the kind.
func (n *node) are(kind byte) bool {
	return len(n.values) > 0 && !slices.ContainsFunc(n.values, func(v *node) bool { return v.kind != kind })
}

// areScalars reports whether no member or element is an object or array.
func (n *node) areScalars() bool {
	return !slices.ContainsFunc(n.values, func(v *node) bool { return v.kind == '{' || v.kind == '[' })
}

// shape finds the records inside an object, or inside its members.
func (n *node) shape(schema Schema, path []string) *shape {
	if n.kind != '{' || len(path) > shapeDepthMax {
		return nil
	}
	if n.isColumns(schema) {
		return &shape{layout: layoutColumns, path: path, offset: n.offset}
	}
	if n.isKeyed(schema) {
		return &shape{layout: layoutMembers, path: path, offset: n.offset}
	}
	if n.isRecord(schema) {
		return nil
	}
	for i, v := range n.values {
		if v.kind == '[' && v.are('[') && slices.Contains(wrappers, strings.ToLower(n.names[i])) {
			return &shape{layout: layoutRows, path: append(slices.Clip(path), n.names[i]), offset: v.offset, header: n.header()}
		}
	}
	for i, v := range n.values {
		if s := v.shape(schema, append(slices.Clip(path), n.names[i])); s != nil {
			return s
		}
	}
	return nil
}

// isRecord reports whether a member names the company of a record.
func (n *node) isRecord(schema Schema) bool {
	for i, name := range n.names[:min(len(n.names), shapeMembersMax)] {
		if kind := n.values[i].kind; schema.Column(name).Key && kind != '{' && kind != '[' {
			return true
		}
	}
	return false
}

// knows reports whether a member has a name of which the schema knows what is asked.
func (n *node) knows(schema Schema, what func(Column) bool) bool {
	return slices.ContainsFunc(n.names[:min(len(n.names), shapeMembersMax)], func(name string) bool { return what(schema.Column(name)) })
}

// isColumns reports whether the members are columns: all are lists of the same length, or objects of values by the number of
// the row.
func (n *node) isColumns(schema Schema) bool {
	if !n.knows(schema, func(c Column) bool { return c.Key }) || len(n.values) < 2 && !n.cut {
		return false
	}
	lists := n.are('[')
	if !lists && !n.are('{') {
		return false
	}
	first := n.values[0]
	for _, v := range n.values {
		switch {
		case len(v.values) == 0 && !v.cut || !v.areScalars() && !lists:
			return false
		case lists && !v.cut && (len(v.values) != len(first.values) || len(v.values) < 2 || v.are('{')):
			return false
		case !lists && slices.ContainsFunc(v.names, func(s string) bool { return !isRowKey(schema, s) }):
			return false
		}
	}
	return true
}

// isRowKey reports whether the name of a member is the number of a row, or a value.
func isRowKey(schema Schema, name string) bool {
	_, err := strconv.ParseUint(name, 10, 64)
	return err == nil || schema.IsValue(name)
}

// isKeyed reports whether the members are records: their keys are numbers or values, or they have the same members.
func (n *node) isKeyed(schema Schema) bool {
	if !n.are('{') {
		return false
	}
	keys := 0
	for _, name := range n.names {
		if isRowKey(schema, name) {
			keys++
		} else if schema.Column(name).Known {
			return false
		}
	}
	if keys == len(n.names) {
		return true
	}
	first := n.values[0]
	if len(n.values) < 2 || !first.knows(schema, func(c Column) bool { return c.Known }) {
		return false
	}
	for _, v := range n.values[1:min(len(n.values), shapeMembersMax)] {
		shared := 0
		for _, name := range v.names {
			if slices.Contains(first.names, name) {
				shared++
			}
		}
		if 2*shared < len(first.names) && !v.cut {
			return false
		}
	}
	return true
}

// headers are the names of members that say which columns there are, or hold those that do.
var headers = []string{"columns", "fields", "header", "headers", "column_names", "columnnames", "cols", "names", "meta", "metadata", "schema", "view"}

// header returns the column names that are given next to an array of arrays.
func (n *node) header() []string {
	for i, name := range n.names {
		if !slices.Contains(headers, strings.ToLower(name)) {
			continue
		}
		list := n.values[i]
		if list.kind == '{' {
			if inner := list.header(); inner != nil {
				return inner
			}
			continue
		}
		var names []string
		for _, v := range list.values {
			text := v.text
			for _, key := range []string{"name", "label", "id", "title"} {
				if m := v.member(key); text == "" && m != nil {
					text = m.text
				}
			}
			names = append(names, text)
		}
		if len(names) > 0 && len(names) <= ColumnsMax && slices.ContainsFunc(names, func(s string) bool { return s != "" }) {
			return nameColumns(names)
		}
	}
	return nil
}

// tolerate repairs what other programs write where JSON has no way to say it: NaN, Infinity, undefined and None, which become null,
// True and False, and a comma after the last member or element, which is left out. A NaN becomes nan. All else keeps its length.
func tolerate[T string | []byte](text T, nan string) []byte {
	out := make([]byte, 0, len(text)+8)
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '"':
			end := stringEnd(text, i)
			out = append(out, text[i:end]...)
			i = end
		case ',':
			next := i + 1
			for next < len(text) && (text[next] == ' ' || text[next] == '\n' || text[next] == '\r' || text[next] == '\t') {
				next++
			}
			if next < len(text) && (text[next] == '}' || text[next] == ']') {
				c = ' '
			}
			out = append(out, c)
			i++
		case 'N', 'I', '-', 'u', 'T', 'F':
			word, value := wordAt(text[i:], nan)
			out = append(out, value...)
			i += word
		default:
			out = append(out, c)
			i++
		}
	}
	return out
}

// wordAt returns the length of the word at the beginning of the text, and what replaces it; for any text
// other than these words, which JSON lacks, it returns one byte and that byte.
func wordAt[T string | []byte](text T, nan string) (n int, value string) {
	for _, word := range []string{"NaN", "-NaN", "Infinity", "-Infinity", "undefined", "None", "True", "False"} {
		if len(text) < len(word) || string(text[:len(word)]) != word {
			continue
		}
		switch word {
		case "NaN":
			return len(word), nan
		case "True", "False":
			return len(word), strings.ToLower(word)
		}
		return len(word), "null" + strings.Repeat(" ", len(word)-len("null"))
	}
	return 1, string(text[:1])
}

// stringEnd returns the offset after the string that begins at start.
func stringEnd[T string | []byte](text T, start int) int {
	for i := start + 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

// parseRecord is parseObject for text that may have what tolerate repairs.
func parseRecord(text string, fields []Field) ([]Field, error) {
	out, err := parseObject(text, fields)
	if err == nil {
		return out, nil
	}
	if repaired, again := parseObject(string(tolerate(text, "null")), out[:0]); again == nil {
		return repaired, nil
	}
	return out, err
}

// isWholeJSON reports whether the text is one JSON value, repaired if it must be.
func isWholeJSON(text []byte) bool { return json.Valid(text) || json.Valid(tolerate(text, "null")) }

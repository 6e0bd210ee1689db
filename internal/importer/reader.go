package importer

import (
	"encoding/json"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

// Reader cuts a source into pieces that can be parsed apart from each other.
type Reader interface {
	// Next gives the next piece, and io.EOF after the last one. Any other error is the end too: the rest of the source
	// cannot be read.
	Next() (Piece, error)
}

// Piece is a run of records.
type Piece interface {
	// Records calls yield for each record, in order. The record is yield's only until it returns.
	Records(yield func(*Record))
}

// Record is one record of a source: its fields in order, or why it has none.
type Record struct {
	Line   int // the first line of it in the source, from 1
	Fields []Field
	Reason Reason // not empty for a broken record
	Detail string

	raw     []byte           // as the source has it, in the charset; for the file of rejects
	rawText string           // the same as a text
	charset *charmap.Charmap // nil for UTF-8
}

// rawBytesMax is how much is kept of a record that is rejected.
const rawBytesMax = recordBytesMax

// source is the record as the source has it, in UTF-8, or, where the source is no text, as a JSON object.
func (r *Record) source() string {
	switch {
	case r.rawText != "":
		return r.rawText
	case len(r.raw) > 0 && r.charset != nil:
		return decodeText(r.charset, r.raw)
	case len(r.raw) > 0:
		return string(r.raw)
	}
	return objectText(r.Fields)
}

// objectText writes the fields as a JSON object, in their order.
func objectText(fields []Field) string {
	var s strings.Builder
	s.WriteByte('{')
	for i := range fields {
		name, err1 := json.Marshal(fields[i].Name)
		value, err2 := json.Marshal(fields[i].Value.any())
		if err1 != nil || err2 != nil {
			continue
		}
		if s.Len() > 1 {
			s.WriteByte(',')
		}
		s.Write(name)
		s.WriteByte(':')
		s.Write(value)
	}
	s.WriteByte('}')
	return s.String()
}

// Field is one named value.
type Field struct {
	Name  string
	Value Value
}

// Kind is what a Value holds.
type Kind uint8

// The kinds.
const (
	Null   Kind = iota
	Text        // Value.Text
	Number      // Value.Text, as the source writes it
	Cell        // Value.Text: a text of a format without types, which may stand for any kind
	Texts       // Value.Texts
	Other       // Value.Other: what JSON decodes to, numbers as json.Number
)

// Value is one value of a record.
type Value struct {
	Kind  Kind
	Text  string
	Texts []string
	Other any
}

// isBlank holds for a value that says nothing.
func (v *Value) isBlank() bool {
	switch v.Kind {
	case Text, Number, Cell:
		return strings.TrimSpace(v.Text) == ""
	case Texts:
		return len(v.Texts) == 0
	case Other:
		return v.Other == nil
	case Null:
	}
	return true
}

// any is the value as encoding/json decodes it, numbers as json.Number.
func (v *Value) any() any {
	switch v.Kind {
	case Text, Cell:
		return v.Text
	case Number:
		return json.Number(v.Text)
	case Texts:
		out := make([]any, len(v.Texts))
		for i, s := range v.Texts {
			out[i] = s
		}
		return out
	case Other:
		return v.Other
	case Null:
	}
	return nil
}

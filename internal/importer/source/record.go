package source

import (
	"encoding/json"
	"strings"

	"golang.org/x/text/encoding/charmap"
)

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

// Reason is why a record cannot be used.
type Reason string

// Why a record cannot be read.
const (
	ReasonBrokenJSON  Reason = "broken JSON"
	ReasonTooLong     Reason = "the record is longer than 1 MiB"
	ReasonNotUTF8     Reason = "the record is not UTF-8"
	ReasonQuotes      Reason = "unbalanced quotes"
	ReasonColumns     Reason = "the record has a different number of cells than the header"
	ReasonManyColumns Reason = "the record has more than 5,000 columns"
)

// CommentPrefix begins lines of text that the readers pass over. A file of rejected records has such a line above each of
// them, so that it can be corrected and imported again.
const CommentPrefix = "#> line "

// Raw returns the record as the source has it, in UTF-8, or as a JSON object if the source is not text.
func (r *Record) Raw() string {
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
		value, err2 := json.Marshal(fields[i].Value.Any())
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

// IsBlank reports whether the value is empty.
func (v *Value) IsBlank() bool {
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

// Any returns the value as encoding/json decodes it, numbers as json.Number.
func (v *Value) Any() any {
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

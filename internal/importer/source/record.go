package source

import (
	"fmt"

	"golang.org/x/text/encoding/charmap"
)

// Record is one record of a table: its fields in order, or the reason why it cannot be read.
type Record struct {
	Line   int // its first line in the source, or its row, from 1
	Fields []Field
	Reason Reason // empty if the record could be read
	Detail string // more about Reason, for people; may be empty

	raw     []byte           // as the source has it, in charset; at most recordBytesMax
	rawText string           // the same as text
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
	ReasonFooter      Reason = "the row is a footer or a total"
	ReasonManyColumns Reason = "the record has more than 5,000 columns"
	ReasonOtherTable  Reason = "the row belongs to another table, below the first one"
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

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

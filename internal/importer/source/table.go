package source

import (
	"errors"
	"io"
)

// Format is the kind of file that a table was read from.
type Format string

// The formats.
const (
	CSV     Format = "CSV"
	JSON    Format = "JSON"
	NDJSON  Format = "NDJSON"
	XLSX    Format = "XLSX"
	Parquet Format = "Parquet"
)

// Table is one table of a source.
type Table struct {
	Name        string   // of the sheet, or of the file in an archive; empty if the source is the table
	Member      string   // the file in an archive that it is from; empty outside of archives
	Format      Format   // what kind of file it is
	Description string   // the format and how it is written, for people
	Fixed       bool     // every record has the columns in Header; otherwise each record names its own
	Header      []string // empty if it has none
	Notices     []string // what a person should know about how the table is read, each a predicate of the file
	Empty       string   // why it certainly has no records, a predicate of the file; empty if it may have some

	schema Schema
	reader reader
	ahead  []Chunk // read by Sample, for Next to return again
	end    error   // what Next returns after ahead; nil if there is more to read
}

// reader cuts a table into chunks.
type reader interface {
	// nextChunk returns the next chunk, and io.EOF after the last one. The rest cannot be read after any other error.
	nextChunk() (Chunk, error)
}

// Chunk is a run of records. Different chunks can be parsed by different goroutines.
type Chunk interface {
	// Records calls yield for each record, in order. The record is only valid until yield returns.
	Records(yield func(*Record))
}

// Next returns the next chunk, and io.EOF after the last one. The rest cannot be read after any other error.
func (t *Table) Next() (Chunk, error) {
	if len(t.ahead) > 0 {
		c := t.ahead[0]
		t.ahead = t.ahead[1:]
		return c, nil
	}
	if t.end != nil {
		return nil, t.end
	}
	return t.nextChunk()
}

// nextChunk returns the next chunk of the reader. The links in its values are taken apart.
func (t *Table) nextChunk() (Chunk, error) {
	c, err := t.reader.nextChunk()
	if err != nil {
		return nil, err
	}
	return linkedChunk{c, t.schema}, nil
}

// Sample calls visit for the records of whole chunks from the beginning of the table, until enough returns true. Next
// returns these chunks again. An error means that no record could be read, or that the rest is damaged; a table that was
// merely cut off is sampled as far as it goes, and Next reports the error.
func (t *Table) Sample(visit func(*Record), enough func() bool) error {
	read := false
	for !enough() && t.end == nil {
		c, err := t.nextChunk()
		switch {
		case errors.Is(err, io.EOF):
			t.end = io.EOF
		case err != nil && read && isCutOff(err):
			t.end = err
		case err != nil:
			return err
		default:
			t.ahead = append(t.ahead, c)
			c.Records(func(r *Record) {
				read = read || r.Reason == ""
				visit(r)
			})
		}
	}
	return nil
}

// isCutOff reports whether the end of the source is missing, so that what was read before is right.
func isCutOff(err error) bool {
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errCut)
}

// RawHeader returns the row that names the columns as a text file has it, in UTF-8; empty if it has none.
func (t *Table) RawHeader() string {
	reader := t.reader
	if p, ok := reader.(*partitioned); ok {
		reader = p.reader
	}
	if c, ok := reader.(*csvReader); ok && c.headerRaw != nil {
		return decodeText(c.evidence.charset(), c.headerRaw)
	}
	return ""
}

package source

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const (
	recordBytesMax = 1 << 20   // of the longest record that is read
	chunkBytes     = 128 << 10 // of a chunk, about
)

// recordSeparator stands before each object in a JSON text sequence (RFC 7464).
const recordSeparator = "\x1e"

// lines reads NDJSON: one JSON object per line. Blank lines are skipped.
type lines struct {
	schema Schema
	in     io.Reader
	rest   []byte // read, and not returned yet
	line   int    // the number of the first line in rest
	skip   int    // bytes dropped of the current line, which was reported as too long
	end    error
}

func newLines(in io.Reader, schema Schema) *lines { return &lines{schema: schema, in: in, line: 1} }

// nextChunk returns whole lines of about chunkBytes.
func (l *lines) nextChunk() (Chunk, error) {
	for {
		cut := bytes.LastIndexByte(l.rest, '\n') + 1
		if l.end != nil {
			cut = len(l.rest)
		}
		if cut > 0 && (l.end != nil || len(l.rest) >= chunkBytes) {
			return l.take(cut), nil
		}
		if l.end != nil {
			return nil, l.end
		}
		if len(l.rest) > recordBytesMax {
			return l.tooLong(), nil
		}
		l.fill()
	}
}

func (l *lines) fill() {
	have := len(l.rest)
	grown := append(make([]byte, 0, have+chunkBytes), l.rest...)
	n, err := readFull(l.in, grown[have:have+chunkBytes])
	l.rest = grown[:have+n]
	switch {
	case err == io.EOF: //nolint:errorlint // a wrapped io.EOF means that the source was cut off
		l.end = io.EOF
	case err != nil:
		l.end = fmt.Errorf("read: %w", err)
	}
}

// readFull is io.ReadFull, but returns the reader's own error.
func readFull(in io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = in.Read(p[n:])
		n += m
	}
	if n == len(p) {
		err = nil
	}
	return n, err
}

// take makes a chunk of the first n bytes.
func (l *lines) take(n int) Chunk {
	p := lineChunk{schema: l.schema, text: string(l.rest[:n]), line: l.line, skipFirst: l.skip > 0}
	l.skip = 0
	l.line += bytes.Count(l.rest[:n], []byte{'\n'})
	l.rest = l.rest[n:]
	return &p
}

// tooLong drops what was read of a line that is too long. The first time for a line, it returns a record that reports it.
func (l *lines) tooLong() Chunk {
	reported := l.skip > 0
	l.skip += len(l.rest)
	l.rest = nil
	if l.skip > lineBytesMax {
		l.end = fmt.Errorf("line %d: %w", l.line, errEndlessLine)
	}
	if reported {
		return noRecords{}
	}
	return &brokenRecord{line: l.line, reason: ReasonTooLong}
}

type lineChunk struct {
	schema    Schema
	text      string
	line      int
	skipFirst bool // the first line is the end of a line that was too long
}

// Records parses the lines.
func (p *lineChunk) Records(yield func(*Record)) {
	rest, number := p.text, p.line-1
	var record Record
	for rest != "" {
		var line string
		line, rest = cutLine(rest)
		number++
		if isBlankLine(line) || strings.HasPrefix(line, CommentPrefix) || p.skipFirst && number == p.line {
			continue
		}
		line = strings.TrimLeft(line, recordSeparator)
		if trimmed := strings.TrimRight(line, " \t\r,"); strings.HasSuffix(trimmed, "}") {
			line = trimmed // some programs end each line with a comma
		}
		record = Record{Line: number, Fields: record.Fields[:0], rawText: line}
		switch {
		case len(line) > recordBytesMax:
			record.Reason = ReasonTooLong
		case !utf8.ValidString(line):
			record.Reason = ReasonNotUTF8
		default:
			var err error
			if record.Fields, err = parseRecord(line, record.Fields); err == nil {
				yieldRecords(p.schema, line, &record, yield)
				continue
			}
			record.Reason, record.Detail = ReasonBrokenJSON, err.Error()
		}
		yield(&record)
	}
}

func cutLine(s string) (line, rest string) {
	for i := range len(s) {
		if s[i] == '\n' {
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

func isBlankLine(s string) bool {
	for i := range len(s) {
		if s[i] != ' ' && s[i] != '\t' && s[i] != '\r' {
			return false
		}
	}
	return true
}

// brokenRecord is a chunk of one record that cannot be read.
type brokenRecord struct {
	line   int
	reason Reason
	detail string
}

// Records yields the one record.
func (p *brokenRecord) Records(yield func(*Record)) {
	yield(&Record{Line: p.line, Reason: p.reason, Detail: p.detail})
}

// noRecords is a chunk without records.
type noRecords struct{}

// Records yields nothing.
func (noRecords) Records(func(*Record)) {}

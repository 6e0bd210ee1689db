package importer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// rejectNote begins the lines that a file of rejects has above each row; the readers pass over them, so that the file can
// be mended and imported again.
const rejectNote = "#> line "

// rejectFile keeps the rejected rows of one source. A CSV file's begins with the header of the source.
type rejectFile struct {
	open   func(source, ext string) (io.WriteCloser, error)
	source string
	ext    string
	header string
	name   string // once it is open, and has one
	file   io.WriteCloser
	out    *bufio.Writer
}

func newRejectFile(open func(source, ext string) (io.WriteCloser, error), source string, r Reader) *rejectFile {
	f := &rejectFile{open: open, source: source, ext: ".ndjson"}
	if c, ok := r.(*csvReader); ok {
		f.ext = ".csv"
		if c.headerRaw != nil {
			f.header = decodeText(c.evidence.charset(), c.headerRaw)
		}
	}
	return f
}

func (f *rejectFile) add(it *item, reason Reason, detail string) error {
	if f.open == nil || it.raw == "" {
		return nil
	}
	if f.out == nil {
		file, err := f.open(f.source, f.ext)
		if err != nil {
			return fmt.Errorf("open the file of rejects: %w", err)
		}
		f.file, f.out = file, bufio.NewWriter(file)
		if named, ok := file.(interface{ Name() string }); ok {
			f.name = named.Name()
		}
		if f.header != "" {
			fmt.Fprintln(f.out, strings.TrimRight(f.header, "\r\n"))
		}
	}
	why := string(reason)
	if detail != "" {
		why += ": " + strings.Map(func(r rune) rune {
			if r == '\n' || r == '\r' {
				return ' '
			}
			return r
		}, detail)
	}
	fmt.Fprintf(f.out, "%s%d: %s\n%s\n", rejectNote, it.line, why, strings.Trim(it.raw, "\r\n"))
	return nil
}

// close writes what is left.
func (f *rejectFile) close() error {
	if f.out == nil {
		return nil
	}
	err := errors.Join(f.out.Flush(), f.file.Close())
	f.out = nil
	if err != nil {
		return fmt.Errorf("write the file of rejects: %w", err)
	}
	return nil
}

package importer

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/importer/source"
)

// rejectFile writes the rejected rows of one table. For CSV it begins with the table's header.
type rejectFile struct {
	open   func(source, ext string) (io.WriteCloser, error)
	source string
	ext    string
	header string
	member string // the file in an archive; empty outside of archives
	name   string // of the open file; empty if unknown
	file   io.WriteCloser
	out    *bufio.Writer
}

func newRejectFile(open func(source, ext string) (io.WriteCloser, error), name string, t *source.Table) *rejectFile {
	f := &rejectFile{open: open, source: name, ext: ".ndjson", member: t.Member}
	if t.Format == source.CSV {
		f.ext, f.header = ".csv", t.RawHeader()
	}
	return f
}

// add writes a rejected record below a comment with its place and reason. It opens the file for the first.
func (f *rejectFile) add(it *item, reason Reason, detail string) error {
	if f.open == nil || it.raw == "" {
		return nil
	}
	if f.out == nil {
		file, err := f.open(f.source, f.ext)
		if err != nil {
			return fmt.Errorf("open the file for rejected rows: %w", err)
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
	at := strconv.Itoa(it.line)
	if f.member != "" {
		at = f.member + ":" + at
	}
	fmt.Fprintf(f.out, "%s%s: %s\n%s\n", source.CommentPrefix, at, why, strings.Trim(it.raw, "\r\n"))
	return nil
}

// close flushes and closes the file.
func (f *rejectFile) close() error {
	if f.out == nil {
		return nil
	}
	err := errors.Join(f.out.Flush(), f.file.Close())
	f.out = nil
	if err != nil {
		return fmt.Errorf("write the file of rejected rows: %w", err)
	}
	return nil
}

// RejectsIn returns a function for Options.Rejects that creates each file in the folder, under a name of its own with the time
// and the name of the source.
func RejectsIn(folder string) func(source, ext string) (io.WriteCloser, error) {
	return func(source, ext string) (io.WriteCloser, error) {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, err
		}
		base, _, _ := strings.Cut(filepath.Base(source), ".")
		stem := filepath.Join(folder, time.Now().UTC().Format("20060102-150405-")+strings.Trim(base, "()"))
		for n, path := 2, stem+ext; ; n++ {
			f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
			if !errors.Is(err, fs.ErrExist) {
				return f, err
			}
			path = fmt.Sprintf("%s-%d%s", stem, n, ext) // sources of the same name
		}
	}
}

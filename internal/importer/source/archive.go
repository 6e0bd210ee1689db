package source

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
)

// archive reads the tables of a zip or tar archive, one file after another.
type archive struct {
	source  *Source
	kind    string // zip or tar
	files   archiveFiles
	guard   *guard // of all that is unpacked
	member  *Source
	read    int      // tables
	skipped []string // files that hold no table, and that no table's notice names yet
}

// archiveFiles returns the files of an archive in their order, and io.EOF after the last one.
type archiveFiles interface {
	next() (name string, in io.Reader, err error)
}

const (
	archiveFilesMax = 10_000
	helpUnpackZip   = "unpack it first: unzip FILE"
	tarMagicAt      = 257
)

// openZip opens a workbook, or an archive of tables.
func (s *Source) openZip(f io.ReaderAt, size int64) (*Table, error) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, fmt.Errorf("read the zip archive: %w; its end may be missing: download or copy it again", err)
	}
	if err := refuseZip(z); err != nil {
		return nil, err
	}
	isBook := func(f *zip.File) bool { return strings.HasPrefix(strings.ToLower(f.Name), "xl/") }
	if hasFile(z, "[Content_Types].xml") && !slices.ContainsFunc(z.File, isBook) {
		return nil, notTable{"an Office document without sheets, or a package of another program", helpOffice}.err()
	}
	if hasFile(z, "xl/workbook.xml") || hasFile(z, "[Content_Types].xml") {
		return newXLSX(s, f, size)
	}
	var members []*zip.File
	a := &archive{source: s, kind: "zip"}
	for _, member := range z.File {
		switch {
		case member.FileInfo().IsDir() || isHidden(member.Name):
		case isTableName(member.Name):
			members = append(members, member)
		default:
			a.skipped = append(a.skipped, member.Name)
		}
	}
	isText := func(f *zip.File) bool { return strings.HasSuffix(strings.ToLower(f.Name), ".txt") }
	if slices.ContainsFunc(members, func(f *zip.File) bool { return !isText(f) }) { // texts beside tables explain them
		members = slices.DeleteFunc(members, func(f *zip.File) bool {
			if isText(f) {
				a.skipped = append(a.skipped, f.Name)
			}
			return isText(f)
		})
	}
	if len(members) == 0 && len(a.skipped) == 1 { // a file without an extension, perhaps
		for _, member := range z.File {
			if member.Name == a.skipped[0] {
				members, a.skipped = append(members, member), nil
				break
			}
		}
	}
	if len(members) > archiveFilesMax {
		return nil, fmt.Errorf("the archive has %d files, and at most %d can be read; %s", len(members), archiveFilesMax, helpUnpackZip)
	}
	for _, member := range members {
		if member.Flags&1 != 0 {
			return nil, fmt.Errorf("%s has a password; %s", member.Name, helpUnpackZip)
		}
	}
	for _, member := range members { // before anything is loaded
		if err := a.probe(member); err != nil {
			return nil, err
		}
	}
	a.files = &zipFiles{source: s, files: members}
	return s.openArchive(a)
}

// probe returns an error if the file can be seen to hold no table by its beginning.
func (a *archive) probe(f *zip.File) error {
	in, err := f.Open()
	if err != nil {
		return fmt.Errorf("read %s: %w; %s", f.Name, err, helpUnpackZip)
	}
	defer in.Close()
	member := New(f.Name, in, a.source.schema, a.source.options)
	member.inArchive = true
	defer member.Close()
	b, _, err := member.unpack(&member.in)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	head, err := b.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	switch {
	case isZip(head) && !strings.HasSuffix(strings.ToLower(f.Name), ".xlsx") || isTar(head):
		return fmt.Errorf("%s: %w", f.Name, errNested)
	case isZip(head) || bytes.HasPrefix(head, []byte("PAR1")):
		return nil
	}
	if _, err = member.textTable(b, head); err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	return nil
}

// openTar opens an archive of tables.
func (s *Source) openTar(b *bufio.Reader) (*Table, error) {
	return s.openArchive(&archive{source: s, kind: "tar", files: &tarFiles{in: tar.NewReader(b)}})
}

func (s *Source) openArchive(a *archive) (*Table, error) {
	if s.inArchive {
		return nil, errNested
	}
	a.guard = &guard{in: &s.in}
	s.more = a.next
	return a.next()
}

var errNested = errors.New("this is an archive inside an archive; unpack the outer one first, and import the files in it")

// next returns the next table.
func (a *archive) next() (*Table, error) {
	for {
		if a.member != nil {
			t, err := a.member.Next()
			switch {
			case err == nil:
				return a.take(t), nil
			case !errors.Is(err, io.EOF):
				return nil, fmt.Errorf("%s: %w", a.member.Name, err)
			}
			a.member.Close()
			a.member = nil
		}
		name, in, err := a.files.next()
		switch {
		case errors.Is(err, io.EOF) && a.read == 0:
			return nil, fmt.Errorf("the %s archive holds no table that import can read; its files are: %s", a.kind, someOf(a.skipped))
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		case err != nil:
			return nil, fmt.Errorf("read the %s archive: %w", a.kind, err)
		case isHidden(name):
			continue
		case !isTableName(name) && a.kind == "tar":
			a.skipped = append(a.skipped, name)
			continue
		}
		a.guard.Reader = in
		a.member = New(name, a.guard, a.source.schema, a.source.options)
		a.member.inArchive = true
		a.source.onClose(func() error {
			if a.member != nil {
				a.member.Close()
			}
			return nil
		})
	}
}

// take names the file that a table is from, and those that are not read.
func (a *archive) take(t *Table) *Table {
	a.read++
	t.Member = a.member.Name
	if t.Name == "" {
		t.Name = t.Member
	}
	t.Description += fmt.Sprintf(", in %s of the %s archive", a.member.Name, a.kind)
	if len(a.skipped) > 0 {
		t.Notices = append(t.Notices, "has files that hold no table and are not read: "+someOf(a.skipped))
		a.skipped = nil
	}
	return t
}

type zipFiles struct {
	source *Source
	files  []*zip.File
	open   io.Closer
}

func (z *zipFiles) next() (string, io.Reader, error) {
	if z.open != nil {
		z.open.Close() // it was read only
		z.open = nil
	}
	if len(z.files) == 0 {
		return "", nil, io.EOF
	}
	f := z.files[0]
	z.files = z.files[1:]
	in, err := f.Open()
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w; %s", f.Name, err, helpUnpackZip)
	}
	z.open = in
	return f.Name, in, nil
}

type tarFiles struct{ in *tar.Reader }

func (t *tarFiles) next() (string, io.Reader, error) {
	for range archiveFilesMax {
		h, err := t.in.Next()
		if err != nil {
			return "", nil, err
		}
		if h.Typeflag == tar.TypeReg {
			return h.Name, t.in, nil
		}
	}
	return "", nil, fmt.Errorf("more than %d entries one after another are no files", archiveFilesMax)
}

func isZip(head []byte) bool { return bytes.HasPrefix(head, []byte("PK\x03\x04")) }

func isTar(head []byte) bool {
	return len(head) > tarMagicAt+5 && string(head[tarMagicAt:tarMagicAt+5]) == "ustar"
}

// tableExtensions are those of files that may hold a table.
var tableExtensions = []string{"csv", "tsv", "tab", "psv", "txt", "json", "jsonl", "ndjson", "geojson", "xlsx", "parquet", "pq", "dat"}

// isTableName reports whether a file in an archive may hold a table, by its name.
func isTableName(name string) bool {
	base := strings.ToLower(path.Base(name))
	for _, packed := range []string{".gz", ".zst"} {
		base = strings.TrimSuffix(base, packed)
	}
	stem := strings.TrimSuffix(base, path.Ext(base))
	for _, text := range []string{"readme", "read_me", "license", "licence", "copying", "changelog", "notice", "terms", "copyright", "manifest", "datapackage"} {
		if strings.HasPrefix(stem, text) {
			return false
		}
	}
	return slices.Contains(tableExtensions, strings.TrimPrefix(path.Ext(base), "."))
}

// isHidden reports whether the file is one that a system adds to archives.
func isHidden(name string) bool {
	return strings.HasPrefix(path.Base(name), ".") || strings.HasPrefix(name, "__MACOSX/") || path.Base(name) == "Thumbs.db"
}

func hasFile(z *zip.Reader, name string) bool {
	return slices.ContainsFunc(z.File, func(f *zip.File) bool { return strings.EqualFold(f.Name, name) })
}

// refuseZip returns an error for the kinds of documents that are zip archives inside.
func refuseZip(z *zip.Reader) error {
	for name, n := range map[string]notTable{
		"xl/workbook.bin":      {"a binary Excel workbook (.xlsb)", "save it as .xlsx, or as CSV"},
		"word/document.xml":    {"a Word document", helpOffice},
		"ppt/presentation.xml": {"a PowerPoint presentation", helpOffice},
		"index/document.iwa":   {"a Numbers, Pages or Keynote document", "export the table as .xlsx or CSV, and import that"},
		"meta-inf/manifest.mf": {"a Java archive", "name the file with the data"},
		"doc.kml":              {"a KMZ map", "export the companies as CSV, and import that"},
	} {
		if hasFile(z, name) {
			return n.err()
		}
	}
	if len(z.File) == 0 {
		return errors.New("the zip archive is empty")
	}
	if z.File[0].Name != "mimetype" {
		return nil
	}
	in, err := z.File[0].Open()
	if err != nil {
		return nil //nolint:nilerr // the files in it may still be tables
	}
	defer in.Close()
	kind, _ := io.ReadAll(io.LimitReader(in, 200)) // what is there decides
	switch {
	case bytes.Contains(kind, []byte("opendocument.spreadsheet")):
		return notTable{"an OpenDocument spreadsheet (.ods)", "convert it first: soffice --headless --convert-to xlsx FILE"}.err()
	case bytes.Contains(kind, []byte("opendocument")):
		return notTable{"an OpenDocument text or drawing", helpOffice}.err()
	case bytes.Contains(kind, []byte("epub")):
		return notTable{"an e-book (EPUB)", "name the file with the data"}.err()
	}
	return nil
}

package source

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// notTable is a kind of file that holds no table, or one that cannot be read. help says what to do instead.
type notTable struct{ name, help string }

func (n notTable) err() error {
	return fmt.Errorf("this is %s, which import cannot read; %s", n.name, n.help)
}

// errNotText refuses bytes that no other check names.
var errNotText = errors.New("this is neither text nor a supported format; import reads CSV, TSV, JSON, NDJSON, XLSX and Parquet, " +
	"plain, compressed with gzip or zstd, or in a zip or tar archive")

const (
	helpImage    = "a picture of a table has to be typed or recognised first; ask for the table as CSV or XLSX"
	helpUnpack   = "unpack it first, and import the files in it"
	helpDownload = "if you expected a table, a sign-in or error page was saved in its place: download the file again"
	helpDatabase = "load it into its database, export each table as CSV, and import that"
	helpDuckDB   = `convert it first: duckdb -csv -c "FROM 'FILE'" | capi import -`
	helpOffice   = "save the table in it as XLSX or CSV, and import that"
	helpJSON5    = "convert it to JSON first: npx json5 FILE | capi import -"
	helpDecrypt  = "decrypt it first, and import the result"
	helpStats    = "save it as CSV or Parquet in the program that wrote it, and import that"
	helpHTML     = "open it in a spreadsheet program, and save it as XLSX or CSV: soffice --headless --convert-to xlsx FILE"
	helpLink     = "open the link, download the table as CSV or XLSX, and import that"
	helpXML      = "convert it to JSON first: yq -p=xml -o=json FILE | capi import -"
	helpYAML     = "convert it to JSON first: yq -o=json FILE | capi import -"
)

// signatures are the first bytes of files that are not text, from offset at.
var signatures = []struct {
	at    int
	magic string
	notTable
}{
	{0, "\x89PNG\r\n", notTable{"a PNG image", helpImage}},
	{0, "\xff\xd8\xff", notTable{"a JPEG image", helpImage}},
	{0, "GIF87a", notTable{"a GIF image", helpImage}},
	{0, "GIF89a", notTable{"a GIF image", helpImage}},
	{0, "II*\x00", notTable{"a TIFF image", helpImage}},
	{0, "MM\x00*", notTable{"a TIFF image", helpImage}},
	{4, "ftypheic", notTable{"a HEIC image", helpImage}},
	{4, "ftypavif", notTable{"an AVIF image", helpImage}},
	{4, "ftyp", notTable{"a video", "ask for the data as CSV or XLSX"}},
	{0, "Rar!\x1a\x07", notTable{"a RAR archive", helpUnpack + ": unrar x FILE"}},
	{0, "7z\xbc\xaf\x27\x1c", notTable{"a 7-Zip archive", helpUnpack + ": 7z x FILE"}},
	{0, "\xfd7zXZ", notTable{"compressed with xz", "unpack it first: xz -dc FILE | capi import -"}},
	{0, "\x04\x22\x4d\x18", notTable{"compressed with lz4", "unpack it first: lz4 -dc FILE | capi import -"}},
	{0, "\x1f\x9d", notTable{"compressed with compress", "unpack it first: gzip -dc FILE | capi import -"}},
	{0, "\xff\x06\x00\x00sNaPpY", notTable{"compressed with Snappy", "unpack it first: snzip -dc FILE | capi import -"}},
	{0, "SQLite format 3\x00", notTable{"an SQLite database", `export a table first: sqlite3 -csv -header FILE "SELECT * FROM companies" | capi import -`}},
	{8, "DUCK", notTable{"a DuckDB database", `export a table first: duckdb FILE -csv -c "FROM companies" | capi import -`}},
	{4, "Standard Jet DB", notTable{"a Microsoft Access database", "export a table first: mdb-export FILE companies | capi import -"}},
	{4, "Standard ACE DB", notTable{"a Microsoft Access database", "export a table first: mdb-export FILE companies | capi import -"}},
	{0, "PK\x05\x06", notTable{"a zip archive without files", "pack or download it again"}},
	{0, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc2\xea\x81\x60", notTable{"a SAS data set", helpStats}},
	{0, "<stata_dta>", notTable{"a Stata data set", helpStats}},
	{0, "$FL2@(#)", notTable{"an SPSS data file", helpStats}},
	{0, "$FL3@(#)", notTable{"an SPSS data file", helpStats}},
	{0, "RDX2\n", notTable{"R data", helpStats}},
	{0, "RDX3\n", notTable{"R data", helpStats}},
	{0, "X\n\x00\x00\x00", notTable{"R data", helpStats}},
	{0, "Salted__", notTable{"encrypted with OpenSSL", helpDecrypt}},
	{0, "age-encryption.org/", notTable{"encrypted with age", helpDecrypt}},
	{0, "PGDMP", notTable{"a PostgreSQL dump", helpDatabase}},
	{0, "Obj\x01", notTable{"an Avro file", helpDuckDB}},
	{0, "ARROW1", notTable{"an Arrow or Feather file", helpDuckDB}},
	{0, "FEA1", notTable{"a Feather file", helpDuckDB}},
	{0, "\x89HDF\r\n", notTable{"an HDF5 file", "save the table in it as CSV or Parquet, and import that"}},
	{0, "\x93NUMPY", notTable{"a NumPy array", "save it as CSV, and import that"}},
	{0, "bplist00", notTable{"a binary property list", "convert it to JSON first: plutil -convert json -o - FILE | capi import -"}},
	{0, "\x7fELF", notTable{"a program", "name the file with the data"}},
}

// refuseBytes returns an error that names the format and the remedy if the bytes begin a file that is not text and cannot be
// read, else nil.
func refuseBytes(head []byte) error {
	hasControls := isBinary(head[:min(len(head), 64)]) // text may have the words of a signature that is not at its beginning
	for _, s := range signatures {
		if len(head) >= s.at && bytes.HasPrefix(head[s.at:], []byte(s.magic)) && (s.at == 0 || hasControls) {
			return s.err()
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte(compound)):
		return compoundDocument(head).err()
	case len(head) > 3 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5 && isBinary(head[:min(len(head), 64)]) && (head[1] < 4 || head[2] == 0x95):
		return notTable{"a Python pickle", "save the table in it as CSV or Parquet, and import that"}.err()
	case pdf.Match(head[:min(len(head), 1024)]):
		return notTable{"a PDF document", "ask for the table as CSV or XLSX, or extract it, for example with Tabula, and import the result"}.err()
	case bytes.HasPrefix(head, []byte("RIFF")) && len(head) > 12 && bytes.Equal(head[8:12], []byte("WEBP")):
		return notTable{"a WebP image", helpImage}.err()
	case bytes.HasPrefix(head, []byte("BZh")) && len(head) > 10 && (string(head[4:10]) == "1AY&SY" || head[4] == 0x17):
		return notTable{"compressed with bzip2", "unpack it first: bunzip2 -c FILE | capi import -"}.err()
	case bytes.HasPrefix(head, []byte("BM")) && len(head) > 10 && bytes.Equal(head[6:10], make([]byte, 4)):
		return notTable{"a BMP image", helpImage}.err()
	case bytes.HasPrefix(head, []byte("ORC")) && isBinary(head):
		return notTable{"an ORC file", helpDuckDB}.err()
	}
	return nil
}

// compound begins a compound file, in which old Office documents are.
const compound = "\xd0\xcf\x11\xe0"

// compoundDocument names the document in a compound file by the streams in its directory.
func compoundDocument(head []byte) notTable {
	const helpXLS = "save it as .xlsx without a password, or as CSV"
	for _, d := range []struct {
		stream string
		notTable
	}{
		{"EncryptedPackage", notTable{"an Office document with a password, such as an Excel workbook", "open it, remove the password, save it as .xlsx or CSV, and import that"}},
		{"WordDocument", notTable{"an old Word document (.doc)", helpOffice}},
		{"PowerPoint Document", notTable{"an old PowerPoint presentation (.ppt)", helpOffice}},
		{"__substg1.0_", notTable{"an Outlook message (.msg)", "save the file that is attached to it, and import that"}},
		{"Workbook", notTable{"an old Excel workbook (.xls)", helpXLS}},
	} {
		var wide []byte
		for _, c := range []byte(d.stream) {
			wide = append(wide, c, 0)
		}
		if bytes.Contains(head, wide) {
			return d.notTable
		}
	}
	return notTable{"an old Excel workbook (.xls), another old Office document, or a workbook with a password", helpXLS}
}

var pdf = regexp.MustCompile(`^\s*(?:\xef\xbb\xbf)?\s*%PDF-\d`)

// isBinary reports whether the bytes are not text: more than about one in twenty is a control character that no text
// has. The characters that some programs put between cells do not count, and a few NULs are only dirt.
func isBinary(head []byte) bool {
	controls := 0
	for _, b := range head {
		if b < ' ' && (b == 0 || b > 3) && b < 0x1c && b != '\t' && b != '\n' && b != '\r' && b != '\f' || b == 0x7f {
			controls++
		}
	}
	const few = 2
	return 20*(controls-few) > len(head)
}

// beginnings are how texts begin that hold no table.
var beginnings = []struct {
	pattern *regexp.Regexp
	notTable
}{
	{regexp.MustCompile(`^version https://git-lfs\.github\.com/spec/`), notTable{
		"a Git LFS pointer, which stands for a file that was not downloaded", "fetch the file first: git lfs pull",
	}},
	{regexp.MustCompile(`^\.?/?(?:\.\./)*(?:\.git)?/annex/objects/`), notTable{
		"a git-annex pointer, which stands for a file that was not downloaded", "fetch the file first: git annex get FILE",
	}},
	{regexp.MustCompile(`(?is)^\s*(?:<\?xml[^>]*\?>\s*)?<html\b[^>]*urn:schemas-microsoft-com:office:`), notTable{"an HTML table in place of a workbook", helpHTML}},
	{regexp.MustCompile(`(?is)^\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b`), notTable{"an HTML page", helpDownload}},
	{regexp.MustCompile(`(?is)^\s*(?:<!--.*?-->\s*)*<(?:script|meta|title|style|link|table|div|span|p|h[1-6]|center|form|iframe)(?:\s[^<>]*)?/?>.*</`), notTable{
		"HTML", helpDownload,
	}},
	{regexp.MustCompile(`^\s*<\?xml[^>]*\?>\s*<\?mso-application`), notTable{"an Excel workbook in the old XML format", helpOffice}},
	{regexp.MustCompile(`(?s)^\s*(?:<\?xml[^>]*\?>\s*)?(?:<!--.*?-->\s*|<!DOCTYPE svg[^>]*>\s*)*<svg\b`), notTable{"an SVG image", helpImage}},
	{regexp.MustCompile(`^\s*(?:<\?xml\s|<!DOCTYPE\s|<!\[CDATA\[)`), notTable{"XML", helpXML}},
	{regexp.MustCompile(`^\s*\{\\rtf`), notTable{"a rich text document (RTF)", helpOffice}},
	{regexp.MustCompile(`^%!PS`), notTable{"a PostScript document", "ask for the table as CSV or XLSX"}},
	{regexp.MustCompile(`^-----BEGIN [A-Z ]+-----`), notTable{"an encrypted message or a key (PEM or PGP)", "decrypt it first, such as: gpg -d FILE | capi import -"}},
	{regexp.MustCompile(`(?i)^BEGIN:VCARD\b`), notTable{"a vCard file, which holds contacts of persons", "export the companies as CSV, and import that"}},
	{regexp.MustCompile(`(?i)^BEGIN:VCALENDAR\b`), notTable{"a calendar", "name the file with the companies"}},
	{regexp.MustCompile(`(?is)^(?:\s|--[^\n]*\n|/\*.*?\*/;?)*(?:insert\s+into|create\s+(?:table|database|schema)|drop\s+table|pragma\s+\w+\s*=|copy\s+[\w."]+\s*\([^)]*\)\s+from\s+stdin|set\s+(?:names|statement_timeout)|lock\s+tables|begin\s+transaction|use\s+[\w."\[\]]+\s*;?\s*\n\s*(?:go|create|insert|drop)|set\s+(?:ansi_nulls|identity_insert|nocount))\b`), notTable{
		"an SQL dump", helpDatabase,
	}},
	{regexp.MustCompile(`^--\s*\n?-- (?:MySQL|MariaDB|PostgreSQL|phpMyAdmin)[^\n]*\b(?:dump|Dump)`), notTable{"an SQL dump", helpDatabase}},
	{regexp.MustCompile(`^@prefix\s+\w*:\s*<`), notTable{"RDF in Turtle", "export the companies as CSV, for example with a SPARQL query, and import that"}},
	{regexp.MustCompile(`^<[^<>\s]+> <[^<>\s]+> (?:<[^<>\s]+>|"[^\n]*) ?\.\s`), notTable{"RDF in N-Triples", "export the companies as CSV, for example with a SPARQL query, and import that"}},
	{regexp.MustCompile(`(?is)^(?:\s|--[^\n]*\n)*(?:select\s+(?:distinct\s+)?(?:\*|[\w."\[\]]+(?:\s*,\s*[\w."\[\]]+)*)\s+from\s+\S|with\s+\w+\s+as\s*\(\s*select\s)`), notTable{
		"an SQL query", "run it, save its result as CSV, and import that",
	}},
	{regexp.MustCompile(`^(?:diff --git |--- \S[^\n]*\n\+\+\+ \S|Index: \S[^\n]*\n=+\n)`), notTable{"a diff", "name the file with the data"}},
	{regexp.MustCompile(`(?m)\A(?s:.*)^<{7} [^\n]*\n(?s:.*)^={7}\r?$(?s:.*)^>{7} `), notTable{"a file with a conflict that Git marked", "resolve the conflict first"}},
	{regexp.MustCompile(`^\s*(?:%[^\n]*\n\s*)*\\(?:documentclass|begin\{|usepackage|section)`), notTable{"a LaTeX document", helpOffice}},
	{regexp.MustCompile(`^\s*@(?i:article|book|inproceedings|misc|techreport)\s*\{`), notTable{"a BibTeX bibliography", "name the file with the companies"}},
	{regexp.MustCompile(`^(?:outs:\r?\n- (?:md5|hash):|(?:outs:\r?\n)?- ?md5:|md5: [0-9a-f.]+\r?\n)`), notTable{"a DVC pointer, which stands for a file that was not downloaded", "fetch the file first: dvc pull"}},
	{regexp.MustCompile(`^\[InternetShortcut\]`), notTable{"a link to a page", helpLink}},
	{regexp.MustCompile(`^(?:from [\w.]+ import |import \w[\w.]*(?: as \w+)?\r?\n)`), notTable{"a Python program", "name the file with the data"}},
	{regexp.MustCompile(`^\s*(?:\[\s*)?\{\s*'[^'\n]*'\s*:`), notTable{
		"a Python literal", `convert it to JSON first: python3 -c "import ast,json,sys; print(json.dumps(ast.literal_eval(sys.stdin.read())))" < FILE | capi import -`,
	}},
	{regexp.MustCompile(`(?s)^\s*(?:(?://[^\n]*\n|/\*.*?\*/)\s*)+[\[{]`), notTable{"JSON with comments", helpJSON5}},
	{regexp.MustCompile(`^\s*(?:\[\s*)?\{\s*[A-Za-z_$][\w$]*\s*:\s*["'\d\[{tfn-]`), notTable{"JSON with names that are not in quotes", helpJSON5}},
	{regexp.MustCompile(`^dn: \S[^\n]*=`), notTable{"LDIF, an export of a directory", "export the companies as CSV, and import that"}},
	{regexp.MustCompile(`^data:[\w/+.-]+;?[\w=-]*(?:;base64)?,`), notTable{"a data URL", "save what it stands for as a file: open it in a browser"}},
	{regexp.MustCompile(`^"\s*(?:\[|\{)\s*(?:\\"|\{\s*\\")`), notTable{"JSON inside a JSON text", "unwrap it first: jq -r . FILE | capi import -"}},
	{regexp.MustCompile(`^#!\s?/`), notTable{"a script", "name the file with the data"}},
	{regexp.MustCompile(`^\s*(?:(?:export\s+)?(?:var|let|const)\s+[\w$]+|window\.[\w.$]+|module\.exports|export\s+default)\s*(?:=\s*)?[\[{]`), notTable{
		"JavaScript", "keep only the JSON between the brackets, and import that",
	}},
	{regexp.MustCompile(`^\s*(?:/\*\*/)?[A-Za-z_$][\w.$]*\(\s*[\[{]`), notTable{"JSONP", "keep only the JSON between the parentheses, and import that"}},
}

var tableElement = regexp.MustCompile(`(?is)^<.*<t[dh][\s>]`)

// headerField is a field of an email.
var headerField = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*):(?:[ \t]|$)`)

// mailFields are the fields of emails, true for those that nothing else has.
var mailFields = map[string]bool{
	"from": false, "to": false, "cc": false, "subject": false, "date": false, "reply-to": false, "received": true, "return-path": true,
	"delivered-to": true, "message-id": true, "mime-version": true, "content-type": true, "content-transfer-encoding": true,
}

// refuseText returns an error that names what the text is, and says what to do, if it holds no table. text is the beginning
// of it, in UTF-8. asked reports whether the user named a delimiter, so that lines of fields are more than a guess.
func refuseText(name string, text []byte, asked bool) error {
	text = bytes.TrimLeft(text, "\ufeff \t\r\n")
	start := text[:min(len(text), 64<<10)]
	if strings.Contains(strings.ToLower(filepath.Ext(name)), ".xls") && tableElement.Match(start) {
		return notTable{"an HTML table in place of a workbook", helpHTML}.err()
	}
	for _, b := range beginnings {
		if b.pattern.Match(start) {
			return b.err()
		}
	}
	exts := strings.Split(strings.ToLower(filepath.Base(name)), ".")[1:]
	lines := firstLines(start, 60, len(text) > len(start))
	switch {
	case len(lines) == 0 || asked:
		return nil
	case isElement(text):
		return notTable{"XML", helpXML}.err()
	case (slices.Contains(exts, "md") || isMarkdown(lines)) && !bytes.ContainsRune(start, '|'):
		return notTable{"a Markdown text", "save the table in it as CSV, and import that"}.err()
	case isWebArchive(lines):
		return notTable{"a saved web page (MHTML)", helpDownload}.err()
	case isMail(lines):
		return notTable{"an email", "save the file that is attached to it, and import that"}.err()
	case isYAML(lines), start[0] != '{' && start[0] != '[' && (slices.Contains(exts, "yaml") || slices.Contains(exts, "yml")):
		return notTable{"YAML", helpYAML}.err()
	case isTOML(lines):
		return notTable{"TOML or an INI file", "convert it to JSON first: yq -p=toml -o=json FILE | capi import -"}.err()
	}
	return nil
}

// firstLines returns the first lines that are not blank, at most n. If the text was cut off, the last line is left out.
func firstLines(text []byte, n int, cut bool) []string {
	var out []string
	for line := range bytes.Lines(text) {
		if cut && line[len(line)-1] != '\n' && len(out) > 0 {
			break
		}
		if s := strings.TrimRight(string(line), " \t\r\n"); s != "" {
			out = append(out, s)
		}
		if len(out) == n {
			break
		}
	}
	return out
}

var (
	element = regexp.MustCompile(`^<([A-Za-z_][\w:.-]*)(?:\s[^<>]*)?>`)
	yamlKey = regexp.MustCompile(`^\s*(?:- +)*(?:"[^"]*"|'[^']*'|[\p{L}_$@][^:#,;\t|{}\[\]"]{0,60}):(?:\s|$)`)
	tomlKey = regexp.MustCompile(`^\s*(?:"[^"]+"|[\w.-]+)\s*=\s*(?:"|'|\[|\{|-?\d|true\b|false\b)`)
	heading = regexp.MustCompile(`^#{2,6} [\pL\d]`)
	section = regexp.MustCompile(`^\s*\[{1,2}[\w ."-]+\]{1,2}\s*(?:[#;].*)?$`)
)

// isElement reports whether the text begins with an element that is closed, or that has another element in it. A header
// such as <name>,<domain> has neither.
func isElement(text []byte) bool {
	m := element.FindSubmatch(text)
	if m == nil {
		return false
	}
	rest := bytes.TrimSpace(text[len(m[0]):])
	return bytes.Contains(rest, []byte("</"))
}

// isMail reports whether the lines begin with the header of an email.
func isMail(lines []string) bool {
	known, certain := map[string]bool{}, false
	for i, line := range lines {
		m := headerField.FindStringSubmatch(line)
		if m == nil {
			mailbox := i == 0 && strings.HasPrefix(line, "From ") && strings.Contains(line, "@")
			if mailbox || i > 0 && (line[0] == ' ' || line[0] == '\t') {
				continue // the field goes on
			}
			break
		}
		name := strings.ToLower(m[1])
		if only, ok := mailFields[name]; ok {
			known[name] = true
			certain = certain || only
		}
	}
	return len(known) >= 2 && certain || known["from"] && known["subject"] && len(known) >= 3
}

// isMarkdown reports whether the first line is the title of a text, and another line the heading of a part of it. A list may have a title, and a
// table comments.
func isMarkdown(lines []string) bool {
	if !strings.HasPrefix(lines[0], "# ") || !slices.ContainsFunc(lines[1:], heading.MatchString) {
		return false
	}
	cells, others := 0, 0
	for _, line := range lines {
		switch {
		case line[0] == '#':
		case strings.ContainsAny(line, ",;\t"):
			cells++
		default:
			others++
		}
	}
	return others >= cells
}

// isWebArchive reports whether the lines begin with the header of a page that a browser saved.
func isWebArchive(lines []string) bool {
	head := strings.Join(lines[:min(len(lines), 10)], "\n")
	return strings.HasPrefix(head, "From: <Saved by ") || strings.Contains(head, "\nSnapshot-Content-Location:")
}

// isYAML reports whether all lines are keys with values, items of a list, or go on with one.
func isYAML(lines []string) bool {
	if strings.HasPrefix(lines[0], "%YAML") {
		return true
	}
	keys, items := 0, 0
	for i, line := range lines {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "": // the lines have other blanks, such as a form feed
		case trimmed[0] == '#', trimmed == "---", trimmed == "...", strings.HasPrefix(line, "--- "):
		case yamlKey.MatchString(line):
			keys++
		case strings.HasPrefix(trimmed, "- ") || trimmed == "-":
			items++
		case i > 0 && keys > 0 && (line[0] == ' ' || line[0] == '\t'): // goes on
		default:
			return false
		}
	}
	return keys >= 2 || keys == 1 && items >= 1 || items >= 3 || keys == 1 && strings.HasPrefix(lines[0], "---")
}

// isTOML reports whether all lines are keys with values or names of sections.
func isTOML(lines []string) bool {
	keys, sections := 0, 0
	for _, line := range lines {
		switch {
		case line[0] == '#' || line[0] == ';':
		case section.MatchString(line):
			sections++
		case tomlKey.MatchString(line) || sections > 0 && strings.Contains(line, "="):
			keys++
		case keys > 0 && sections > 0 && (line[0] == ' ' || line[0] == '\t' || line[0] == ']'): // a list on several lines
		default:
			return false
		}
	}
	return keys >= 2 || keys >= 1 && sections >= 1
}

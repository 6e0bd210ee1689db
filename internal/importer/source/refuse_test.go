package source

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// anySchema knows the names that the tests use.
type anySchema struct{}

func (anySchema) Column(name string) Column {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "name", "company", "domain", "website", "title":
		return Column{Known: true, Key: true}
	case "country", "city", "employees", "founded", "size":
		return Column{Known: true}
	case "investors":
		return Column{Known: true, Whole: true}
	}
	return Column{}
}

func (anySchema) IsValue(cell string) bool {
	return strings.Contains(cell, ".") && !strings.Contains(cell, " ")
}

// records reads all tables of a source. A record is its fields, each as name=value, or its reason.
func records(t testing.TB, name, content string, o Options) (out []string, notices []string, err error) {
	t.Helper()
	s := New(name, strings.NewReader(content), anySchema{}, o)
	defer s.Close()
	for {
		table, err := s.Next()
		if err != nil {
			return out, notices, ignoreEOF(err)
		}
		notices = append(notices, table.Notices...)
		for {
			chunk, err := table.Next()
			if ignoreEOF(err) != nil {
				return out, notices, err
			}
			if err != nil {
				break
			}
			chunk.Records(func(r *Record) {
				var parts []string
				for i := range r.Fields {
					if f := &r.Fields[i]; !f.Value.IsBlank() {
						parts = append(parts, f.Name+"="+strings.TrimSuffix(strings.TrimPrefix(objectText([]Field{{"", f.Value}}), `{"":`), "}"))
					}
				}
				if r.Reason != "" {
					parts = []string{string(r.Reason)}
				}
				out = append(out, strings.Join(parts, " "))
			})
		}
	}
}

// wide returns text in UTF-16.
func wide(s string) string { return strings.Join(strings.Split(s, ""), "\x00") + "\x00" }

func TestAnHTMLTableInPlaceOfAWorkbookIsToBeSavedAsOne(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"<table><tr><th>name</th></tr><tr><td>Acme</td></tr></table>", "<html xmlns:x=\"urn:schemas-microsoft-com:office:excel\"><table><tr><td>Acme</td></tr></table></html>"} {
		_, _, err := records(t, "a.xls", content, Options{})
		require.ErrorContains(t, err, "an HTML table in place of a workbook")
		require.ErrorContains(t, err, "soffice")
	}
	_, _, err := records(t, "a.md", "# Companies\n\n* Acme, Bonn\n", Options{})
	require.ErrorContains(t, err, "a Markdown text")
}

func TestWhatIsNoTableIsRefusedByItsName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ content, name, help string }{
		{"<!DOCTYPE html>\n<html><body>Log in, please</body></html>", "an HTML page", "download"},
		{"\xef\xbb\xbf\n  <!-- saved, today -->\n<HTML lang=de>\n<head>", "an HTML page", "download"},
		{"<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"-//W3C\">\n<html>", "an HTML page", "download"},
		{"<table border=1><tr><td>Acme, Inc</td></tr></table>", "HTML", "download"},
		{"<?xml version=\"1.0\"?><companies><company><name>Acme</name></company></companies>", "XML", "yq"},
		{"<companies>\n<company name=\"Acme, Inc\"/>\n</companies>", "XML", "yq"},
		{"<?xml version=\"1.0\"?>\n<?mso-application progid=\"Excel.Sheet\"?><Workbook/>", "old XML format", "XLSX"},
		{"<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>", "an SVG image", "CSV"},
		{"name: Acme\ncity: Bonn\nsites:\n  - acme.example\n", "YAML", "yq"},
		{"# ours\n---\ncompanies:\n- {name: Acme, city: Bonn}\n", "YAML", "yq"},
		{"# Companies\n\nThis data has companies of the world.\n\n## License\n\nMIT\n", "a Markdown text", "CSV"},
		{"- name: Grün, AG\n  about: |\n    Tools, steel\n    and more\n", "YAML", "yq"},
		{"[owner]\nname = \"Acme\"\ncity = \"Bonn\"\n", "TOML", "yq"},
		{"[[companies]]\nname = \"Acme\"\n", "TOML", "yq"},
		{"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", "a PDF document", "CSV"},
		{"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 123\n", "a Git LFS pointer", "git lfs pull"},
		{"/annex/objects/SHA256E-s5--ab.csv\n", "a git-annex pointer", "git annex get"},
		{"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a PNG image", "CSV"},
		{"\xff\xd8\xff\xe0\x00\x10JFIF", "a JPEG image", "CSV"},
		{"RIFF\x24\x01\x02\x03WEBPVP8 ", "a WebP image", "CSV"},
		{"BM\x36\x10\x0e\x00\x00\x00\x00\x00\x36", "a BMP image", "CSV"},
		{"From: Ann <ann@acme.example>\nTo: bob@bolt.example\nSubject: List, new\n\nHello,\n", "an email", "attached"},
		{"Return-Path: <a@b.example>\nReceived: from x\n\tby y\nFrom: a@b.example\n\nHi\n", "an email", "attached"},
		{"From ann@acme.example Mon Jan  1 00:00:00 2024\nReceived: from x\nSubject: Hi\n\nHi\n", "an email", "attached"},
		{"-- MySQL dump 10.13\n--\nDROP TABLE IF EXISTS `companies`;\n", "an SQL dump", "database"},
		{"INSERT INTO companies VALUES (1,'Acme');\n", "an SQL dump", "database"},
		{"SQLite format 3\x00\x10\x00\x01\x01", "an SQLite database", "sqlite3"},
		{"Obj\x01\x04\x14avro.codec", "an Avro file", "duckdb"},
		{"7z\xbc\xaf\x27\x1c\x00\x04", "a 7-Zip archive", "7z x"},
		{"BZh91AY&SY\x00\x01\x02\x03\x00\x00\x00\x00\x00", "compressed with bzip2", "bunzip2"},
		{"{\\rtf1\\ansi Acme}", "rich text", "CSV"},
		{"BEGIN:VCARD\nVERSION:3.0\nFN:Ann\nEND:VCARD\n", "a vCard", "CSV"},
		{"callback({\"companies\":[]})", "JSONP", "JSON"},
		{"var data = [{\"name\":\"Acme\"}];", "JavaScript", "JSON"},
		{"Name          Website\nAcme Tools    acme.example\nBolt          bolt.example\n", "separated by runs of spaces", "sed -E"},
		{"Contact:,Ada\nPhone:,120\nFax:,121\n", "the name of a field and its value", "in one line"},
		{"diff --git a/c.csv b/c.csv\n--- a/c.csv\n+++ b/c.csv\n@@ -1 +1,2 @@\n name,city\n+Acme,Bonn\n", "a diff", "data"},
		{"name,city\n<<<<<<< HEAD\nAcme,Bonn\n=======\nAcme,Berlin\n>>>>>>> main\n", "a conflict that Git marked", "resolve"},
		{"\\documentclass{article}\n\\begin{document}\nAcme & Bonn\n", "a LaTeX document", "CSV"},
		{"@article{acme,\n title = {Tools},\n}\n", "a BibTeX bibliography", "companies"},
		{"USE [crm]\nGO\nINSERT [dbo].[c] VALUES (N'Acme, Inc')\n", "an SQL dump", "database"},
		{"SELECT name, city FROM companies WHERE city = 'Bonn'\n", "an SQL query", "result"},
		{"import csv\n\nprint('Acme, Inc')\n", "a Python program", "data"},
		{"[{'name': 'Acme', 'city': None}]", "a Python literal", "python3"},
		{"// ours\n[{\"name\": \"Acme\"}]", "JSON with comments", "json5"},
		{"[{name: \"Acme\", city: 'Bonn'}]", "names that are not in quotes", "json5"},
		{`"[{\"name\":\"Acme\"}]"`, "JSON inside a JSON text", "jq -r"},
		{"outs:\n- md5: 4d7a\n  size: 1\n  path: a.csv\n", "a DVC pointer", "dvc pull"},
		{"[InternetShortcut]\nURL=https://docs.example/a\n", "a link to a page", "download"},
		{"dn: o=Acme\no: Acme\n", "LDIF", "CSV"},
		{"data:text/csv;charset=utf-8,name%2Ccity%0AAcme%2CBonn", "a data URL", "browser"},
		{"From: <Saved by Blink>\nSnapshot-Content-Location: https://acme.example/\nMIME-Version: 1.0\n\n--x\n", "a saved web page", "download"},
		{`{"$schema":"http://json-schema.org/draft-07/schema#","title":"Company","properties":{"name":{"type":"string"}}}`, "a JSON Schema", "data"},
		{`{"openapi":"3.1.0","info":{"title":"Companies"},"paths":{}}`, "an OpenAPI document", "data"},
		{`{"name":"app","version":"1.0.0","dependencies":{"a":"1"},"homepage":"https://acme.example"}`, "a software package", "data"},
		{`{"version":4,"terraform_version":"1.5","resources":[{"name":"b","type":"bucket"}]}`, "Terraform", "data"},
		{`{"nbformat":4,"cells":[{"source":["x"]}]}`, "a Jupyter notebook", "CSV"},
		{`{"log":{"creator":{"name":"x"},"entries":[{"request":{"url":"https://acme.example"}}]}}`, "a recording of requests", "JSON"},
		{`{"":"WARNING","doc_id":"a","email":"ada@acme.example"}`, "Google Drive", "download"},
		{`{"error":{"code":401,"message":"The token is not valid"}}`, "The token is not valid", "again"},
		{"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x04name\x94\x8c\x04Acmeu.", "a Python pickle", "CSV"},
		{"X\n\x00\x00\x00\x03\x00\x04", "R data", "CSV"},
		{"$FL2@(#) SPSS DATA FILE\x00\x00", "an SPSS data file", "CSV"},
		{"<stata_dta><header><release>118", "a Stata data set", "CSV"},
		{"Salted__\x01\x02\x03\xff\xfe\x01\x02", "encrypted with OpenSSL", "decrypt"},
		{"age-encryption.org/v1\n-> X25519 a\n", "encrypted with age", "decrypt"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + wide("EncryptedPackage"), "a password", "remove the password"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + wide("WordDocument"), "an old Word document", "CSV"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + wide("Workbook"), "an old Excel workbook (.xls)", "CSV"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + wide("__substg1.0_1000001F"), "an Outlook message", "attached"},
		{strings.Repeat("\x00\x01\x07\x08\xfe", 20), "neither text", "CSV"},
	} {
		for _, name := range []string{"a.csv", "a.json", "-"} {
			t.Run(name+" "+c.content[:min(len(c.content), 20)], func(t *testing.T) {
				t.Parallel()
				got, _, err := records(t, name, c.content, Options{})
				require.ErrorContains(t, err, c.name)
				require.ErrorContains(t, err, c.help)
				require.Empty(t, got)
			})
		}
	}
}

func TestTablesThatLookLikeSomethingElseAreRead(t *testing.T) {
	t.Parallel()
	for _, content := range []string{
		"<name>,<city>\nAcme,Bonn\n",
		"# made by a program\n## version 2\nname,city\nAcme,Bonn\n",
		"name,about\nAcme,<p>We <b>make</b> tools</p>\n",
		"name,about\nAcme,name: Acme\n",
		"From: 2024-01-01,\nTo: 2024-12-31,\nname,city\nAcme,Bonn\n",
		"Title: Companies\nDate: today\nname;city\nAcme;Bonn\n",
		"name,city\nAcme,\"- Bonn\"\n- Bolt,Ulm\n",
		"BMW,city\nAcme,Bonn\n",
		"ORC,name\n1,Acme\n",
		"BZh,name\n1,Acme\n",
		"companyzDUCK,name\n1,Acme\n",
		"name,price(USD)\nAcme,5\n",
		"from,to,subject,name\na,b,c,Acme\n",
		"name = x,city\nAcme,Bonn\n",
		"Select,name\nfrom here,Acme\n",
		"select name\nAcme from Bonn\n",
		"Use case;name\nTools;Acme\n",
		"import csv,name\nx,Acme\n",
		"name\nAcme  Tools of Bonn\nBolt\n",
		"name,city\nAcme  Tools,Bonn\nBolt  Works,Ulm\n",
		"name,about\nAcme,=======\nBolt,<<<<<<< HEAD\n",
		`{"name":"Acme","version":"1"}`,
		`{"name":"Acme","error":"","message":"x"}`,
		`[{"name":"Acme","error":"x"}]`,
	} {
		got, _, err := records(t, "-", content, Options{})
		require.NoError(t, err, content)
		require.NotEmpty(t, got, content)
		require.Contains(t, strings.Join(got, "\n"), "Acme", content)
	}
	got, _, err := records(t, "-", "name: city\nAcme: Bonn\nBolt: Ulm\n", Options{Delimiter: ":"})
	require.NoError(t, err)
	require.Len(t, got, 2)
}

func TestNULsInTextAreLeftOut(t *testing.T) {
	t.Parallel()
	content := "name,city\nAc\x00me,Bonn\nBolt,\x00\x00\nCog,Ulm\nDart Works,Trier and Jena\n"
	got, notices, err := records(t, "a.csv", content, Options{})
	require.NoError(t, err)
	require.Equal(t, []string{`name="Acme" city="Bonn"`, `name="Bolt"`, `name="Cog" city="Ulm"`, `name="Dart Works" city="Trier and Jena"`}, got)
	require.Equal(t, []string{"contains NUL characters, which are left out"}, notices)
	got, _, err = records(t, "a.ndjson", "{\"name\":\"Ac\x00me\"}\n", Options{})
	require.NoError(t, err)
	require.Equal(t, []string{`name="Acme"`}, got)
	late := "name,city\n" + strings.Repeat("Acme,Bonn\n", 2*headBytes/10) + "Bo\x00lt,Ulm\n"
	got, _, err = records(t, "a.csv", late, Options{})
	require.NoError(t, err)
	require.Equal(t, `name="Bolt" city="Ulm"`, got[len(got)-1])
	_, err = (&withoutNULs{Reader: bytes.NewReader(make([]byte, lineBytesMax+(1<<20)))}).Read(make([]byte, 1<<20))
	require.ErrorIs(t, err, errNotText)
}

func ignoreEOF(err error) error {
	if err != nil && err.Error() == "EOF" {
		return nil
	}
	return err
}

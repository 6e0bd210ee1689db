package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/upload"
)

const leads = "Firm,Web,Town,Staff,Notes\nAcme,acme.example,Bonn,20,first\nBolt,bolt.example,Ulm,30,second\n,,Jena,,\n"

// importing returns a console whose uploads are planned and imported.
func importing(t *testing.T, change ...func(*Deps)) *fixture {
	t.Helper()
	var h *fixture
	h = open(t, append(change, func(d *Deps) {
		d.System.Examine = nothingFound
		d.System.Imports = func(ctx context.Context, before int64, limit int) (all []Import, err error) {
			kept, err := h.catalog.Imports(ctx, before, limit)
			for _, i := range kept {
				all = append(all, Import{Number: i.Number, Files: i.Files, StartedAt: i.StartedAt, FinishedAt: i.FinishedAt, UndoneAt: i.UndoneAt})
			}
			return all, err
		}
	})...)
	require.NoError(t, h.Deps.Uploads.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, h.Deps.Uploads.Close(context.Background())) })
	return h
}

// sends sends files as a form, given as pairs of name and content.
func (b *browser) sends(t *testing.T, path string, files ...string) answer {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for i := 0; i < len(files); i += 2 {
		part, err := form.CreateFormFile("file", files[i])
		require.NoError(t, err)
		_, err = io.WriteString(part, files[i+1])
		require.NoError(t, err)
	}
	require.NoError(t, form.Close())
	return b.raw(t, path, form.FormDataContentType(), &body)
}

// raw posts a body of any type.
func (b *browser) raw(t *testing.T, path, contentType string, body io.Reader) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.h.url+basePath+path, body)
	require.NoError(t, err)
	for name, values := range b.headers {
		r.Header[name] = values
	}
	r.Header.Set("Content-Type", contentType)
	res, err := b.client.Do(r)
	require.NoError(t, err)
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return answer{res.StatusCode, res.Header, string(content)}
}

// newUpload returns the path of a new upload.
func (b *browser) newUpload(t *testing.T) string {
	t.Helper()
	return strings.TrimPrefix(b.get(t, "/operator/uploads/new").location(), basePath)
}

// settles returns the page of an upload once it no longer changes by itself.
func (b *browser) settles(t *testing.T, path string) string {
	t.Helper()
	stream := b.get(t, path+"/events").body
	require.True(t, strings.HasSuffix(stream, "event: end\ndata:\n\n"), stream)
	a := b.get(t, path)
	require.Equal(t, http.StatusOK, a.status, a.body)
	return a.body
}

// planned returns the path of an upload with a plan, and its page.
func (b *browser) planned(t *testing.T, files ...string) (path, page string) {
	t.Helper()
	path = b.newUpload(t)
	a := b.sends(t, path+"/files", files...)
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	require.Equal(t, basePath+path, a.location())
	return path, b.settles(t, path)
}

var (
	tag    = regexp.MustCompile(`<[^>]*>`)
	spaces = regexp.MustCompile(`\s+`)
)

// textIn returns the text of a page in one line.
func textIn(page string) string {
	return spaces.ReplaceAllString(tag.ReplaceAllString(page, " "), " ")
}

func TestAFileIsImportedInTheBrowser(t *testing.T) {
	t.Parallel()
	h := importing(t)
	ann := h.as(t, h.ann)
	require.Contains(t, ann.get(t, "/operator/imports").body, basePath+"/operator/uploads/new")
	path := ann.newUpload(t)
	empty := ann.get(t, path).body
	require.Contains(t, empty, `type="file"`)
	require.Contains(t, empty, `enctype="multipart/form-data"`, "it works without script")
	require.Contains(t, empty, "8 MiB at most")

	path, page := ann.planned(t, "leads.csv", leads)
	text := textIn(page)
	for _, expected := range []string{"Records read 3", "Added 2", "Rejected 1", "Firm", "Acme · Bolt", "Nothing has been written yet", "Import 2 companies", "line 4"} {
		require.Contains(t, text, expected)
	}
	require.Regexp(t, `name="c.0.0"[^>]*>.*<option selected>Name</option>`, page)
	require.Equal(t, 0, h.catalogLen(t))

	// The plan is that of the command.
	var shown, expected importer.Summary
	require.NoError(t, json.Unmarshal([]byte(ann.get(t, path+"/plan").body), &shown))
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "leads.csv"), []byte(leads), 0o600))
	expected, err := importer.Import(t.Context(), importer.Options{Catalog: h.catalog, Dir: dir, Files: []string{"leads.csv"}, DryRun: true})
	require.NoError(t, err)
	shown.Took, expected.Took = 0, 0
	a, err := json.Marshal(expected)
	require.NoError(t, err)
	b, err := json.Marshal(shown)
	require.NoError(t, err)
	require.JSONEq(t, string(a), string(b))

	require.Equal(t, http.StatusSeeOther, ann.post(t, path+"/import").status)
	result := textIn(ann.settles(t, path))
	require.Contains(t, result, "The import has ended")
	require.Contains(t, result, "Added 2")
	require.Equal(t, 2, h.catalogLen(t))
	rejects := ann.get(t, path+"/rejects?table=0")
	require.Contains(t, rejects.header.Get("Content-Disposition"), "leads.csv")
	require.Equal(t, "Firm,Web,Town,Staff,Notes\n#> line 4: no name, domain, website or id\n,,Jena,,\n", rejects.body)
	for _, query := range []string{"", "?table=1", "?table=-1", "?table=x"} {
		require.Equal(t, http.StatusNotFound, ann.get(t, path+"/rejects"+query).status, query)
	}

	imports := ann.get(t, "/operator/imports").body
	require.Contains(t, imports, "leads.csv")
	require.Contains(t, imports, basePath+"/operator/imports/1")
	undo := textIn(ann.get(t, "/operator/imports/1").body)
	require.Contains(t, undo, "Companies removed 2")
	l, err := h.Deps.Lists.Create(t.Context(), h.acme, "Mine")
	require.NoError(t, err)
	_, _, err = h.Deps.Lists.Add(t.Context(), h.acme, l.ID, company.SetOf(1))
	require.NoError(t, err)
	undo = textIn(ann.get(t, "/operator/imports/1").body)
	require.Contains(t, undo, "Companies removed 1")
	require.Contains(t, undo, "1 company stays as they are: are on a list: Acme")
	require.Equal(t, 2, h.catalogLen(t), "looking changes nothing")
	require.Equal(t, http.StatusSeeOther, ann.post(t, "/operator/imports/1/undo").status)
	done := textIn(ann.settles(t, "/operator/imports/1"))
	require.Contains(t, done, "1 company was removed")
	require.Contains(t, done, "1 company was kept")
	require.Equal(t, 1, h.catalogLen(t))
	require.Contains(t, ann.get(t, "/operator/imports").body, "undone")
	for _, action := range []auditlog.Action{auditlog.ImportStarted, auditlog.ImportUndone} {
		found, err := h.Deps.Audit.Page(t.Context(), auditlog.Filter{Action: action}, id.AuditEntry{}, 2)
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.Equal(t, "person:"+h.ann.ID.String(), found[0].Actor, action)
	}
}

// catalogLen returns the number of companies in the catalog.
func (h *fixture) catalogLen(t *testing.T) int {
	t.Helper()
	n, err := h.catalog.Len(t.Context())
	require.NoError(t, err)
	return n
}

func TestTheMenusChangeThePlan(t *testing.T) {
	t.Parallel()
	h := importing(t)
	ann := h.as(t, h.ann)
	path, page := ann.planned(t, "codes.csv", "label,code,size of firm\nAcme,a-1,5\nBolt,b-1,9\n")
	require.Contains(t, textIn(page), "There is nothing to import")
	require.NotContains(t, page, path+"/import")
	a := ann.post(t, path+"/plan", "revision", "1", "from", "0", "c.0.0", "Name", "c.0.1", "Ignore", "c.0.2", "Employees",
		"set_field", "Country", "set_value", "Germany")
	require.Equal(t, basePath+path, a.location())
	page = ann.settles(t, path)
	require.Contains(t, textIn(page), "Import 2 companies")
	require.Contains(t, page, `value="Germany"`)
	require.Regexp(t, `name="c.0.1"[^>]*>.*<option selected>Ignore</option>`, page)

	for name, test := range map[string]struct {
		form []string
		says string
	}{
		"of an older plan":             {[]string{"revision", "1", "c.0.0", "Domain"}, "The plan has changed"},
		"a field that does not exist":  {[]string{"revision", "2", "c.0.0", "Nmae"}, "there is no field"},
		"a value without a field":      {[]string{"revision", "2", "set_value", "Germany"}, "Choose the field"},
		"a field without a value":      {[]string{"revision", "2", "set_field", "Country"}, "Say which value"},
		"two columns that are the key": {[]string{"revision", "2", "c.0.1", "Key of this source", "c.0.2", "Key of this source"}, "Only one column"},
	} {
		t.Run(name, func(t *testing.T) {
			refused := ann.follow(t, ann.post(t, path+"/plan", test.form...))
			require.Contains(t, refused.body, `role="alert"`)
			require.Contains(t, refused.body, test.says)
			require.Contains(t, textIn(refused.body), "Import 2 companies", "the plan is still that before")
		})
	}
	ann.post(t, path+"/plan", "revision", "2", "c.0.0", "Recognise it again", "encoding", "klingon")
	page = ann.settles(t, path)
	require.Contains(t, page, "klingon")
	require.Contains(t, page, `class="note bad"`)
}

func TestAPlanThatLoadsNothingSaysWhatToDo(t *testing.T) {
	t.Parallel()
	h := importing(t)
	ann := h.as(t, h.ann)
	_, page := ann.planned(t, "header.csv", "Company,Website\n")
	require.Contains(t, textIn(page), "There is nothing to import. Upload another file")
	require.NotContains(t, textIn(page), "below which column")
	require.NotContains(t, textIn(page), "separated by")
	require.Contains(t, textIn(ann.get(t, "/operator/imports").body), "header.csv nothing to import")
	_, page = ann.planned(t, "codes.csv", "label,code\nAcme,a-1\nBolt,b-1\n")
	require.Contains(t, textIn(page), "Say below which column has the names or domains of companies, or: Upload another file")

	path, page := ann.planned(t, "leads.csv", leads)
	require.NotContains(t, textIn(page), "An import changes nothing")
	ann.post(t, path+"/import")
	page = ann.settles(t, path)
	require.Contains(t, textIn(page), "The import has ended")
	require.Contains(t, page, basePath+in(h.acme, "/search"), "the companies are looked at next")
	_, page = ann.planned(t, "leads.csv", leads)
	require.Contains(t, textIn(page), "The catalog has all of this already. An import changes nothing.")
}

func TestRejectsNameTheSheetTheyAreOf(t *testing.T) {
	t.Parallel()
	h := importing(t)
	ann := h.as(t, h.ann)
	book := excelize.NewFile()
	for _, sheet := range []string{"Sheet1", "South"} {
		_, err := book.NewSheet(sheet)
		require.NoError(t, err)
		for i, row := range [][]any{{"Company", "Website", "Employees"}, {sheet + " Acme", sheet + ".example", 3}, {"Total", "", 3}} {
			require.NoError(t, book.SetSheetRow(sheet, "A"+strconv.Itoa(i+1), &row))
		}
	}
	var content strings.Builder
	require.NoError(t, book.Write(&content))
	path, _ := ann.planned(t, "book.xlsx", content.String())
	ann.post(t, path+"/import")
	page := textIn(ann.settles(t, path))
	require.Contains(t, page, "Added 2")
	for _, sheet := range []string{"Sheet1", "South"} {
		require.Contains(t, page, "Rows of book.xlsx (XLSX, sheet &#34;"+sheet+"&#34; of 2) were rejected.")
	}
	require.Contains(t, page, "Correct those that are companies, delete the others")
}

func TestMergedRowsSayWhatIsKept(t *testing.T) {
	t.Parallel()
	h := importing(t)
	ann := h.as(t, h.ann)
	const kept = "Of several contacts of one company, the values of the first are kept."
	path, page := ann.planned(t, "leads.csv", "First Name,Email,Company,Website\nAnn,ann@acme.example,Acme,acme.example\nBob,bob@acme.example,Acme,acme.example\n")
	require.Contains(t, textIn(page), "An earlier row has already named the company of these rows. "+kept)
	ann.post(t, path+"/import")
	ann.settles(t, path)
	_, page = ann.planned(t, "renamed.csv", "Company,Website\nAcme Payments,acme.example\n")
	require.Contains(t, textIn(page), "another name, or of the company of an earlier row: 1, 0 of them")
	require.NotContains(t, textIn(page), kept)

	// A column that is no key merges companies, and the page does not call them one.
	path, _ = ann.planned(t, "sectors.csv", "Company,Website,Sector\nBolt,bolt.example,Retail\nCog,cog.example,Retail\n")
	ann.post(t, path+"/plan", "revision", "1", "c.0.2", "Key of this source")
	page = textIn(ann.settles(t, path))
	require.Contains(t, page, "another name, or of the company of an earlier row: 1, 1 of them")
	require.Contains(t, page, "Cog into Bolt , by id")
	require.NotContains(t, page, kept)
}

func TestAPageOfAnOlderPlanImportsNothing(t *testing.T) {
	t.Parallel()
	h := importing(t)
	ann := h.as(t, h.ann)
	path, page := ann.planned(t, "leads.csv", leads)
	require.Equal(t, "1", hiddenIn(page).Get("revision"))
	ann.post(t, path+"/plan", "revision", "1", "c.0.3", "Ignore")
	ann.settles(t, path)
	require.Contains(t, ann.follow(t, ann.post(t, path+"/import", "revision", "1")).body, "The plan has changed")
	require.Equal(t, 0, h.catalogLen(t))
	ann.post(t, path+"/import", "revision", "2")
	require.Contains(t, textIn(ann.settles(t, path)), "The import has ended")
	require.Equal(t, 2, h.catalogLen(t))
}

func TestRefusedFilesAreNamedWithWhatToDo(t *testing.T) {
	t.Parallel()
	h := importing(t)
	ann := h.as(t, h.ann)
	path := ann.newUpload(t)
	a := ann.sends(t, path+"/files", "report.pdf", "%PDF-1.7\n…", "<b>page.csv", "<!doctype html><html><body>Sign in</body></html>")
	page := ann.follow(t, a).body
	require.Contains(t, page, "a PDF document")
	require.Contains(t, page, "an HTML page")
	require.Contains(t, page, "download the file again")
	require.Contains(t, page, "&lt;b&gt;page.csv")
	require.Contains(t, page, `type="file"`, "another file can be chosen at once")
	require.Contains(t, ann.follow(t, ann.post(t, path+"/plan")).body, "There is no file to import")
	require.Equal(t, http.StatusSeeOther, ann.sends(t, path+"/files", "leads.csv", leads).status)
	require.Contains(t, textIn(ann.settles(t, path)), "Import 2 companies")

	require.Contains(t, ann.sends(t, ann.newUpload(t)+"/files").body, "Choose at least one file")
	require.Contains(t, ann.raw(t, ann.newUpload(t)+"/files", "text/plain", strings.NewReader("x")).body, "The form has no files")
}

func TestAnUploadThatIsTooLargeIsRefusedOnItsPage(t *testing.T) {
	t.Parallel()
	h := importing(t)
	ann := h.as(t, h.ann)
	path := ann.newUpload(t)
	a := ann.sends(t, path+"/files", "big.csv", "name\n"+strings.Repeat("Acme\n", 9<<20/5))
	require.Equal(t, http.StatusRequestEntityTooLarge, a.status)
	require.Contains(t, a.body, "larger than 8 MiB")
	require.Contains(t, a.body, `type="file"`)
	h.hasFrame(t, "too large", a)
	require.Equal(t, http.StatusSeeOther, ann.sends(t, path+"/files", "leads.csv", leads).status)
	require.NotContains(t, ann.settles(t, path), "big.csv")
}

func TestTheScriptSendsAFileInParts(t *testing.T) {
	t.Parallel()
	h := importing(t)
	ann := h.as(t, h.ann)
	path := ann.newUpload(t)
	ann.headers.Set(fragmentHeader, "1")
	part := func(offset int, content string) answer {
		return ann.raw(t, fmt.Sprintf("%s/files?name=leads.csv&size=%d&modified=7&offset=%d", path, len(leads), offset),
			"application/octet-stream", strings.NewReader(content))
	}
	require.JSONEq(t, `{"received":10}`, part(0, leads[:10]).body)
	ann.headers.Del(fragmentHeader)
	require.Contains(t, textIn(ann.get(t, path).body), "have arrived", "the page survives a reload")
	ann.headers.Set(fragmentHeader, "1")
	require.JSONEq(t, `{"received":10}`, part(0, leads[:10]).body, "what has arrived is not sent again")
	require.JSONEq(t, fmt.Sprintf(`{"received":%d}`, len(leads)), part(10, leads[10:]).body)
	require.Equal(t, http.StatusRequestEntityTooLarge, ann.raw(t, path+"/files?name=b.csv&size=99999999&offset=0", "application/octet-stream", nil).status)
	require.Equal(t, http.StatusUnprocessableEntity, ann.raw(t, path+"/files?name=b.csv&size=x&offset=0", "application/octet-stream", nil).status)
	ann.headers.Del(fragmentHeader)
	ann.post(t, path+"/plan")
	require.Contains(t, textIn(ann.settles(t, path)), "Import 2 companies")
}

func TestUploadsBelongToOperatorsAndAreGoneAfterADay(t *testing.T) {
	t.Parallel()
	h := importing(t)
	ann := h.as(t, h.ann)
	path, _ := ann.planned(t, "leads.csv", leads)
	bob := h.as(t, h.bob)
	require.Equal(t, http.StatusNotFound, bob.get(t, path).status)
	require.Equal(t, http.StatusNotFound, bob.sends(t, path+"/files", "leads.csv", leads).status)
	require.Contains(t, ann.get(t, "/operator/imports").body, basePath+path)
	require.Equal(t, basePath+"/operator/imports", ann.post(t, path+"/delete").location())
	require.Contains(t, ann.get(t, path).body, `type="file"`, "a new one can begin at the address")
	old := id.Upload{}
	copy(old.UUID[:], []byte{0x01, 0x80, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1})
	require.Contains(t, ann.get(t, "/operator/uploads/"+old.String()).body, "deleted after a day")
	require.Equal(t, http.StatusNotFound, ann.get(t, "/operator/uploads/x").status)
	require.Equal(t, http.StatusNotFound, ann.get(t, "/operator/imports/99").status)
	require.Equal(t, http.StatusNotFound, ann.get(t, path+"/plan").status)

	off := open(t, func(d *Deps) { d.Uploads = upload.New(importer.UndoOptions{}, upload.Options{Dir: t.TempDir()}) })
	ann = off.as(t, off.ann)
	require.NotContains(t, ann.get(t, "/operator/imports").body, "uploads/new")
	require.Contains(t, ann.get(t, ann.newUpload(t)).body, "switched off")
	require.Equal(t, http.StatusNotFound, ann.sends(t, ann.newUpload(t)+"/files", "leads.csv", leads).status)
}

func TestAnInterruptedImportSaysWhatToDo(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann := h.as(t, h.ann)
	path := ann.newUpload(t)
	ann.sends(t, path+"/files", "leads.csv", leads)
	h.setUpload(t, path, func(u *upload.Upload) { u.State, u.Imports = upload.StateImporting, []int64{4} })
	require.Contains(t, ann.get(t, path).body, "Stop the import")
	ann.post(t, path+"/stop")
	require.Contains(t, textIn(ann.get(t, path).body), "ends after its current batch")
	require.Contains(t, ann.follow(t, ann.post(t, path+"/delete")).body, "The import is running")
	h.setUpload(t, path, func(u *upload.Upload) { u.State, u.Stopped = upload.StateInterrupted, false })
	page := ann.get(t, path).body
	for _, text := range []string{"The server ended before the import had", "nothing is added twice", "Import again", basePath + "/operator/imports/4"} {
		require.Contains(t, page, text)
	}
	ann.post(t, path+"/import")
	require.Contains(t, textIn(ann.get(t, path).body), "Another import is running")
}

// setUpload changes an upload as nobody but a server would.
func (h *fixture) setUpload(t *testing.T, path string, fn func(*upload.Upload)) {
	t.Helper()
	file := filepath.Join(h.Deps.Uploads.Dir, filepath.Base(path), "upload.json")
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	var up upload.Upload
	require.NoError(t, json.Unmarshal(content, &up))
	fn(&up)
	content, err = json.Marshal(up)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, content, 0o600))
}

// wide returns a file with as many and as long columns and faults as a page has to bear.
func wide() string {
	var s strings.Builder
	for i := range 60 {
		fmt.Fprintf(&s, "\"Column <%d> %s\",", i, strings.Repeat("long ", 60))
	}
	s.WriteString("name,employees\n")
	for i := range 60 {
		for range 60 {
			s.WriteString(strings.Repeat("<value> & ", 30) + ",")
		}
		fmt.Fprintf(&s, "Acme %d %s,%s\n", i%7, strings.Repeat("ü", i), strings.Repeat("many ", 20))
	}
	return s.String() + "x,y\n"
}

func TestAPlanOfManyColumnsIsShownInParts(t *testing.T) {
	t.Parallel()
	h := importing(t)
	ann := h.as(t, h.ann)
	path, page := ann.planned(t, "wide.csv", wide())
	require.Equal(t, view.UploadColumnsMax, strings.Count(page, `<select class="auto" name="c.`))
	require.Contains(t, textIn(page), "Columns 1 to 16 of 62")
	more := ann.get(t, path+"?from=16").body
	require.Contains(t, more, `name="c.0.16"`)
	require.Contains(t, textIn(more), "Columns 17 to 32 of 62")
	a := ann.post(t, path+"/plan", "revision", "1", "from", "16", "c.0.16", "Description")
	require.Equal(t, basePath+path+"?from=16", a.location())
	ann.settles(t, path)
	require.Regexp(t, `name="c.0.16"[^>]*>.*<option selected>Description</option>`, ann.get(t, path+"?from=16").body)
	for _, from := range []string{"0", "16", "48", "9999", "-5", "x"} {
		a := ann.get(t, path+"?from="+from)
		require.Equal(t, http.StatusOK, a.status, from)
		require.Less(t, len(a.body), 66_000, from)
	}
}

// The server's time limit for requests is meant for forms.
func TestAnUploadMayTakeLongerThanOtherRequests(t *testing.T) {
	t.Parallel()
	h := importing(t)
	pages, err := New(h.Deps)
	require.NoError(t, err)
	mux := http.NewServeMux()
	mux.Handle(Path, pages)
	served := httptest.NewUnstartedServer(mux)
	served.Config.ReadTimeout, served.Config.WriteTimeout = 500*time.Millisecond, 600*time.Millisecond
	served.Start()
	t.Cleanup(served.Close)
	h.url = served.URL
	ann := h.as(t, h.ann)
	path := ann.newUpload(t)
	in, out := io.Pipe()
	form := multipart.NewWriter(out)
	go func() {
		part, err := form.CreateFormFile("file", "leads.csv")
		for _, line := range strings.SplitAfter(leads, "\n") {
			time.Sleep(200 * time.Millisecond)
			if err == nil {
				_, err = io.WriteString(part, line)
			}
		}
		out.CloseWithError(errors.Join(err, form.Close()))
	}()
	a := ann.raw(t, path+"/files", form.FormDataContentType(), in)
	require.Equal(t, http.StatusSeeOther, a.status, a.body)
	require.Contains(t, textIn(ann.settles(t, path)), "Import 2 companies")
}

func TestAdviceNamesWhatThePageOffers(t *testing.T) {
	t.Parallel()
	h := importing(t)
	ann := h.as(t, h.ann)
	path, page := ann.planned(t, "places.csv", "Company,Location\nAcme,\"Lyon, FR\"\nBolt,\"Cambridge, MA\"\nCog,\"Hometown, MA\"\n")
	require.Contains(t, ann.get(t, path+"/plan").body, "--set country=NAME")
	require.NotContains(t, page, "--set")
	require.Contains(t, page, "set it under More settings")
}

package console

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/upload"
)

// uploadPath is the route that takes files. Its body is a stream, so it has no limit of a form's size.
const uploadPath = "/operator/uploads/{upload_id}/files"

// uploadQuietMax is how long an upload may send nothing.
const uploadQuietMax = time.Minute

// newUpload sends the browser to the address of a new upload, which the files that it sends will have.
func (s *server) newUpload(w http.ResponseWriter, r *http.Request) error {
	return redirect(w, r, view.UploadPath(id.New[id.Upload](), ""))
}

func uploadIn(r *http.Request) (id.Upload, error) {
	x, err := id.Parse[id.Upload](r.PathValue("upload_id"))
	if err != nil {
		return x, notFound()
	}
	return x, nil
}

// uploadView returns the upload in the path. One without files exists only as its address.
func (s *server) uploadView(r *http.Request) (*view.Upload, error) {
	x, err := uploadIn(r)
	if err != nil {
		return nil, err
	}
	page := &view.Upload{Enabled: s.Uploads.Enabled(), LimitBytes: s.Uploads.SizeBytesMax}
	up, err := s.Uploads.Get(x)
	if fault.CodeOf(err) == fault.NotFound {
		up, err = upload.Upload{ID: x, State: upload.StateReceiving}, nil
		if sec, nsec := x.Time().UnixTime(); time.Since(time.Unix(sec, nsec)) > s.Uploads.Abandoned {
			page.Problem = "There are no files at this address any more. Uploads that are not imported are deleted after a day. Upload the files again."
		}
	}
	page.Upload = up
	from, _ := strconv.Atoi(r.URL.Query().Get("from")) // anything else is the first column
	page.Offset = max(0, from) / view.UploadColumnsMax * view.UploadColumnsMax
	return page, err
}

func (s *server) showUpload(w http.ResponseWriter, r *http.Request) error {
	page, err := s.uploadView(r)
	if err != nil {
		return err
	}
	return s.renderUpload(w, r, http.StatusOK, page)
}

func (s *server) renderUpload(w http.ResponseWriter, r *http.Request, status int, page *view.Upload) error {
	if isFragment(r) {
		return render(w, r, status, view.UploadState(page))
	}
	return render(w, r, status, view.UploadPage(page))
}

// uploadEvents streams the state of an upload while it changes by itself.
func (s *server) uploadEvents(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.uploadView(r); err != nil {
		return err
	}
	return s.stream(w, r, progressEvery, func(out *events) (more bool, err error) {
		page, err := s.uploadView(r)
		if err != nil {
			return false, err
		}
		return page.State.Running(), out.send("page", view.UploadState(page))
	})
}

// receiveFiles takes the files of a form, or a part of a file that the script sends.
func (s *server) receiveFiles(w http.ResponseWriter, r *http.Request) error {
	x, err := uploadIn(r)
	if err != nil {
		return err
	}
	body := &slowBody{body: r.Body, answer: http.NewResponseController(w)}
	r.Body = body
	if err := s.Uploads.Create(x, view.ViewerOf(r.Context()).Person.ID); err != nil {
		return err
	}
	if r.URL.Query().Has("offset") {
		return s.receivePart(w, r, x)
	}
	err = s.receiveForm(r, x)
	// A browser shows an answer only once it has sent everything.
	_, _ = io.Copy(io.Discard, io.LimitReader(body, s.Uploads.SizeBytesMax))
	body.finish()
	if e, ok := formError(err); ok {
		page, err := s.uploadView(r)
		if err != nil {
			return err
		}
		page.Problem = e.Message
		return s.renderUpload(w, r, httpx.Status(e.Kind()), page)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, view.UploadPath(x, ""))
}

// receiveForm receives the files of a form one after another, and begins to read them.
func (s *server) receiveForm(r *http.Request, x id.Upload) error {
	form, err := r.MultipartReader()
	if err != nil {
		return fault.New(fault.Validation, "The form has no files. Reload the page and choose at least one.")
	}
	for received := 0; ; {
		part, err := form.NextPart()
		switch {
		case errors.Is(err, io.EOF) && received == 0:
			return fault.New(fault.Validation, "Choose at least one file.")
		case errors.Is(err, io.EOF):
			up, err := s.Uploads.Get(x)
			if err != nil || len(up.Usable()) == 0 {
				return err // the page says why each file was refused
			}
			return s.Uploads.Plan(x, up.Settings)
		case err != nil:
			return fault.New(fault.Validation, "The files did not arrive as a whole. Send them again.").Because(err)
		case part.FileName() == "":
			continue
		}
		if _, err := s.Uploads.Add(x, fileName(part.Header.Get("Content-Disposition")), part); err != nil {
			return err
		}
		received++
	}
}

// fileName returns the name of a file in a form. Part.FileName would cut it at a backslash of another system.
func fileName(disposition string) string {
	_, params, err := mime.ParseMediaType(disposition)
	if err != nil {
		return ""
	}
	return params["filename"]
}

// receivePart receives a part of a file, and answers how many bytes have arrived.
func (s *server) receivePart(w http.ResponseWriter, r *http.Request, x id.Upload) error {
	q := r.URL.Query()
	size, err1 := strconv.ParseInt(q.Get("size"), 10, 64)
	offset, err2 := strconv.ParseInt(q.Get("offset"), 10, 64)
	if err := errors.Join(err1, err2); err != nil {
		return fault.New(fault.Validation, "The part of the file has no size and offset.").Because(err)
	}
	received, _, err := s.Uploads.Append(x, upload.Part{
		Name: q.Get("name"), SizeBytes: size, Modified: q.Get("modified"), OffsetBytes: offset,
	}, r.Body)
	if err != nil {
		return err
	}
	if !isFragment(r) {
		return redirect(w, r, view.UploadPath(x, ""))
	}
	httpx.WriteJSON(w, http.StatusOK, map[string]int64{"received": received})
	return nil
}

// slowBody is a body that may take as long as it likes, as long as something arrives.
type slowBody struct {
	body   io.ReadCloser
	answer *http.ResponseController
}

func (b *slowBody) Read(p []byte) (int, error) {
	// A server that cannot set deadlines has none.
	_ = b.answer.SetReadDeadline(time.Now().Add(uploadQuietMax))
	return b.body.Read(p)
}

func (b *slowBody) Close() error { return b.body.Close() }

// finish leaves time for the answer, however long the body took.
func (b *slowBody) finish() { _ = b.answer.SetWriteDeadline(time.Now().Add(uploadQuietMax)) }

// planUpload makes the plan of an upload, with what was chosen for the columns.
func (s *server) planUpload(w http.ResponseWriter, r *http.Request) error {
	page, err := s.uploadView(r)
	if err != nil {
		return err
	}
	settings, err := settingsIn(r, &page.Upload)
	if err == nil {
		err = s.Uploads.Plan(page.ID, settings)
	}
	back := view.UploadPath(page.ID, "")
	if from, _ := strconv.Atoi(r.PostForm.Get("from")); from > 0 {
		back += "?from=" + strconv.Itoa(from)
	}
	return s.afterUpload(w, r, err, back)
}

// afterUpload leads back to the page after a form, with a warning if the form changed nothing.
func (s *server) afterUpload(w http.ResponseWriter, r *http.Request, err error, back string) error {
	if e, ok := formError(err); ok {
		s.warn(r.Context(), e.Message)
		return redirect(w, r, back)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, back)
}

func errPlanChanged() error {
	return fault.New(fault.Validation, "The plan has changed since this page was shown. Look at it again, then choose.")
}

// settingsIn returns the settings of an upload as its form changes them.
func settingsIn(r *http.Request, up *upload.Upload) (upload.Settings, error) {
	s := up.Settings
	form := r.PostForm
	if !form.Has("revision") {
		return s, nil // the form of an upload without a plan
	}
	if form.Get("revision") != strconv.Itoa(up.Revision) || up.Plan == nil {
		return s, errPlanChanged()
	}
	// The choices of the upload stay as they are if the form is refused.
	s.Columns = maps.Clone(s.Columns)
	for table, columns := range s.Columns {
		s.Columns[table] = maps.Clone(columns)
	}
	for i, source := range up.Plan.Sources {
		for n, c := range source.Columns {
			name := "c." + strconv.Itoa(i) + "." + strconv.Itoa(n)
			if !form.Has(name) {
				continue
			}
			if as, changed := view.ReadChoice(c, form.Get(name)); changed {
				s.Choose(upload.TableKey(source.File, source.Table), c.Column, upload.Choice{As: as, At: n})
			}
		}
	}
	s.Encoding, s.Delimiter, s.Sheet = strings.TrimSpace(form.Get("encoding")), form.Get("delimiter"), strings.TrimSpace(form.Get("sheet"))
	set := map[string]string{}
	for field, value := range s.Set {
		if form.Has("set." + field) {
			value = strings.TrimSpace(form.Get("set." + field))
		}
		if value != "" {
			set[field] = value
		}
	}
	label, value := form.Get("set_field"), strings.TrimSpace(form.Get("set_value"))
	switch {
	case label == "" && value != "":
		return s, fault.New(fault.Validation, "Choose the field that has the value %q in every row.", value)
	case label != "" && value == "":
		return s, fault.New(fault.Validation, "Say which value every row has.")
	case label != "":
		set[view.ReadSetField(label)] = value
	}
	s.Set = set
	return s, nil
}

func (s *server) importUpload(w http.ResponseWriter, r *http.Request) error {
	x, err := uploadIn(r)
	if err != nil {
		return err
	}
	back := view.UploadPath(x, "")
	if seen := r.PostForm.Get("revision"); seen != "" {
		// A page that the browser kept may show an older plan.
		if up, err := s.Uploads.Get(x); err == nil && seen != strconv.Itoa(up.Revision) {
			return s.afterUpload(w, r, errPlanChanged(), back)
		}
	}
	return s.afterUpload(w, r, s.Uploads.Import(x, view.ViewerOf(r.Context()).Person.ID), back)
}

func (s *server) stopUpload(w http.ResponseWriter, r *http.Request) error {
	x, err := uploadIn(r)
	if err != nil {
		return err
	}
	return s.afterUpload(w, r, s.Uploads.Stop(x), view.UploadPath(x, ""))
}

func (s *server) deleteUpload(w http.ResponseWriter, r *http.Request) error {
	x, err := uploadIn(r)
	if err != nil {
		return err
	}
	if err := s.Uploads.Delete(x); err != nil {
		return s.afterUpload(w, r, err, view.UploadPath(x, ""))
	}
	s.notice(r.Context(), "The upload was deleted.")
	return redirect(w, r, basePath+"/operator/imports")
}

// downloadPlan answers with the plan as capi import --dry-run --json prints it.
func (s *server) downloadPlan(w http.ResponseWriter, r *http.Request) error {
	page, err := s.uploadView(r)
	if err != nil {
		return err
	}
	if page.Plan == nil {
		return notFound()
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(page.Plan)
}

// downloadRejects answers with the rejected rows of a table.
func (s *server) downloadRejects(w http.ResponseWriter, r *http.Request) error {
	page, err := s.uploadView(r)
	if err != nil {
		return err
	}
	table, err := strconv.Atoi(r.URL.Query().Get("table"))
	if err != nil || page.Result == nil || table < 0 || table >= len(page.Result.Sources) || page.Result.Sources[table].Rejects == "" {
		return notFound()
	}
	path := page.Result.Sources[table].Rejects
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.NotFound, "The file of rejected rows was removed from the data directory.")
	}
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": filepath.Base(path)}))
	h.Set("Cache-Control", "no-store")
	_, err = io.Copy(w, f)
	return err
}

// previewMax is how long the page of an import may count what an undo would do.
const previewMax = 8 * time.Second

// importView returns the import in the path, and what undoing it would do.
func (s *server) importView(r *http.Request, preview bool) (*view.UndoPage, error) {
	number, err := strconv.ParseInt(r.PathValue("number"), 10, 64)
	if err != nil || number < 1 || s.System.Imports == nil {
		return nil, notFound()
	}
	found, err := s.System.Imports(r.Context(), number+1, 1)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(found, func(i Import) bool { return i.Number == number })
	if i < 0 {
		return nil, fault.New(fault.NotFound, "There is no import %d.", number)
	}
	page := &view.UndoPage{Import: found[i]}
	page.Undoing, page.Known = s.Uploads.UndoingOf(number)
	if !preview || page.Undoing.Running || page.UndoneAt != nil && page.Undoing.Err == nil {
		return page, nil
	}
	p, err := s.Uploads.PreviewUndo(r.Context(), previewMax, number)
	if err != nil {
		return nil, err
	}
	page.Preview = p
	return page, nil
}

func (s *server) showImport(w http.ResponseWriter, r *http.Request) error {
	page, err := s.importView(r, true)
	switch {
	case err != nil:
		return err
	case isFragment(r):
		return render(w, r, http.StatusOK, view.ImportUndoState(page))
	}
	return render(w, r, http.StatusOK, view.ImportUndoPage(page))
}

// importEvents streams the state of an undo until it has ended.
func (s *server) importEvents(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.importView(r, false); err != nil {
		return err
	}
	return s.stream(w, r, progressEvery, func(out *events) (more bool, err error) {
		page, err := s.importView(r, false)
		if err != nil {
			return false, err
		}
		return page.Undoing.Running, out.send("page", view.ImportUndoState(page))
	})
}

// undoImport undoes an import in the background.
func (s *server) undoImport(w http.ResponseWriter, r *http.Request) error {
	page, err := s.importView(r, false)
	if err != nil {
		return err
	}
	return s.afterUpload(w, r, s.Uploads.Undo(r.Context(), page.Number), view.ImportPath(page.Number, ""))
}

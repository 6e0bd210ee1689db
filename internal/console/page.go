package console

import (
	"bytes"
	"net/http"

	"github.com/a-h/templ"
)

// fragmentHeader is set by a script that asks for parts of a page.
const fragmentHeader = "X-Fragment"

// isFragment reports whether a script asks for parts of a page.
func isFragment(r *http.Request) bool { return r.Header.Get(fragmentHeader) != "" }

// render answers with the component. It renders everything before it sends the first byte, so that an error never leaves
// half a page.
func render(w http.ResponseWriter, r *http.Request, status int, page templ.Component) error {
	var b bytes.Buffer
	if err := page.Render(r.Context(), &b); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, err := w.Write(b.Bytes())
	return err
}

// redirect sends the browser to a page with GET, after it handled a form.
func redirect(w http.ResponseWriter, r *http.Request, target string) error {
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

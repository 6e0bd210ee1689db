package console

import (
	"bytes"
	"net/http"

	"github.com/a-h/templ"
)

// fragmentHeader is set by scripts that ask for a part of a page.
const fragmentHeader = "X-Fragment"

// isFragment holds for a request of a script that puts the answer into the page it is on.
func isFragment(r *http.Request) bool { return r.Header.Get(fragmentHeader) != "" }

// render answers with the component. It is made whole before the first byte is sent, so that half a page never looks
// like a whole one.
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

// redirect sends the browser on with a GET, after a form was taken.
func redirect(w http.ResponseWriter, r *http.Request, target string) error {
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

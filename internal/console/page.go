package console

import (
	"bytes"
	"net/http"
	"net/url"

	"github.com/a-h/templ"

	"github.com/opencapi/capi/internal/fault"
)

// fragmentHeader is set by a script that asks for parts of a page.
const fragmentHeader = "X-Fragment"

// isFragment reports whether a script asks for parts of a page.
func isFragment(r *http.Request) bool { return r.Header.Get(fragmentHeader) != "" }

// isTyping reports whether a script asks while a word of the query is still being typed.
func isTyping(r *http.Request) bool { return r.Header.Get(fragmentHeader) == "typing" }

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

// paramsOf returns the parameters of the request's address. If a part of it cannot be read, all of it is refused: without that
// part, a search would find more companies than its address says.
func paramsOf(r *http.Request) (url.Values, error) {
	v, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.New(fault.Validation, "The part of the address after the question mark cannot be read. Check it, or start again.").
			Because(err)
	}
	return v, nil
}

// redirect sends the browser to a page with GET, after it handled a form.
func redirect(w http.ResponseWriter, r *http.Request, target string) error {
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

package console

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"

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

// tidy redirects to the address without its empty parameters, which the fields of a form leave that nobody filled in. A script gets its
// answer at once.
func tidy(next handler) handler {
	return func(s *server, w http.ResponseWriter, r *http.Request) error {
		params, err := paramsOf(r)
		if err != nil || isFragment(r) {
			return next(s, w, r)
		}
		before := len(params.Encode())
		for name, values := range params {
			if values = slices.DeleteFunc(values, func(value string) bool { return value == "" }); len(values) == 0 {
				delete(params, name)
			} else {
				params[name] = values
			}
		}
		if len(params.Encode()) == before {
			return next(s, w, r)
		}
		target := r.URL.Path
		if len(params) > 0 {
			target += "?" + params.Encode()
		}
		return redirect(w, r, target)
	}
}

// redirect sends the browser to a page with GET, after it handled a form.
func redirect(w http.ResponseWriter, r *http.Request, target string) error {
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

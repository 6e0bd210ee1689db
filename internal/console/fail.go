package console

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/middleware"
)

// fail shows an error, as a page or as a fragment if a script asked. An error that is not a fault is logged, and the page
// shows only the request ID.
func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	r = s.framed(r)
	e := s.faultOf(r, err)
	httpx.SetRetryAfter(w, e)
	middleware.NoteOf(r.Context()).Add(slog.String("code", string(e.Code)))
	status := httpx.Status(e.Kind())
	back := pageBefore(r)
	if back != "" && r.Method == http.MethodPost && !isFragment(r) && isForPerson(e) {
		s.warn(r.Context(), e.Message)
		http.Redirect(w, r, back, http.StatusSeeOther)
		return
	}
	page := view.ErrorPage(status, e, back)
	if isFragment(r) {
		page = view.ErrorFragment(e)
	}
	if err := render(w, r, status, page); err != nil {
		s.Log.InfoContext(r.Context(), "answer cut off", "request_id", middleware.RequestIDOf(r.Context()), "error", err)
	}
}

// isForPerson reports whether the person who sent a form can do something about the fault, so that the page with the form
// is the place to show it.
func isForPerson(e *fault.Error) bool {
	switch e.Kind() {
	case fault.KindInvalid, fault.KindConflict, fault.KindNoCredit, fault.KindState, fault.KindTooLarge, fault.KindRateLimited,
		fault.KindUnavailable:
		return true
	default:
		return false
	}
}

// pageBefore returns the page of the console from which the browser came, unless that is the page of the request. It is empty
// if it is not known.
func pageBefore(r *http.Request) string {
	u, err := url.Parse(r.Referer())
	if err != nil || u.Host != r.Host || u.Path == r.URL.Path {
		return ""
	}
	if back := ownPath(u.RequestURI()); back != basePath+"/" {
		return back
	}
	return ""
}

// faultOf returns the fault to show for err, and logs err if it is an internal error.
func (s *server) faultOf(r *http.Request, err error) *fault.Error {
	if big, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.New(fault.PayloadTooLarge, "The form or file is too large. The limit is %d MiB.", big.Limit>>20)
	}
	return httpx.FaultOf(s.Log, s.Explain, r, err)
}

// fieldErrors returns the messages of a Validation error by field, to show the form again with them. It is nil for any other
// error.
func fieldErrors(err error) map[string]string {
	if fault.CodeOf(err) != fault.Validation {
		return nil
	}
	byField := map[string]string{}
	for _, f := range fault.Fields(err) {
		byField[f.Field] = f.Message
	}
	return byField
}

// formError returns the fault in err, and whether the person who filled in the form can do something about it.
func formError(err error) (*fault.Error, bool) {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return nil, false
	}
	if !isForPerson(e) {
		return nil, false
	}
	return e, true
}

// crossSite answers a form that was sent from another site.
func crossSite(*server, http.ResponseWriter, *http.Request) error {
	return fault.New(fault.Forbidden, "The form was rejected because it was sent from another site.")
}

// router shows the errors of the mux itself like all others.
func (s *server) router(mux *http.ServeMux) http.Handler {
	return s.handle(func(_ *server, w http.ResponseWriter, r *http.Request) error {
		if _, pattern := mux.Handler(r); pattern == "" {
			return notFound()
		}
		mux.ServeHTTP(w, r)
		return nil
	})
}

package console

import (
	"net/http"
	"strings"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
)

func (s *server) account(w http.ResponseWriter, r *http.Request) error {
	return s.showAccount(w, r, http.StatusOK, nil)
}

func (s *server) showAccount(w http.ResponseWriter, r *http.Request, status int, faults map[string]string) error {
	sessions, err := s.Sessions.List(r.Context(), ViewerOf(r.Context()).Person.ID)
	if err != nil {
		return err
	}
	return render(w, r, status, AccountPage(sessions, faults))
}

func (s *server) changePassword(w http.ResponseWriter, r *http.Request) error {
	v := ViewerOf(r.Context())
	// Whoever finds a browser that was left open must not guess at leisure.
	if err := s.take("email "+v.Person.Email, triesOfEmail); err != nil {
		return err
	}
	err := s.People.ChangePassword(r.Context(), v.Person, r.PostFormValue("current"), r.PostFormValue("password"), v.Session)
	if fault.CodeOf(err) == fault.Validation {
		return s.showAccount(w, r, httpx.Status(fault.KindInvalid), fieldErrors(err))
	}
	if err != nil {
		return err
	}
	s.notice(r.Context(), "Your password is changed. Every other browser was signed out.")
	return redirect(w, r, basePath+"/account")
}

func (s *server) endSession(w http.ResponseWriter, r *http.Request) error {
	v := ViewerOf(r.Context())
	session, err := id.Parse[id.Session](r.PathValue("session_id"))
	if err != nil {
		return noPage()
	}
	if err := s.Sessions.End(r.Context(), v.Person.ID, session); err != nil {
		return err
	}
	s.notice(r.Context(), "The browser was signed out.")
	return redirect(w, r, basePath+"/account")
}

func (s *server) endOtherSessions(w http.ResponseWriter, r *http.Request) error {
	v := ViewerOf(r.Context())
	if err := s.Sessions.EndOthers(r.Context(), v.Person.ID, v.Session); err != nil {
		return err
	}
	s.notice(r.Context(), "Every other browser was signed out.")
	return redirect(w, r, basePath+"/account")
}

// browserOf is a session's browser in words, as far as it tells.
func browserOf(one account.Session) string {
	has := func(part string) bool { return strings.Contains(one.Agent, part) }
	first := func(pairs ...[2]string) string {
		for _, p := range pairs {
			if has(p[0]) {
				return p[1]
			}
		}
		return ""
	}
	browser := first([2]string{"Edg/", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"Firefox/", "Firefox"},
		[2]string{"Chrome/", "Chrome"}, [2]string{"Safari/", "Safari"})
	system := first([2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"},
		[2]string{"Windows", "Windows"}, [2]string{"Mac OS", "macOS"}, [2]string{"Linux", "Linux"})
	switch {
	case browser == "":
		return "Unknown browser"
	case system == "":
		return browser
	default:
		return browser + " on " + system
	}
}

package console

import (
	"net/http"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
)

func (s *server) account(w http.ResponseWriter, r *http.Request) error {
	return s.showAccount(w, r, http.StatusOK, nil)
}

func (s *server) showAccount(w http.ResponseWriter, r *http.Request, status int, faults map[string]string) error {
	sessions, err := s.Sessions.List(r.Context(), view.ViewerOf(r.Context()).Person.ID)
	if err != nil {
		return err
	}
	return render(w, r, status, view.AccountPage(sessions, faults))
}

func (s *server) changePassword(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	// Limited, so that someone at an unattended browser cannot guess the password.
	if err := s.limit("password "+v.Person.ID.String(), limitPerPassword); err != nil {
		return err
	}
	err := s.People.ChangePassword(r.Context(), v.Person, r.PostFormValue("current"), r.PostFormValue("password"), v.Session)
	if fault.CodeOf(err) == fault.Validation {
		return s.showAccount(w, r, httpx.Status(fault.KindInvalid), fieldErrors(err))
	}
	if err != nil {
		return err
	}
	s.notice(r.Context(), "Password changed. All your other browsers were signed out.")
	return redirect(w, r, basePath+"/account")
}

func (s *server) endSession(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	session, err := id.Parse[id.Session](r.PathValue("session_id"))
	if err != nil {
		return notFound()
	}
	if err := s.Sessions.End(r.Context(), v.Person.ID, session); err != nil {
		return err
	}
	s.notice(r.Context(), "The browser was signed out.")
	return redirect(w, r, basePath+"/account")
}

func (s *server) endOtherSessions(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	if err := s.Sessions.EndOthers(r.Context(), v.Person.ID, v.Session); err != nil {
		return err
	}
	s.notice(r.Context(), "All other browsers were signed out.")
	return redirect(w, r, basePath+"/account")
}

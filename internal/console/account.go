package console

import (
	"net/http"
	"strings"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
)

func (s *server) account(w http.ResponseWriter, r *http.Request) error {
	p := view.ViewerOf(r.Context()).Person
	return s.showAccount(w, r, http.StatusOK, &view.Account{Name: p.Name, Email: p.Email, Theme: p.Theme})
}

func (s *server) showAccount(w http.ResponseWriter, r *http.Request, status int, page *view.Account) (err error) {
	if page.Sessions, err = s.Sessions.List(r.Context(), view.ViewerOf(r.Context()).Person.ID); err != nil {
		return err
	}
	if s.provider != nil {
		page.Provider = s.provider.Name
	}
	page.Mails = s.Notifier.Enabled()
	return render(w, r, status, view.AccountPage(page))
}

// emailPage asks the person to confirm the email of the link. Only they can, not everyone who gets the message: a mistyped address must
// not hand over the account.
func (s *server) emailPage(w http.ResponseWriter, r *http.Request) error {
	if err := s.limit("link "+s.clientNetwork(r), limitPerLink); err != nil {
		return err
	}
	secret := r.URL.Query().Get("link")
	email, err := s.People.EmailOfLink(r.Context(), view.ViewerOf(r.Context()).Person.ID, secret)
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, view.EmailPage(view.Email{Link: secret, Email: email}))
}

func (s *server) confirmEmail(w http.ResponseWriter, r *http.Request) error {
	if err := s.limit("link "+s.clientNetwork(r), limitPerLink); err != nil {
		return err
	}
	if err := s.People.ConfirmEmailByLink(r.Context(), view.ViewerOf(r.Context()).Person.ID, r.PostFormValue("link"), s.Notifier.Moved); err != nil {
		return err
	}
	s.notice(r.Context(), "Your email was changed. You sign in with the new one from now on.")
	return redirect(w, r, basePath+"/account")
}

// changeProfile changes the name, the email and the theme. Where people sign in with a provider, their email is the provider's.
func (s *server) changeProfile(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	page := &view.Account{
		Name: r.PostFormValue("name"), Email: r.PostFormValue("email"), Theme: account.Theme(r.PostFormValue("theme")),
	}
	if s.provider != nil || page.Email == "" {
		page.Email = v.Person.Email
	}
	moves := !strings.EqualFold(strings.TrimSpace(page.Email), v.Person.Email)
	var guarded limits
	if moves { // the password is needed, so it could be guessed
		guarded = limitsOfPassword(v.Person.ID)
		if s.Notifier.Enabled() {
			if err := s.limit("email "+v.Person.ID.String(), limitPerForgot); err != nil {
				return err
			}
		}
	}
	err := s.guess(guarded, func() error {
		return s.People.Change(r.Context(), v.Person, account.Person{Name: page.Name, Email: page.Email, Theme: page.Theme}, r.PostFormValue("confirm"),
			s.Notifier.Email)
	})
	if fault.CodeOf(err) == fault.Validation {
		page.Faults = fieldErrors(err)
		return s.showAccount(w, r, httpx.Status(fault.KindInvalid), page)
	}
	if err != nil {
		return err
	}
	switch {
	case moves && s.Notifier.Enabled():
		s.notice(r.Context(), "Saved. We send a link to the new address: your email changes when you open it and confirm.")
	case moves:
		s.notice(r.Context(), "Saved. Your email changes when an operator has confirmed the new address.")
	default:
		s.notice(r.Context(), "Saved.")
	}
	return redirect(w, r, basePath+"/account")
}

func (s *server) changePassword(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	err := s.guess(limitsOfPassword(v.Person.ID), func() error {
		return s.People.ChangePassword(r.Context(), v.Person, r.PostFormValue("current"), r.PostFormValue("password"), v.Session)
	})
	if fault.CodeOf(err) == fault.Validation {
		return s.showAccount(w, r, httpx.Status(fault.KindInvalid), &view.Account{
			Name: v.Person.Name, Email: v.Person.Email, Theme: v.Person.Theme, Faults: fieldErrors(err),
		})
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

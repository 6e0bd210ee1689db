package console

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/ratelimit"
	"github.com/opencapi/capi/internal/text"
)

// Limits on failed attempts: by client address for any email, and by client address for one email. There is none by email alone:
// anybody could use it to lock somebody else out.
var (
	limitPerAddress  = ratelimit.Limit{Requests: 30, Per: 10 * time.Minute}
	limitPerEmail    = ratelimit.Limit{Requests: 10, Per: 10 * time.Minute}
	limitPerLink     = ratelimit.Limit{Requests: 60, Per: 10 * time.Minute}
	limitPerInviter  = ratelimit.Limit{Requests: 60, Per: time.Hour}        // emails with invitations, of a person who is signed in
	limitPerForgot   = ratelimit.Limit{Requests: 10, Per: 10 * time.Minute} // by client address
	limitPerInvited  = ratelimit.Limit{Requests: 5, Per: time.Hour}         // emails that confirm the address of an invited person, by invitation
	limitPerPassword = ratelimit.Limit{Requests: 10, Per: 10 * time.Minute} // of a person who is signed in and changes it
)

func (s *server) signInPage(w http.ResponseWriter, r *http.Request) error {
	next := ownPath(r.URL.Query().Get("next"))
	if view.ViewerOf(r.Context()).SignedIn() {
		return redirect(w, r, next)
	}
	return s.showSignIn(w, r, http.StatusOK, view.SignIn{Next: next})
}

func (s *server) showSignIn(w http.ResponseWriter, r *http.Request, status int, form view.SignIn) (err error) {
	if form.Nobody, err = s.People.Nobody(r.Context()); err != nil {
		return err
	}
	if s.provider != nil {
		form.Provider = s.provider.Name
	}
	form.Mails = s.Notifier.Enabled()
	form.Passkeys = s.passkeySite()
	return render(w, r, status, view.SignInPage(form))
}

func (s *server) signIn(w http.ResponseWriter, r *http.Request) error {
	form := view.SignIn{Email: r.PostFormValue("email"), Next: ownPath(r.PostFormValue("next"))}
	person, err := s.checkPassword(r, form.Email, r.PostFormValue("password"))
	if e, told := formError(err); told {
		httpx.SetRetryAfter(w, e)
		form.Fault = e.Message
		return s.showSignIn(w, r, httpx.Status(e.Kind()), form)
	}
	if err != nil {
		return err
	}
	return s.enter(w, r, person, account.ByPassword, form.Next)
}

// checkPassword returns the person with the email and the password, unless the client has failed too often.
func (s *server) checkPassword(r *http.Request, email, password string) (account.Person, error) {
	byAddress := "address " + s.clientNetwork(r)
	// Unknown emails are limited too; otherwise the missing limit would reveal that they are unknown.
	byEmail := byAddress + " email " + text.Short(strings.ToLower(strings.TrimSpace(email)))
	var p account.Person
	err := s.guess(limits{{byAddress, limitPerAddress}, {byEmail, limitPerEmail}}, func() (err error) {
		p, err = s.People.SignIn(r.Context(), email, password)
		return err
	})
	return p, err
}

// limits are limits with their keys.
type limits []struct {
	key string
	ratelimit.Limit
}

// guess calls fn, which checks a secret, unless wrong ones were given too often. Attempts count from their start, so that many at
// once are limited too, and are given back unless fn returns a Validation fault.
func (s *server) guess(all limits, fn func() error) error {
	for _, l := range all {
		if err := s.limit(l.key, l.Limit); err != nil {
			return err
		}
	}
	err := fn()
	if fault.CodeOf(err) != fault.Validation {
		for _, l := range all {
			s.Limiter.Return(l.key, l.Limit)
		}
	}
	return err
}

// limit counts an attempt. It returns RateLimited if there were too many.
func (s *server) limit(key string, limit ratelimit.Limit) error {
	d := s.Limiter.Allow(key, limit)
	if d.OK {
		return nil
	}
	minutes := int(math.Ceil(d.RetryAfter.Minutes()))
	wait := fmt.Sprintf("%d minutes", minutes)
	if minutes == 1 {
		wait = "a minute"
	}
	return fault.New(fault.RateLimited, "Too many attempts. Wait %s and try again.", wait)
}

func (s *server) signOut(w http.ResponseWriter, r *http.Request) error {
	if err := s.sessions.Destroy(r.Context()); err != nil {
		return err
	}
	return redirect(w, r, basePath+"/sign-in")
}

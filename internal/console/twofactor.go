package console

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/ratelimit"
)

// Limits on wrong codes. To try one takes the password, so only someone who has it counts against the limit of an account. That
// limit does not apply to recovery codes and passkeys, which nobody can guess: they let its person in at any time.
var (
	limitPerCode        = ratelimit.Limit{Requests: 10, Per: 10 * time.Minute} // by client address, of one account
	limitPerAccountCode = ratelimit.Limit{Requests: 30, Per: time.Hour}        // of one account
)

// codeTimeMax is how long a person may take to enter a code after their password.
const codeTimeMax = 10 * time.Minute

const twoFactorPath = basePath + "/account/two-factor"

// codePage asks for the code after the password.
func (s *server) codePage(w http.ResponseWriter, r *http.Request) error {
	who, ok := s.awaiting(r)
	if !ok {
		return s.signInAgain(w, r)
	}
	return s.showCode(w, r, http.StatusOK, who, view.Code{Next: ownPath(r.URL.Query().Get("next"))})
}

// showCode shows the page that asks for a code, or for a passkey where the person has one.
func (s *server) showCode(w http.ResponseWriter, r *http.Request, status int, who id.Person, form view.Code) error {
	state, err := s.TwoFactor.State(r.Context(), who)
	if err != nil {
		return err
	}
	p, err := s.People.Get(r.Context(), who)
	if err != nil {
		return err
	}
	form.App = state.App
	if p.Passkeys > 0 {
		form.Passkeys = s.passkeySite()
	}
	return render(w, r, status, view.CodePage(form))
}

// awaiting returns the person who has given their password in this browser and must still enter a code.
func (s *server) awaiting(r *http.Request) (id.Person, bool) {
	who, err := id.Parse[id.Person](s.sessions.GetString(r.Context(), awaitingKey))
	since := time.Unix(s.sessions.GetInt64(r.Context(), awaitingSinceKey), 0)
	return who, err == nil && time.Since(since) < codeTimeMax
}

func (s *server) signInAgain(w http.ResponseWriter, r *http.Request) error {
	target := basePath + "/sign-in"
	if next := ownPath(r.FormValue("next")); next != basePath+"/" {
		target += "?next=" + url.QueryEscape(next)
	}
	return redirect(w, r, target)
}

// enterCode signs in the person whose password was given before, if the code or the passkey is right.
func (s *server) enterCode(w http.ResponseWriter, r *http.Request) error {
	who, ok := s.awaiting(r)
	if !ok {
		s.warn(r.Context(), "The sign-in took too long. Enter your password again.")
		return s.signInAgain(w, r)
	}
	form := view.Code{Next: ownPath(r.PostFormValue("next"))}
	err := s.guess(s.limitsOfCodes(r, who), func() error { return s.TwoFactor.Check(r.Context(), who, s.proofOf(r)) })
	if e, told := formError(err); told {
		httpx.SetRetryAfter(w, e)
		form.Fault = e.Message
		if fields := fault.Fields(e); len(fields) > 0 && fields[0].Field == "code" {
			form.Fault = "The code " + fields[0].Message + "."
		}
		return s.showCode(w, r, httpx.Status(e.Kind()), who, form)
	}
	if err != nil {
		return err
	}
	means := account.ByCode
	switch {
	case r.PostFormValue("proof") != "":
		means = account.ByPasswordPasskey
	case account.IsRecoveryCode(r.PostFormValue("code")):
		means = account.ByRecoveryCode
		state, err := s.TwoFactor.State(r.Context(), who)
		if err != nil {
			return err
		}
		s.warn(r.Context(), "You used a recovery code; "+view.Plural(r.Context(), state.CodesLeft, "code is", "codes are")+
			" left. You can create new ones under Your account, Two-factor sign-in.")
	}
	if err := s.startSession(r.Context(), who, means); err != nil {
		return err
	}
	return redirect(w, r, form.Next)
}

// limitsOfCodes are the limits on wrong codes of the person, of which the form has one.
func (s *server) limitsOfCodes(r *http.Request, who id.Person) limits {
	all := limits{{"code " + who.String() + " " + s.clientNetwork(r), limitPerCode}}
	if r.PostFormValue("proof") == "" && !account.IsRecoveryCode(r.PostFormValue("code")) {
		all = append(all, limits{{"code " + who.String(), limitPerAccountCode}}...)
	}
	return all
}

// limitsOfPassword are the limits on wrong passwords of a person who is signed in: someone at an unattended browser must not guess it.
func limitsOfPassword(who id.Person) limits {
	return limits{{"password " + who.String(), limitPerPassword}}
}

func (s *server) twoFactorPage(w http.ResponseWriter, r *http.Request) error {
	page := &view.TwoFactor{}
	if codes := s.revealed(w, r); codes != "" {
		page.Codes = strings.Fields(codes)
	}
	return s.showTwoFactor(w, r, http.StatusOK, page)
}

func (s *server) showTwoFactor(w http.ResponseWriter, r *http.Request, status int, page *view.TwoFactor) (err error) {
	v := view.ViewerOf(r.Context())
	if page.State, err = s.TwoFactor.State(r.Context(), v.Person.ID); err != nil {
		return err
	}
	if page.State.EnabledAt == nil {
		if page.Setup, err = s.TwoFactor.Setup(r.Context(), v.Person, s.issuer()); err != nil {
			return err
		}
	}
	if s.provider != nil {
		page.Provider = s.provider.Name
	}
	if v.Person.Passkeys > 0 {
		page.Passkeys = s.passkeySite()
	}
	return render(w, r, status, view.TwoFactorPage(page))
}

// issuer returns the name of this installation in a person's app, which may have accounts at several.
func (s *server) issuer() string {
	if u, err := url.Parse(s.PublicURL); err == nil && u.Hostname() != "" && !strings.Contains(u.Hostname(), ":") {
		return "CAPI " + u.Hostname()
	}
	return "CAPI"
}

// answerTwoFactor shows the page again if the person can correct the form, and otherwise redirects to it.
func (s *server) answerTwoFactor(w http.ResponseWriter, r *http.Request, err error, done string) error {
	if e, told := formError(err); told {
		httpx.SetRetryAfter(w, e)
		page := &view.TwoFactor{Faults: fieldErrors(e)}
		if page.Faults == nil {
			page.Faults = map[string]string{"": e.Message}
		}
		return s.showTwoFactor(w, r, httpx.Status(e.Kind()), page)
	}
	if err != nil {
		return err
	}
	if done != "" {
		s.notice(r.Context(), done)
	}
	return redirect(w, r, twoFactorPath)
}

func (s *server) beginTwoFactor(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	err := s.guess(limitsOfPassword(v.Person.ID), func() error {
		return s.TwoFactor.Begin(r.Context(), v.Person, r.PostFormValue("current"))
	})
	return s.answerTwoFactor(w, r, err, "")
}

func (s *server) cancelTwoFactor(w http.ResponseWriter, r *http.Request) error {
	err := s.TwoFactor.Cancel(r.Context(), view.ViewerOf(r.Context()).Person.ID)
	return s.answerTwoFactor(w, r, err, "Two-factor sign-in stays off.")
}

func (s *server) enableTwoFactor(w http.ResponseWriter, r *http.Request) error {
	who := view.ViewerOf(r.Context()).Person.ID
	var codes []string
	err := s.guess(s.limitsOfCodes(r, who), func() (err error) {
		codes, err = s.TwoFactor.Enable(r.Context(), who, r.PostFormValue("code"))
		return err
	})
	if err != nil {
		return s.answerTwoFactor(w, r, err, "")
	}
	s.notice(r.Context(), "Two-factor sign-in is on. Keep the recovery codes below before you leave this page.")
	return s.reveal(w, r, twoFactorPath, strings.Join(codes, " "))
}

func (s *server) replaceRecoveryCodes(w http.ResponseWriter, r *http.Request) error {
	who := view.ViewerOf(r.Context()).Person.ID
	var codes []string
	err := s.guess(append(limitsOfPassword(who), s.limitsOfCodes(r, who)...), func() (err error) {
		codes, err = s.TwoFactor.ReplaceCodes(r.Context(), who, r.PostFormValue("current"), s.proofOf(r))
		return err
	})
	if err != nil {
		return s.answerTwoFactor(w, r, err, "")
	}
	s.notice(r.Context(), "The earlier recovery codes no longer work.")
	return s.reveal(w, r, twoFactorPath, strings.Join(codes, " "))
}

func (s *server) disableTwoFactor(w http.ResponseWriter, r *http.Request) error {
	who := view.ViewerOf(r.Context()).Person.ID
	err := s.guess(append(limitsOfPassword(who), s.limitsOfCodes(r, who)...), func() error {
		return s.TwoFactor.Disable(r.Context(), who, r.PostFormValue("current"), s.proofOf(r))
	})
	return s.answerTwoFactor(w, r, err, "Two-factor sign-in is off.")
}

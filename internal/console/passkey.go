package console

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
)

const passkeysPath = basePath + "/account/passkeys"

// challenge answers a script with what the browser needs to use a passkey. The session keeps the secret of the challenge, so that only
// this browser can answer it, and only until it asks for another one.
func (s *server) challenge(w http.ResponseWriter, r *http.Request, begin func() (options []byte, secret string, err error)) error {
	options, secret, err := begin()
	if fault.CodeOf(err) == fault.Validation {
		return fault.New(fault.Validation, "%s", view.Sentences(err)) // as the script shows no fields
	}
	if err != nil {
		return err
	}
	s.sessions.Put(r.Context(), challengeKey, secret)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, err = w.Write(options)
	return err
}

// proofOf returns what the form has besides the password: the answer of a passkey, or a code.
func (s *server) proofOf(r *http.Request) account.Proof {
	if answer := r.PostFormValue("proof"); answer != "" {
		return s.passkeys.Proof(s.sessions.PopString(r.Context(), challengeKey), []byte(answer))
	}
	return account.Code(r.PostFormValue("code"))
}

func (s *server) beginPasskeySignIn(w http.ResponseWriter, r *http.Request) error {
	// Every challenge counts, because anyone can make the server store one.
	if err := s.limit("passkey "+s.clientNetwork(r), limitPerLink); err != nil {
		return err
	}
	return s.challenge(w, r, func() ([]byte, string, error) { return s.passkeys.BeginSignIn(r.Context()) })
}

// signInWithPasskey signs in the person whose passkey answers. It takes no code: the device has verified its user.
func (s *server) signInWithPasskey(w http.ResponseWriter, r *http.Request) error {
	form := view.SignIn{Next: ownPath(r.PostFormValue("next"))}
	var p account.Person
	err := s.guess(limits{{"address " + s.clientNetwork(r), limitPerAddress}}, func() (err error) {
		p, err = s.passkeys.SignIn(r.Context(), s.sessions.PopString(r.Context(), challengeKey), []byte(r.PostFormValue("proof")))
		return err
	})
	if e, told := formError(err); told {
		httpx.SetRetryAfter(w, e)
		form.Fault = e.Message
		return s.showSignIn(w, r, httpx.Status(e.Kind()), form)
	}
	if err != nil {
		return err
	}
	if err := s.startSession(r.Context(), p.ID, account.ByPasskey); err != nil {
		return err
	}
	return redirect(w, r, form.Next)
}

// beginPasskeyForCode asks for a passkey in place of a code, after the password.
func (s *server) beginPasskeyForCode(w http.ResponseWriter, r *http.Request) error {
	who, ok := s.awaiting(r)
	if !ok {
		return fault.New(fault.SignInNeeded, "The sign-in took too long. Enter your password again.")
	}
	return s.beginProof(w, r, who)
}

// beginPasskeyProof asks a person who is signed in for a passkey in place of a code.
func (s *server) beginPasskeyProof(w http.ResponseWriter, r *http.Request) error {
	return s.beginProof(w, r, view.ViewerOf(r.Context()).Person.ID)
}

func (s *server) beginProof(w http.ResponseWriter, r *http.Request, who id.Person) error {
	if err := s.limit("passkey "+s.clientNetwork(r), limitPerLink); err != nil {
		return err
	}
	return s.challenge(w, r, func() ([]byte, string, error) { return s.passkeys.BeginProof(r.Context(), who) })
}

func (s *server) passkeysPage(w http.ResponseWriter, r *http.Request) error {
	return s.showPasskeys(w, r, http.StatusOK, &view.Passkeys{})
}

func (s *server) showPasskeys(w http.ResponseWriter, r *http.Request, status int, page *view.Passkeys) (err error) {
	who := view.ViewerOf(r.Context()).Person.ID
	if page.All, err = s.passkeys.List(r.Context(), who); err != nil {
		return err
	}
	state, err := s.TwoFactor.State(r.Context(), who)
	if err != nil {
		return err
	}
	page.App = state.App
	page.Site = s.passkeySite()
	return render(w, r, status, view.PasskeysPage(page))
}

// passkeySite returns where passkeys work, or why nowhere.
func (s *server) passkeySite() view.PasskeySite {
	site := view.PasskeySite{Origin: s.passkeys.Origin()}
	if err := s.passkeys.Available(); err != nil {
		site.Missing = messageOf(err)
	}
	return site
}

// beginAddPasskey lets the browser create a passkey, if the password is right.
func (s *server) beginAddPasskey(w http.ResponseWriter, r *http.Request) error {
	p := view.ViewerOf(r.Context()).Person
	guarded := limitsOfPassword(p.ID)
	if p.TwoFactor {
		guarded = append(guarded, s.limitsOfCodes(r, p.ID)...)
	}
	return s.guess(guarded, func() error {
		return s.challenge(w, r, func() ([]byte, string, error) {
			return s.passkeys.BeginAdd(r.Context(), p, r.PostFormValue("current"), s.proofOf(r))
		})
	})
}

func (s *server) addPasskey(w http.ResponseWriter, r *http.Request) error {
	answer := r.PostFormValue("credential")
	if answer == "" {
		return fault.New(fault.Validation, "Passkeys need JavaScript, which this browser does not run here. Nothing was added.")
	}
	err := s.passkeys.Add(r.Context(), view.ViewerOf(r.Context()).Person, s.sessions.PopString(r.Context(), challengeKey), []byte(answer),
		r.PostFormValue("name"))
	return s.answerPasskeys(w, r, err, "The passkey was added. You can sign in with it from now on.")
}

// answerPasskeys shows the page again if the person can correct the form, and otherwise redirects to it.
func (s *server) answerPasskeys(w http.ResponseWriter, r *http.Request, err error, done string) error {
	if e, told := formError(err); told {
		page := &view.Passkeys{Fault: cmp.Or(view.Sentences(e), e.Message)}
		return s.showPasskeys(w, r, httpx.Status(e.Kind()), page)
	}
	if err != nil {
		return err
	}
	s.notice(r.Context(), done)
	return redirect(w, r, passkeysPath)
}

func (s *server) renamePasskey(w http.ResponseWriter, r *http.Request) error {
	passkey, err := id.Parse[id.Passkey](r.PathValue("passkey_id"))
	if err != nil {
		return notFound()
	}
	err = s.passkeys.Rename(r.Context(), view.ViewerOf(r.Context()).Person.ID, passkey, r.PostFormValue("name"))
	return s.answerPasskeys(w, r, err, "The passkey was renamed.")
}

func (s *server) removePasskey(w http.ResponseWriter, r *http.Request) error {
	passkey, err := id.Parse[id.Passkey](r.PathValue("passkey_id"))
	if err != nil {
		return notFound()
	}
	err = s.passkeys.Remove(r.Context(), view.ViewerOf(r.Context()).Person.ID, passkey)
	return s.answerPasskeys(w, r, err, "The passkey was removed and no longer signs in. Your device may still offer it; you can delete it there.")
}

// enablePasskeysAfterPassword switches two-factor sign-in on without an app.
func (s *server) enablePasskeysAfterPassword(w http.ResponseWriter, r *http.Request) error {
	who := view.ViewerOf(r.Context()).Person.ID
	var codes []string
	err := s.guess(limitsOfPassword(who), func() (err error) {
		codes, err = s.TwoFactor.EnablePasskeys(r.Context(), who, r.PostFormValue("current"))
		return err
	})
	if err != nil {
		return s.answerTwoFactor(w, r, err, "")
	}
	s.notice(r.Context(), "Two-factor sign-in is on. Keep the recovery codes below before you leave this page.")
	return s.reveal(w, r, twoFactorPath, strings.Join(codes, " "))
}

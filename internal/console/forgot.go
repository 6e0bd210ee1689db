package console

import (
	"net/http"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/httpx"
)

// forgotPage asks for the email address to which a link to set a new password is sent.
func (s *server) forgotPage(w http.ResponseWriter, r *http.Request) error {
	if !s.Notifier.Enabled() {
		return notFound()
	}
	return render(w, r, http.StatusOK, view.ForgotPage(view.Forgot{}))
}

// forgot sends the link. The page is the same whether or not the address has an account, and looking for it is left to the job that
// sends the email, so the time of the answer does not depend on it either.
func (s *server) forgot(w http.ResponseWriter, r *http.Request) error {
	if !s.Notifier.Enabled() {
		return notFound()
	}
	form := view.Forgot{Email: r.PostFormValue("email")}
	network := s.clientNetwork(r)
	err := s.limit("forgot "+network, limitPerForgot)
	if err == nil {
		err = s.Notifier.Reset(r.Context(), form.Email, network)
	}
	if e, told := formError(err); told {
		httpx.SetRetryAfter(w, e)
		form.Fault = view.Sentences(err)
		if form.Fault == "" {
			form.Fault = e.Message
		}
		return render(w, r, httpx.Status(e.Kind()), view.ForgotPage(form))
	}
	if err != nil {
		return err
	}
	s.notice(r.Context(), "If an account with a password has this address, an email with a link is on its way to it. It may take a few minutes; a link is sent at most every 5 minutes.")
	return redirect(w, r, basePath+"/sign-in")
}

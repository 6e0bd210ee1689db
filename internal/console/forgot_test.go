package console

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/mail"
	"github.com/opencapi/capi/internal/mail/mailtest"
)

// mailing makes the console offer emails. Nothing sends them.
func mailing(t *testing.T) func(*Deps) {
	t.Helper()
	server := mailtest.Start(t, mail.STARTTLS)
	return func(d *Deps) {
		d.Notifier.Mail = mail.New(server.Options())
		require.True(t, d.Notifier.Enabled())
	}
}

func TestForgottenPasswordHasTheSameAnswerForEveryAddress(t *testing.T) {
	t.Parallel()
	h := open(t, mailing(t))
	visitor := h.browser(t)
	require.Contains(t, visitor.get(t, "/sign-in").body, "Forgot your password?")
	require.Equal(t, http.StatusOK, visitor.get(t, "/forgot-password").status)
	var answers []string
	for _, email := range []string{"ann@example.com", "nobody@example.com"} {
		a := visitor.post(t, "/forgot-password", "email", email)
		require.Equal(t, http.StatusSeeOther, a.status)
		page := visitor.follow(t, a).body
		require.Contains(t, page, "If an account with a password has this address")
		answers = append(answers, page)
	}
	require.Equal(t, answers[0], answers[1])
	var jobs, links int
	require.NoError(t, h.db.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM job WHERE kind = 'mail.reset'`).Scan(&jobs))
	require.NoError(t, h.db.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM invitation`).Scan(&links))
	require.Equal(t, 2, jobs, "both do the same work")
	require.Zero(t, links, "which does not look for the account")

	malformed := visitor.post(t, "/forgot-password", "email", "nonsense")
	require.Equal(t, http.StatusUnprocessableEntity, malformed.status)
	require.Contains(t, malformed.body, `role="alert"`)
	for range limitPerForgot.Requests {
		malformed = visitor.post(t, "/forgot-password", "email", "nobody@example.com")
	}
	require.Equal(t, http.StatusTooManyRequests, malformed.status)
	require.Contains(t, malformed.body, "Too many attempts.")
}

func TestWithoutAMailServerLinksAreShown(t *testing.T) {
	t.Parallel()
	h := open(t)
	visitor := h.browser(t)
	require.Equal(t, http.StatusNotFound, visitor.get(t, "/forgot-password").status)
	require.Equal(t, http.StatusNotFound, visitor.post(t, "/forgot-password", "email", "ann@example.com").status)
	require.NotContains(t, visitor.get(t, "/sign-in").body, "/forgot-password")
	ann := h.as(t, h.ann)
	page := ann.follow(t, ann.post(t, in(h.acme, "/invitations"), "email", "new@example.com", "role", "member")).body
	require.NotContains(t, page, "mail with a link")
	require.Contains(t, page, "invitation-link")
}

func TestInvitationsAreSentByEmailAndShown(t *testing.T) {
	t.Parallel()
	h := open(t, mailing(t))
	ann := h.as(t, h.ann)
	invite := func() answer {
		return ann.post(t, in(h.acme, "/invitations"), "email", "new@example.com", "role", "member")
	}
	page := ann.follow(t, invite()).body
	require.Contains(t, page, "An email with a link is on its way.")
	require.Contains(t, page, "invitation-link")
	require.Contains(t, page, "The email is on its way.")
	last := http.StatusSeeOther
	for range limitPerInviter.Requests {
		last = invite().status
	}
	require.Equal(t, http.StatusTooManyRequests, last, "nobody can use the server to send emails to everyone")
}

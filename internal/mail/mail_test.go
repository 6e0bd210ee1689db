package mail_test

import (
	"crypto/x509"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/mail"
	"github.com/opencapi/capi/internal/mail/mailtest"
)

var message = mail.Message{
	ID: "0198c0de", To: "ann@example.com", Subject: "Grüße\r\nBcc: eve@example.com", Text: "Hello\n", HTML: "<p>Hello</p>",
}

func TestMessageIsSentOverTLS(t *testing.T) {
	t.Parallel()
	for _, way := range []mail.TLS{mail.STARTTLS, mail.Implicit} {
		t.Run(string(way), func(t *testing.T) {
			t.Parallel()
			s := mailtest.Start(t, way)
			require.NoError(t, mail.New(s.Options()).Send(t.Context(), message))
			got := s.Messages()
			require.Len(t, got, 1)
			require.Equal(t, "ann@example.com", got[0].To)
			require.Empty(t, got[0].Header.Get("Bcc"), "a line break in a subject begins no header")
			require.Equal(t, "<0198c0de@example.com>", got[0].Header.Get("Message-ID"))
			require.Equal(t, "auto-generated", got[0].Header.Get("Auto-Submitted"))
			require.Contains(t, got[0].Header.Get("Content-Type"), "multipart/alternative")
			require.Contains(t, got[0].Body, "text/plain")
			require.Contains(t, got[0].Body, "<p>Hello</p>")
		})
	}
}

func TestFailureSaysWhatHappenedAndNoSecret(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change  func(*mail.Options)
		to      string
		says    string
		refused bool
	}{
		"wrong password":    {func(o *mail.Options) { o.Password = "another secret" }, "", "Authentication failed", false},
		"unknown recipient": {func(*mail.Options) {}, mailtest.Unknown, "No such user", true},
		"foreign authority": {func(o *mail.Options) { o.Roots = x509.NewCertPool() }, "", "certificate", false},
		"no such server":    {func(o *mail.Options) { o.Port = 1 }, "", "127.0.0.1:1", false},
		"not an address":    {func(*mail.Options) {}, "ann", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := mailtest.Start(t, mail.STARTTLS)
			o, m := s.Options(), message
			test.change(&o)
			if test.to != "" {
				m.To = test.to
			}
			if name == "not an address" {
				m.To = "ann"
			}
			err := mail.New(o).Send(t.Context(), m)
			require.ErrorContains(t, err, test.says)
			require.Equal(t, test.refused, isRefused(err), "%v", err)
			require.NotContains(t, err.Error(), o.Password)
			require.Empty(t, s.Messages())
		})
	}
}

func TestPasswordIsNeverSentInClearText(t *testing.T) {
	t.Parallel()
	s := mailtest.Start(t, mail.Clear)
	o := s.Options()
	o.Host = "127.0.0.1"
	o.TLS = mail.STARTTLS
	o.Roots = x509.NewCertPool()
	require.Error(t, mail.New(o).Send(t.Context(), message))
	require.Zero(t, s.Refused(), "no login was tried")
}

func isRefused(err error) bool { return errors.Is(err, mail.ErrRefused) }

package console

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strings"
)

// A secret that a form made is shown on the page to which the form redirects, and only there: the session keeps it encrypted,
// and the key is in a cookie that the browser sends to this page alone. So neither the database nor an address has it, and
// reloading the page does not show it again.

const (
	revealCookie     = "capi_reveal"
	revealAgeSeconds = 60
)

// reveal redirects to the page at path, where revealed returns the secret once.
func (s *server) reveal(w http.ResponseWriter, r *http.Request, path, secret string) error {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it never fails
	sealer, err := revealCipher(key)
	if err != nil {
		return err
	}
	s.sessions.Put(r.Context(), secretKey, string(sealer.Seal(nil, nil, []byte(secret), []byte(path))))
	http.SetCookie(w, s.revealCookie(path, base64.RawURLEncoding.EncodeToString(key), revealAgeSeconds))
	return redirect(w, r, path)
}

// revealed returns the secret that reveal left for this page. It is empty if there is none, and at every later call.
func (s *server) revealed(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(revealCookie)
	if err != nil || r.Method != http.MethodGet {
		return ""
	}
	http.SetCookie(w, s.revealCookie(r.URL.Path, "", -1))
	sealed := s.sessions.PopString(r.Context(), secretKey)
	key, err := base64.RawURLEncoding.DecodeString(c.Value)
	if err != nil {
		return ""
	}
	opener, err := revealCipher(key)
	if err != nil {
		return ""
	}
	secret, err := opener.Open(nil, nil, []byte(sealed), []byte(r.URL.Path))
	if err != nil {
		return ""
	}
	return string(secret)
}

func (s *server) revealCookie(path, value string, ageSeconds int) *http.Cookie {
	return &http.Cookie{
		Name: revealCookie, Value: value, Path: path, MaxAge: ageSeconds, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: strings.HasPrefix(s.PublicURL, "https://"),
	}
}

func revealCipher(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

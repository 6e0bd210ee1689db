// Package mailtest runs an SMTP server for tests, which is not ours: github.com/emersion/go-smtp.
package mailtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	capimail "github.com/opencapi/capi/internal/mail"
)

// The account that the server knows, and a recipient that it refuses for good.
const (
	User     = "capi"
	Password = "a password for tests"
	Unknown  = "unknown@example.com"
)

// Received is a message that the server has accepted.
type Received struct {
	To     string
	Header mail.Header
	Body   string // as it was sent, still encoded
}

// Server is an SMTP server on this machine that asks for TLS and a password, or for neither in clear text.
type Server struct {
	Roots   *x509.CertPool
	addr    string
	tls     *tls.Config
	mode    capimail.TLS
	mu      sync.Mutex
	server  *smtp.Server
	got     []Received
	refused int // logins and recipients
}

// Start starts a server that runs until the end of the test.
func Start(t testing.TB, mode capimail.TLS) *Server {
	t.Helper()
	s := &Server{mode: mode, addr: "127.0.0.1:0"}
	s.certify(t)
	s.Up(t)
	t.Cleanup(s.Down)
	return s
}

// Options returns the settings of a client of the server.
func (s *Server) Options() capimail.Options {
	_, port, _ := net.SplitHostPort(s.addr)
	n := 0
	for _, r := range port {
		n = 10*n + int(r-'0')
	}
	if s.mode == capimail.Clear {
		return capimail.Options{Host: "127.0.0.1", Port: n, From: "CAPI <capi@example.com>", TLS: s.mode, Timeout: 5 * time.Second}
	}
	return capimail.Options{
		Host: "127.0.0.1", Port: n, User: User, Password: Password, From: "CAPI <capi@example.com>", TLS: s.mode, Roots: s.Roots,
		Timeout: 5 * time.Second,
	}
}

// Up starts the server again, at the same address.
func (s *Server) Up(t testing.TB) {
	t.Helper()
	listener, err := net.Listen("tcp", s.addr)
	require.NoError(t, err)
	s.addr = listener.Addr().String()
	server := smtp.NewServer(s)
	server.Domain, server.TLSConfig, server.ErrorLog = "mail.example.com", s.tls, discard{}
	if s.mode == capimail.Implicit {
		listener = tls.NewListener(listener, s.tls)
	}
	s.mu.Lock()
	s.server = server
	s.mu.Unlock()
	go func() { _ = server.Serve(listener) }()
}

// Down stops the server: connections are refused.
func (s *Server) Down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.server.Close()
}

// Messages returns what the server has accepted.
func (s *Server) Messages() []Received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Received{}, s.got...)
}

// Refused returns how many logins and recipients the server has refused.
func (s *Server) Refused() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refused
}

// NewSession implements smtp.Backend.
func (s *Server) NewSession(*smtp.Conn) (smtp.Session, error) { return &session{server: s}, nil }

type session struct {
	server   *Server
	signedIn bool
	to       string
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != User || password != Password {
			s.server.refuse()
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "Authentication failed"}
		}
		s.signedIn = true
		return nil
	}), nil
}

func (s *session) Mail(string, *smtp.MailOptions) error {
	if !s.signedIn && s.server.mode != capimail.Clear {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if to == Unknown {
		s.server.refuse()
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such user"}
	}
	s.to = to
	return nil
}

func (s *session) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		return err
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.got = append(s.server.got, Received{To: s.to, Header: m.Header, Body: string(body)})
	return nil
}

func (s *session) Reset()        { s.to = "" }
func (s *session) Logout() error { return nil }

func (s *Server) refuse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused++
}

// certify creates a certificate for 127.0.0.1 that its own authority has signed.
func (s *Server) certify(t testing.TB) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	s.Roots = x509.NewCertPool()
	s.Roots.AddCert(parsed)
	s.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
}

// Link returns the first address in the body of the message that contains the text.
func (r Received) Link(containing string) (string, error) {
	body := strings.ReplaceAll(strings.ReplaceAll(r.Body, "=\r\n", ""), "=3D", "=")
	for _, word := range strings.Fields(body) {
		if strings.HasPrefix(word, "http") && strings.Contains(word, containing) {
			return word, nil
		}
	}
	return "", errors.New("the message has no such link")
}

type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

// Package mail sends messages by SMTP. It knows nothing about what they say, and it sends each only once: package notify
// repeats what failed.
package mail

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// TLS is how the connection to the server is encrypted.
type TLS string

// The ways. Without encryption, no password is sent except to this machine.
const (
	STARTTLS TLS = "starttls" // begins in clear text, and must change to TLS
	Implicit TLS = "tls"      // begins with TLS
	Clear    TLS = "none"
)

// Options are the settings of a Client. Host, Port and From are required.
type Options struct {
	Host     string
	Port     int
	User     string // empty for no authentication
	Password string
	From     string // an address, or a name with an address in angle brackets
	TLS      TLS    // defaults to STARTTLS

	// Roots are the certificate authorities that may have signed the server's certificate. Defaults to those of the system.
	Roots *x509.CertPool

	// Timeout bounds the connection and each command. Defaults to 20s.
	Timeout time.Duration
}

// Message is an email in plain text and HTML.
type Message struct {
	ID      string // unique; the same for each attempt to send it
	To      string
	Subject string
	Text    string
	HTML    string
}

// ErrRefused is the error of a message that the server refuses for good, such as one to an unknown recipient.
var ErrRefused = errors.New("refused by the mail server")

// Client sends messages. Safe for concurrent use.
type Client struct {
	options Options
	client  []gomail.Option
}

// New returns a client. It connects only to send.
func New(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = 20 * time.Second
	}
	options := []gomail.Option{gomail.WithPort(o.Port), gomail.WithTimeout(o.Timeout), gomail.WithoutNoop()}
	switch o.TLS {
	case Implicit:
		options = append(options, gomail.WithSSL())
	case Clear:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if o.User != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(o.User), gomail.WithPassword(o.Password))
	}
	return &Client{options: o, client: options}
}

// Send sends the message and returns once the server has accepted it. ErrRefused if another attempt is pointless.
func (c *Client) Send(ctx context.Context, m Message) error {
	msg, err := c.compose(m)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	client, err := gomail.NewClient(c.options.Host, c.client...)
	if err != nil {
		return fmt.Errorf("set up mail server: %w", err)
	}
	if c.options.Roots != nil {
		if err := client.SetTLSConfig(tlsConfig(c.options)); err != nil {
			return fmt.Errorf("set up mail server: %w", err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 3*c.options.Timeout)
	defer cancel()
	server := fmt.Sprintf("%s:%d", c.options.Host, c.options.Port)
	if err := client.DialWithContext(ctx); err != nil {
		return fmt.Errorf("connect to mail server %s: %w", server, err)
	}
	// The message is accepted or not before the connection ends, so an error of the end changes nothing.
	defer func() { _ = client.Close() }()
	if err := client.Send(msg); err != nil {
		return fmt.Errorf("send by mail server %s: %w", server, reason(err))
	}
	return nil
}

func (c *Client) compose(m Message) (*gomail.Msg, error) {
	msg := gomail.NewMsg()
	if err := msg.From(c.options.From); err != nil {
		return nil, err
	}
	if err := msg.To(m.To); err != nil {
		return nil, err
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageIDWithValue(m.ID + "@" + domainOf(c.options.From))
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return msg, nil
}

func domainOf(from string) string {
	address, err := mail.ParseAddress(from)
	if err != nil {
		return "localhost"
	}
	return address.Address[strings.LastIndexByte(address.Address, '@')+1:]
}

// reason returns what the server said, without the message and its recipient. A recipient or a content that is refused with a 5xx
// reply stays refused; everything else, such as a sender, may be a setting that somebody corrects.
func reason(err error) error {
	var failed *gomail.SendError
	if !errors.As(err, &failed) {
		return err
	}
	text, _, _ := strings.Cut(failed.Error(), ", affected ")
	switch failed.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose:
		if code := failed.ErrorCode(); code >= 500 && code < 600 {
			return fmt.Errorf("%w: %s", ErrRefused, text)
		}
	default:
	}
	return errors.New(text)
}

package config

import (
	"errors"
	"fmt"
	"net/mail"
	"strings"
)

// Mail are the settings of the SMTP server that sends emails.
type Mail struct {
	SMTPHost         string `name:"smtp-host" env:"CAPI_SMTP_HOST" placeholder:"HOST" help:"SMTP server that sends emails, such as smtp.example.com (default: none; links are shown instead)."`
	SMTPPort         int    `name:"smtp-port" default:"587" env:"CAPI_SMTP_PORT" placeholder:"PORT" help:"Port of the SMTP server (default ${default})."`
	SMTPTLS          string `name:"smtp-tls" default:"starttls" env:"CAPI_SMTP_TLS" enum:"starttls,tls,none" placeholder:"WAY" help:"Encryption of the connection: starttls, tls (from the start, usually port 465) or none (default ${default})."`
	SMTPUser         string `name:"smtp-user" env:"CAPI_SMTP_USER" placeholder:"NAME" help:"User at the SMTP server (default: no authentication)."`
	SMTPPassword     string `name:"smtp-password" env:"CAPI_SMTP_PASSWORD" placeholder:"SECRET" help:"Password at the SMTP server; set it in the environment or a file, not as a flag."`
	SMTPPasswordFile string `name:"smtp-password-file" env:"CAPI_SMTP_PASSWORD_FILE" placeholder:"FILE" help:"File with the password at the SMTP server."`
	SMTPFrom         string `name:"smtp-from" env:"CAPI_SMTP_FROM" placeholder:"ADDRESS" help:"Sender of the emails, such as 'CAPI <capi@example.com>'; required with --smtp-host."`
}

// ValidateMail returns an *Error for each invalid setting, joined. Without a server, no other setting matters.
func (m Mail) ValidateMail() error { return errors.Join(m.check()...) }

func (m Mail) check() (errs []error) {
	add := func(setting, format string, args ...any) {
		errs = append(errs, &Error{setting, fmt.Sprintf(format, args...)})
	}
	if m.SMTPHost == "" {
		if m.SMTPFrom != "" || m.SMTPUser != "" || m.SMTPPassword != "" || m.SMTPPasswordFile != "" {
			add("smtp-host", "is required with the other settings of the SMTP server")
		}
		return errs
	}
	if strings.ContainsAny(m.SMTPHost, ":/ ") {
		add("smtp-host", "%q is not the name of a server, such as smtp.example.com; set the port with --smtp-port", m.SMTPHost)
	}
	if m.SMTPPort < 1 || m.SMTPPort > 65535 {
		add("smtp-port", "%d is not a port from 1 to 65535", m.SMTPPort)
	}
	if m.SMTPTLS != "starttls" && m.SMTPTLS != "tls" && m.SMTPTLS != "none" {
		add("smtp-tls", "%q is not starttls, tls or none", m.SMTPTLS)
	}
	if _, err := mail.ParseAddress(m.SMTPFrom); err != nil {
		add("smtp-from", "%q is not an email address, such as capi@example.com or 'CAPI <capi@example.com>'", m.SMTPFrom)
	}
	if m.SMTPPassword != "" && m.SMTPPasswordFile != "" {
		add("smtp-password-file", "cannot be used together with --smtp-password")
	}
	password, err := m.Password()
	switch {
	case err != nil:
		add("smtp-password-file", "%v", err)
	case m.SMTPUser != "" && password == "":
		add("smtp-password", "is required with --smtp-user; set CAPI_SMTP_PASSWORD, or --smtp-password-file")
	case m.SMTPUser == "" && password != "":
		add("smtp-user", "is required with a password")
	}
	return errs
}

// Password returns the password in SMTPPassword or SMTPPasswordFile, without the line end of the file.
func (m Mail) Password() (string, error) { return secret(m.SMTPPassword, m.SMTPPasswordFile) }

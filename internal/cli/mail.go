package cli

import (
	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/config"
)

type mailCommand struct {
	Test mailTest `cmd:"" help:"Send a test message with the settings of the SMTP server."`
}

type mailTest struct {
	Address     string `arg:"" help:"The email address to send the message to."`
	config.Mail `embed:"" group:"mail"`
}

// Help is shown below the summary.
func (mailTest) Help() string {
	return `It sends the message at once and prints what the server answers. It needs no data directory. Example:

    capi mail test ann@example.com`
}

// Run sends the message.
func (c *mailTest) Run(s *session) error {
	if c.SMTPHost == "" {
		return &config.Error{Setting: "smtp-host", Message: "is required; set it and the settings beside it, as for capi serve"}
	}
	if err := c.ValidateMail(); err != nil {
		return err
	}
	to, err := account.CheckEmail(c.Address)
	if err != nil {
		return &config.Error{Setting: "address", Message: "is not an email address, such as ann@example.com"}
	}
	if err := app.TestMail(s.ctx, c.Mail, to); err != nil {
		return err
	}
	s.printf("%s accepted the message for %s.\n", c.SMTPHost, to)
	return nil
}

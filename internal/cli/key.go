package cli

import "github.com/opencapi/capi/internal/app"

type keyCommand struct {
	Accept keyAccept `cmd:"" help:"Accept the key of this server in place of one that is lost."`
}

type keyAccept struct{}

// Help is shown below the summary.
func (keyAccept) Help() string {
	return `All servers of a database need the same key, which signs download links and encrypts the secrets of two-factor sign-in. A server with
another key does not start. It also encrypts the secrets of webhooks and the keys that sign manifests. If the key is lost, this command makes the one in the data directory, or in --key-file, the right one. Links that
were handed out stop working, people with two-factor sign-in need a recovery code, the secrets of webhooks must be rotated, and a new key signs
manifests; what was signed before can still be verified.`
}

// Run accepts the key.
func (keyAccept) Run(s *session) error {
	if err := s.config.ValidateStorage(); err != nil {
		return err
	}
	changed, err := app.AcceptKey(s.ctx, s.config)
	if err != nil {
		return err
	}
	if !changed {
		s.printf("The key in %s is the right one already.\n", s.config.KeyPath())
		return nil
	}
	s.printf("The key in %s is the right one from now on.\n", s.config.KeyPath())
	return nil
}

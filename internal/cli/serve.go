package cli

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/config"
)

type serveCommand struct {
	config.Server `embed:""`
}

// Help is shown below the summary.
func (serveCommand) Help() string {
	return `Without any setting it keeps everything in ./capi-data and listens at http://127.0.0.1:8080, with its
documentation at /docs there. Imports, tokens and credits can be managed meanwhile from another terminal. Ctrl-C or
SIGTERM lets running requests and jobs finish.

Examples:

    capi serve
    capi serve --data /var/lib/capi --addr :8080 --public-url https://api.example.com`
}

// Run serves until it is interrupted.
func (c *serveCommand) Run(s *session) error {
	s.config.Server = c.Server
	if err := s.config.Validate(); err != nil {
		return err
	}
	listener, err := listen(c.Addr)
	if err != nil {
		return err
	}
	defer listener.Close()
	a, err := app.Open(s.ctx, s.config, s.log())
	if err != nil {
		return err
	}
	defer a.Close()
	if err := s.welcome(a, listener.Addr()); err != nil {
		return err
	}
	return a.Serve(s.ctx, listener)
}

// welcome tells where the first owner makes their account, as long as there is nobody.
func (s *session) welcome(a *app.App, addr net.Addr) error {
	link, err := a.FirstLink(s.ctx, addr)
	if err != nil || link == "" {
		return err
	}
	s.printf("Nobody can sign in to the console yet. Make the first account by this link; it works once:\n\n    %s\n\n", link)
	return nil
}

func listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("address %s is in use by another program; choose another one with --addr", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", addr, err)
	}
	return listener, nil
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/tracing"
)

// traceTimeout is how long a stopping server tries to send its last traces.
const traceTimeout = 5 * time.Second

type serveCommand struct {
	config.Server `embed:""`
}

// Help is shown below the summary.
func (serveCommand) Help() string {
	return `By default, it keeps all data in ./capi-data and listens at http://127.0.0.1:8080, with the documentation at /docs.
You can import companies and manage tokens and credits from another terminal while it runs. On Ctrl-C or SIGTERM, it
finishes running requests and jobs.

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
	if err := app.Check(s.ctx, s.config); err != nil {
		return err
	}
	a, err := app.Open(s.ctx, s.config, s.log())
	if err != nil {
		return err
	}
	defer a.Close()
	stop, traced, err := tracing.Setup(s.ctx, commit, s.log())
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), traceTimeout)
		defer cancel()
		_ = stop(ctx) // was logged
	}()
	if traced {
		s.log().Info("sending traces to the collector")
	}
	if err := s.welcome(a, listener.Addr()); err != nil {
		return err
	}
	return a.Serve(s.ctx, listener)
}

// welcome prints the link for the first owner if nobody has an account yet.
func (s *session) welcome(a *app.App, addr net.Addr) error {
	link, err := a.FirstLink(s.ctx, addr)
	if err != nil || link == "" {
		return err
	}
	s.printf("Nobody can sign in to the console yet. Create the first account with this link; it works once, within an hour (capi person invite makes another):\n\n    %s\n\n", link)
	return nil
}

func listen(addr string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("address %s is in use by another program; choose another with --addr", addr)
	}
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", addr, err)
	}
	return listener, nil
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/token"
)

type demoCommand struct {
	Addr      string `env:"CAPI_ADDR" placeholder:"HOST:PORT" help:"Address to listen on (default: 127.0.0.1:8080, or a free port if that is taken)."`
	Companies int    `default:"50000" placeholder:"N" help:"Number of companies to make up (default ${default})."`
	Exit      bool   `help:"Exit after the tour instead of serving."`
}

// Help is shown below the summary.
func (demoCommand) Help() string {
	return `It loads made-up companies into a temporary directory, starts the real server, and does what a client does: search,
get a quote, export, download, read the ledger, and export the same companies again for free. Then it keeps serving, so
that you can try it yourself. At the end, the directory is removed, except for the downloaded file. With --data, your
directory is used and kept.`
}

const (
	demoCompaniesMin = 2000 // enough that the tour's search finds some companies, and that the credits do not cover all of them

	demoSeed    = 1
	demoCredits = 1000
	demoDrain   = 10 * time.Second
)

// Run shows the tour, then serves until it is interrupted.
func (c *demoCommand) Run(s *session) error {
	if c.Companies < demoCompaniesMin {
		return &config.Error{Setting: "companies", Message: "the demo needs at least " + count(demoCompaniesMin)}
	}
	d, err := c.prepare(s)
	if err != nil {
		return err
	}
	return errors.Join(d.run(s, c), d.tidy(s))
}

// demo is one run of the tour.
type demo struct {
	dir  string // holds the source file, the data and the download
	own  bool   // whether the demo created dir and removes it
	app  *app.App
	kept string // path of the downloaded file; empty before the download
}

func (c *demoCommand) prepare(s *session) (*demo, error) {
	d := &demo{dir: s.config.Data}
	if d.dir == config.Default("data") {
		dir, err := os.MkdirTemp("", "capi-demo-")
		if err != nil {
			return nil, fmt.Errorf("make a directory for the demo: %w", err)
		}
		d.dir, d.own = dir, true
		s.config.Data = filepath.Join(dir, "data")
	}
	s.config.Server = config.Server{
		Addr: c.Addr, Workers: 2, DrainTimeout: demoDrain,
		RateLimits: "exports.create=60/min", // someone who plays uses up the default of 5 quickly
	}
	return d, nil
}

func (d *demo) run(s *session, c *demoCommand) error {
	log := slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	var err error
	if d.app, err = app.Open(s.ctx, s.config, log); err != nil {
		return err
	}
	defer d.app.Close()
	s.printf("CAPI: a guided tour with made-up companies.\n")
	if err := d.load(s, c.Companies); err != nil {
		return err
	}
	token, err := d.account(s)
	if err != nil {
		return err
	}
	listener, err := c.listen()
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(s.ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- d.app.Serve(ctx, listener) }()
	toured := make(chan error, 1)
	base := "http://" + listener.Addr().String()
	go func() {
		err := d.tour(ctx, s, base, client.New(base, token, client.Options{}))
		if err == nil && !c.Exit {
			err = s.printInvitation(d.app, listener.Addr(), base, token)
		}
		if err != nil || c.Exit {
			stop()
		}
		toured <- err
	}()
	err = <-served // serving ends after the tour, on an interrupt, or if it cannot start
	stop()
	if tourErr := <-toured; err == nil && s.ctx.Err() == nil {
		err = tourErr
	}
	return err
}

func (c *demoCommand) listen() (net.Listener, error) {
	if c.Addr != "" {
		return listen(c.Addr)
	}
	if l, err := net.Listen("tcp", config.Default("addr")); err == nil {
		return l, nil
	}
	return listen("127.0.0.1:0")
}

// account creates the workspace and its token.
func (d *demo) account(s *session) (secret string, err error) {
	s.heading(2, "Create a workspace with 1,000 credits, and a token for it")
	w, err := d.app.CreateWorkspace(s.ctx, "Demo Inc", demoCredits)
	if err != nil {
		return "", err
	}
	s.command("capi workspace create \"Demo Inc\" --credits %d", demoCredits)
	s.command("capi token create --workspace %s --name demo --scope read_write", w.ID)
	secret, _, err = d.app.Tokens.Create(s.ctx, token.NewToken{Workspace: w.ID, Name: "demo", Scope: auth.ReadWrite})
	if err != nil {
		return "", err
	}
	s.output("%s", secret)
	return secret, nil
}

func (s *session) printInvitation(a *app.App, addr net.Addr, base, token string) error {
	link, err := a.FirstLink(s.ctx, addr)
	if err != nil {
		return err
	}
	s.printf("\nNow try it yourself. Serving at %s until you press Ctrl-C.\n\n", base)
	if link != "" {
		s.printf("To use the console, create your account with this link:\n\n    %s\n\n", link)
	}
	s.printf("Token:  %s\n\nAn example request to copy:\n\n%s\n\n", token, exampleRequest(base, token))
	s.printf("Documentation: %s/docs\n", base)
	s.printf("Commands for this server need --data %s\n", s.config.Data)
	return nil
}

// exampleRequest returns a shell command that creates an export.
func exampleRequest(base, token string) string {
	return fmt.Sprintf(`curl -X POST %s/api/v1/exports \
  -H "Authorization: Bearer %s" \
  -H "Content-Type: application/json" \
  -d '{"name":"US fintech 50+","source_type":"search","export_format":"csv","search_filters":{"query":"fintech","countries":["US"],"employee_count_min":50}}'`,
		base, token)
}

// tidy removes the demo's own directory, except for the downloaded file.
func (d *demo) tidy(s *session) error {
	if !d.own {
		return nil
	}
	if d.kept == "" {
		return os.RemoveAll(d.dir)
	}
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return fmt.Errorf("tidy up: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if e.Name() != filepath.Base(d.kept) {
			errs = append(errs, os.RemoveAll(filepath.Join(d.dir, e.Name())))
		}
	}
	s.printf("\nThe demo's data was removed. The downloaded file is kept: %s\n", d.kept)
	return errors.Join(errs...)
}

// save writes what fn writes to a file in the demo's directory and returns its path.
func (d *demo) save(name string, fn func(io.Writer) error) (string, error) {
	path := filepath.Join(d.dir, name)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", fmt.Errorf("save %s: %w", name, err)
	}
	if err := errors.Join(fn(f), f.Close()); err != nil {
		return "", fmt.Errorf("save %s: %w", name, err)
	}
	return path, nil
}

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
	Addr      string `env:"CAPI_ADDR" placeholder:"HOST:PORT" help:"Address to listen at (127.0.0.1:8080, or any free port if that is taken)."`
	Companies int    `default:"50000" placeholder:"N" help:"Companies to make up (default ${default})."`
	Exit      bool   `help:"Stop after the story instead of serving on."`
}

// Help is shown below the summary.
func (demoCommand) Help() string {
	return `It loads made-up companies into a temporary directory, starts the real server, and does what a client would: search,
quote, export, download, look at the ledger, export the same again for free. Then it serves on, for you to try. The
directory is removed at the end, but for the downloaded file; with --data it is yours and stays.`
}

const (
	demoCompaniesMin = 2000 // enough for the story's search to find some, and for the credits not to cover all

	demoSeed    = 1
	demoCredits = 1000
	demoDrain   = 10 * time.Second
)

// Run tells the story, then serves until it is interrupted.
func (c *demoCommand) Run(s *session) error {
	if c.Companies < demoCompaniesMin {
		return &config.Error{Setting: "companies", Message: "the story needs at least " + count(demoCompaniesMin)}
	}
	d, err := c.prepare(s)
	if err != nil {
		return err
	}
	return errors.Join(d.run(s, c), d.tidy(s))
}

// demo is one run of the story.
type demo struct {
	dir  string // holds the source file, the data and the download
	own  bool   // whether dir is the demo's to remove
	app  *app.App
	kept string // the downloaded file, once there is one
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
		RateLimits: "exports.create=60/min", // the usual 5 are soon used up by one who plays
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
	s.printf("CAPI: the whole story on made-up companies.\n")
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
	told := make(chan error, 1)
	base := "http://" + listener.Addr().String()
	go func() {
		err := d.tell(ctx, s, base, client.New(base, token, client.Options{}))
		if err == nil && !c.Exit {
			err = s.printInvitation(d.app, listener.Addr(), base, token)
		}
		if err != nil || c.Exit {
			stop()
		}
		told <- err
	}()
	err = <-served // it ends when the story does, when it is interrupted, or when it cannot start
	stop()
	if story := <-told; err == nil && s.ctx.Err() == nil {
		err = story
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

// account makes the workspace and its token.
func (d *demo) account(s *session) (secret string, err error) {
	s.heading(2, "A workspace with 1,000 credits, and a token for it")
	w, err := d.app.CreateWorkspace(s.ctx, "Demo Inc", demoCredits)
	if err != nil {
		return "", err
	}
	s.typed("capi workspace create \"Demo Inc\" --credits %d", demoCredits)
	s.typed("capi token create --workspace %s --name demo --scope read_write", w.ID)
	secret, _, err = d.app.Tokens.Create(s.ctx, token.NewToken{Workspace: w.ID, Name: "demo", Scope: auth.ReadWrite})
	if err != nil {
		return "", err
	}
	s.told("%s", secret)
	return secret, nil
}

func (s *session) printInvitation(a *app.App, addr net.Addr, base, token string) error {
	link, err := a.FirstLink(s.ctx, addr)
	if err != nil {
		return err
	}
	s.printf("\nNow it is yours. Serving at %s until you press Ctrl-C.\n\n", base)
	if link != "" {
		s.printf("The console, once you have made your account by this link:\n\n    %s\n\n", link)
	}
	s.printf("Token:  %s\n\nThe published example, to copy:\n\n%s\n\n", token, seedLine(base, token))
	s.printf("What the whole API can do: %s/docs\n", base)
	return nil
}

func seedLine(base, token string) string {
	return fmt.Sprintf(`curl -X POST %s/api/v1/exports \
  -H "Authorization: Bearer %s" \
  -H "Content-Type: application/json" \
  -d '{"name":"US fintech 50+","source_type":"search","export_format":"csv","search_filters":{"query":"fintech","countries":["US"]}}'`,
		base, token)
}

// tidy removes what nobody asked to keep.
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
	s.printf("\nThe demo's data is removed; the downloaded file is still there: %s\n", d.kept)
	return errors.Join(errs...)
}

// save writes what fn writes to a file in the demo's directory and gives its path.
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

// Package cli is the command line: it parses arguments, calls the stores and use cases that app builds, and prints text or
// JSON. It holds no rules of its own.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/config"
)

const description = `A company-data API with metered exports: search companies, see the exact price of
a result before you buy it, and export it. What a workspace has bought once stays
free for it.

Start here:

  capi demo                          a guided tour with made-up companies
  capi import companies.ndjson.gz    load your own companies
  capi workspace create Acme --credits 1000
  capi token create --workspace ID --name laptop --scope read_write
  capi serve                         serve the API at http://127.0.0.1:8080

Settings come from flags, the environment, capi.toml or defaults, in this order.`

type commands struct {
	Settings       string `name:"config" env:"CAPI_CONFIG" placeholder:"FILE" group:"settings" help:"Settings file (default: capi.toml in the working directory, if it exists)."`
	config.Storage `embed:"" group:"settings"`
	config.Logging `embed:"" group:"settings"`

	Serve     serveCommand     `cmd:"" help:"Serve the API, the console and the documentation."`
	Import    importCommand    `cmd:"" help:"Load companies and their connections from files."`
	Workspace workspaceCommand `cmd:"" help:"Create and list workspaces."`
	Token     tokenCommand     `cmd:"" help:"Create, list and revoke API tokens."`
	Person    personCommand    `cmd:"" help:"List and invite people who can sign in to the console."`
	Mail      mailCommand      `cmd:"" help:"Test the sending of emails."`
	Credit    creditCommand    `cmd:"" help:"Grant credits; show the balance and the ledger."`
	Webhook   webhookCommand   `cmd:"" help:"Manage webhooks: where events are sent, their secrets and deliveries."`
	Order     orderCommand     `cmd:"" help:"List, show, pause, resume and run standing orders."`
	Dest      destCommand      `cmd:"" name:"destination" help:"List and test destinations of exports."`
	Audit     auditCommand     `cmd:"" help:"Show the audit log: who did what and when."`
	Doctor    doctorCommand    `cmd:"" help:"Check that ledger, unlocks, exports, files, jobs and index agree."`
	Backup    backupCommand    `cmd:"" help:"Copy the database and the export files to a directory, also while serving."`
	Restore   restoreCommand   `cmd:"" help:"Put a backup back into the data directory."`
	Key       keyCommand       `cmd:"" help:"Accept another key for links and secrets."`
	Keys      keysCommand      `cmd:"" help:"Show, rotate and revoke the keys that sign manifests, receipts and statements."`
	Verify    verifyCommand    `cmd:"" help:"Check files of exports, receipts and statements, and their signatures."`
	Index     indexCommand     `cmd:"" help:"Show, verify and rebuild the search index."`
	Demo      demoCommand      `cmd:"" help:"Take a guided tour with made-up companies, then keep serving."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

// session holds the input, output and settings of one command.
type session struct {
	ctx      context.Context //nolint:containedctx // lives as long as the one command
	in       io.Reader
	out, err io.Writer
	config   config.Config
}

// Run runs one command. It returns any error, including wrong usage, for Explain.
func Run(ctx context.Context, args []string, in io.Reader, out, err io.Writer) error {
	var c commands
	var done bool
	file := &settings{}
	parser, broken := kong.New(&c,
		kong.Name("capi"), kong.Description(description), kong.Writers(out, err),
		kong.Exit(func(int) { done = true }), kong.Resolvers(file),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, WrapUpperBound: 100, NoAppDescFormat: true}),
		kong.ExplicitGroups([]kong.Group{{Key: "settings", Title: "Settings, for every command:"}, {Key: "mail", Title: "The SMTP server:"}, {Key: "index", Title: "The search index, as for capi serve:"}}))
	if broken != nil {
		return fmt.Errorf("command line: %w", broken)
	}
	args = withNegatives(usual(args), func(flag string) bool { return takesValue(parser.Model.Node, flag) })
	k, broken := parser.Parse(args)
	if done { // --help was printed; the other arguments do not matter
		return nil
	}
	if file.err != nil { // kong would report it as an error of the first flag
		return &fileError{file.err}
	}
	if broken != nil {
		return &usageError{err: plain(broken), help: helpFor(broken)}
	}
	s := &session{ctx: auditlog.With(ctx, auditlog.By{Actor: app.Operator()}), in: in, out: out, err: err, config: config.Config{Storage: c.Storage, Logging: c.Logging}}
	return k.Run(s)
}

// helpFor returns the command whose help explains the usage error.
func helpFor(err error) string {
	var p *kong.ParseError
	if errors.As(err, &p) && p.Context != nil && p.Context.Selected() != nil {
		return p.Context.Selected().FullPath()
	}
	return "capi"
}

// open validates the settings and opens the data, which must exist.
func (s *session) open() (*app.App, error) { return s.openWith(app.OpenExisting) }

// openOrMake is open for commands that create missing data.
func (s *session) openOrMake() (*app.App, error) { return s.openWith(app.Open) }

func (s *session) openWith(open func(context.Context, config.Config, *slog.Logger) (*app.App, error)) (*app.App, error) {
	if err := s.config.ValidateStorage(); err != nil {
		return nil, err
	}
	return open(s.ctx, s.config, s.log())
}

func (s *session) log() *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(strings.ToUpper(s.config.LogLevel))); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if s.config.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(s.err, options))
	}
	return slog.New(slog.NewTextHandler(s.err, options))
}

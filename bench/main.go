// Command bench measures CAPI on generated companies: alone, over HTTP, and next to other engines.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/opencapi/capi/bench/bleve"
	"github.com/opencapi/capi/bench/capi"
	"github.com/opencapi/capi/bench/contender"
	"github.com/opencapi/capi/bench/duckdb"
	"github.com/opencapi/capi/bench/opensearch"
	"github.com/opencapi/capi/bench/postgres"
	"github.com/opencapi/capi/bench/server"
	"github.com/opencapi/capi/bench/sqlite"
	"github.com/opencapi/capi/bench/workload"
)

// common are the flags of every command.
type common struct {
	Cache       string `default:"cache" placeholder:"DIR" help:"Directory of the data that earlier runs have loaded (default ${default})."`
	Program     string `default:"../bin/capi" placeholder:"FILE" help:"The built program to serve (default ${default})."`
	Gzip        bool   `help:"Request compressed answers from the server, as browsers do."`
	Unconnected bool   `help:"Leave the connections out of the server's catalog, so that the import takes minutes; Q8 is skipped."`
}

// settings are the flags of commands with one number of companies.
type settings struct {
	common
	Companies int `default:"1000000" help:"Companies to generate (default ${default})."`
}

// dir returns the cache directory for this number of companies.
func (s settings) dir() string { return filepath.Join(s.Cache, strconv.Itoa(s.Companies)) }

type commands struct {
	Run     runCommand     `cmd:"" help:"Measure the workload in process and over HTTP."`
	Peers   peersCommand   `cmd:"" help:"Measure the workload next to other engines."`
	Scale   scaleCommand   `cmd:"" help:"Measure how search times grow with the number of companies."`
	Changes changesCommand `cmd:"" help:"Measure searches while companies change."`
	Import  importCommand  `cmd:"" help:"Load the same files into CAPI, DuckDB and sqlite3."`
	Live    liveCommand    `cmd:"" help:"Measure purchases, and the delay until a change is visible, while an import runs."`
	Load    loadCommand    `cmd:"" help:"Measure many clients at once, on nodes with PostgreSQL."`
	Ready   readyCommand   `cmd:"" help:"Measure how soon a new node is ready, from an index in a bucket."`
	Fill    fillCommand    `cmd:"" hidden:""`
	Serve   serveCommand   `cmd:"" hidden:""`
	DuckDB  duckdbCommand  `cmd:"" name:"duckdb-import" hidden:""`
}

// kinds are the index and its peers.
func (s settings) kinds() []contender.Kind {
	all := []contender.Kind{capi.Kind}
	for _, find := range []func() (contender.Kind, bool){duckdb.Kind, sqlite.Mattn} {
		if k, ok := find(); ok {
			all = append(all, k)
		}
	}
	return append(all, sqlite.Modernc(), postgres.Kind, bleve.Kind, opensearch.Kind)
}

// server returns the program over HTTP as a contender.
func (c common) server() contender.Kind { return server.Kind(c.serverOptions()) }

func (c common) serverOptions() server.Options {
	return server.Options{Program: c.Program, Gzip: c.Gzip, Unconnected: c.Unconnected}
}

func (s settings) kindNamed(name string) (contender.Kind, error) {
	for _, k := range append(s.kinds(), s.server(), server.NodesKind(s.serverOptions())) {
		if k.Name == name {
			return k, nil
		}
	}
	return contender.Kind{}, fmt.Errorf("no contender is called %q", name)
}

// fillCommand loads the data of a contender in a separate process.
type fillCommand struct {
	settings
	Name string `arg:""`
}

func (c *fillCommand) Run(ctx context.Context) error {
	k, err := c.kindNamed(c.Name)
	if err != nil {
		return err
	}
	w, err := workload.New(c.Companies)
	if err != nil {
		return err
	}
	return k.Fill(ctx, w, c.dir())
}

// serveCommand answers for a contender on standard input and output.
type serveCommand struct {
	settings
	Name string `arg:""`
}

func (c *serveCommand) Run(ctx context.Context) error {
	k, err := c.kindNamed(c.Name)
	if err != nil {
		return err
	}
	w, err := workload.New(c.Companies)
	if err != nil {
		return err
	}
	x, err := k.Open(ctx, w, k.Dir(c.dir()))
	if err != nil {
		return fmt.Errorf("open %s: %w", k.Name, err)
	}
	defer x.Close()
	return contender.Serve(ctx, x, w, os.Stdin, os.Stdout)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	command := kong.Parse(&commands{}, kong.Name("bench"), kong.UsageOnError(),
		kong.Description("Measures CAPI on made-up companies."), kong.BindTo(ctx, (*context.Context)(nil)))
	command.FatalIfErrorf(command.Run())
}

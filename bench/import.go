package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencapi/capi/bench/duckdb"
	"github.com/opencapi/capi/bench/load"
	"github.com/opencapi/capi/bench/report"
	"github.com/opencapi/capi/bench/workload"
)

// importCommand loads the same two files into each engine in turn, several times, and prints the shortest times.
type importCommand struct {
	settings
	Rounds int    `default:"3" help:"How often each engine loads the files (default ${default})."`
	Only   string `help:"Load with the engines whose names begin so, such as 'CAPI, SQLite' (default all)."`
}

// loaded are the shortest times of an engine, and its peak memory.
type loaded struct {
	engine                 load.Engine
	companies, connections load.Figures
}

func (c *importCommand) Run(ctx context.Context) error {
	program, err := filepath.Abs(c.Program)
	if err != nil {
		return err
	}
	w, err := workload.New(c.Companies)
	if err != nil {
		return err
	}
	dir := filepath.Join(c.dir(), "import")
	files, err := load.Write(w, dir)
	if err != nil {
		return err
	}
	var all []*loaded
	for _, e := range []load.Engine{load.Capi(program), load.CapiPostgres(program), duckDB(), load.SQLite()} {
		if !strings.HasPrefix(e.Name, c.Only) {
			continue
		}
		if e.Missing != "" {
			fmt.Fprintf(os.Stderr, "%s is left out: %s\n", e.Name, e.Missing)
			continue
		}
		all = append(all, &loaded{engine: e})
	}
	if len(all) == 0 {
		return fmt.Errorf("no engine is left that begins with %q", c.Only)
	}
	fmt.Printf("%d companies, %d connections; %s\n\n", files.CompanyCount, files.ConnectionsCount, report.Machine())
	for round := range c.Rounds {
		for _, l := range all {
			target := filepath.Join(dir, "database")
			companies, connections, err := l.engine.Run(ctx, target, files)
			if err != nil {
				return err
			}
			fmt.Fprintf(os.Stderr, "round %d: %s: companies %s, connections %s\n", round+1, l.engine.Name,
				companies.Wall.Round(time.Millisecond), connections.Wall.Round(time.Millisecond))
			if err := os.RemoveAll(target); err != nil {
				return err
			}
			l.companies, l.connections = best(l.companies, companies), best(l.connections, connections)
		}
	}
	printLoads("Companies", all, files.CompanyCount, func(l *loaded) load.Figures { return l.companies })
	printLoads("Connections", all, files.ConnectionsCount, func(l *loaded) load.Figures { return l.connections })
	return nil
}

// best returns the shorter times of two loads, and the larger memory.
func best(a, b load.Figures) load.Figures {
	if a.Wall == 0 {
		return b
	}
	return load.Figures{Wall: min(a.Wall, b.Wall), CPU: min(a.CPU, b.CPU), PeakBytes: max(a.PeakBytes, b.PeakBytes)}
}

// printLoads writes the table of one kind of row. The ratios are to the first engine, which is CAPI on SQLite unless
// it is left out.
func printLoads(title string, all []*loaded, rows int, of func(*loaded) load.Figures) {
	t := report.NewTable(title, "seconds", "rows a second", "time to CAPI's", "CPU seconds", "CPU to CAPI's", "peak MB")
	first := of(all[0])
	for _, l := range all {
		f := of(l)
		t.Row(l.engine.Name, fmt.Sprintf("%.2f", f.Wall.Seconds()), fmt.Sprintf("%.0f", float64(rows)/f.Wall.Seconds()),
			fmt.Sprintf("×%.2f", f.Wall.Seconds()/first.Wall.Seconds()), fmt.Sprintf("%.2f", f.CPU.Seconds()),
			fmt.Sprintf("×%.2f", f.CPU.Seconds()/first.CPU.Seconds()), fmt.Sprintf("%d", f.PeakBytes/1_000_000))
	}
	t.Write(os.Stdout)
	fmt.Println()
}

// duckDB is DuckDB, in a process of this program.
func duckDB() load.Engine {
	e := load.SQLite()
	e.Name, e.Missing = "DuckDB", ""
	if _, ok := duckdb.Kind(); !ok {
		e.Missing = "it needs a C compiler"
	}
	self, err := os.Executable()
	if err != nil {
		e.Missing = err.Error()
	}
	e.Command = func(ctx context.Context, dir, file string) *exec.Cmd {
		return exec.CommandContext(ctx, self, "duckdb-import", dir, file)
	}
	return e
}

// duckdbCommand loads one file into DuckDB.
type duckdbCommand struct {
	Dir  string `arg:""`
	File string `arg:""`
}

func (c *duckdbCommand) Run(ctx context.Context) error {
	return duckdb.Import(ctx, c.Dir, load.DuckDBStatements(c.File))
}

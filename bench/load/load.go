// Package load measures how fast engines load the same files into equal tables with equal indexes. Each load is a process of its
// own. CAPI also cleans the values and matches each row to the companies that it knows; the others only store the rows.
package load

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencapi/capi/bench/contender"
)

// Files are the files to load.
type Files struct {
	Companies, Connections         string // paths
	CompanyCount, ConnectionsCount int
}

// Engine is something that loads files.
type Engine struct {
	Name string

	// Missing is why the engine cannot run here; empty if it can.
	Missing string

	// Prepare removes what an earlier load left in dir.
	Prepare func(ctx context.Context, dir string) error

	// Command returns the process that loads one of the files into the engine's database in dir.
	Command func(ctx context.Context, dir, file string) *exec.Cmd
}

// Figures are the measurements of one load.
type Figures struct {
	Wall, CPU time.Duration
	PeakBytes int64 // of resident memory, without that of a database server; 0 if unknown
}

// Run loads both files into an empty database.
func (e Engine) Run(ctx context.Context, dir string, f Files) (companies, connections Figures, err error) {
	if err := e.Prepare(ctx, dir); err != nil {
		return companies, connections, fmt.Errorf("prepare %s: %w", e.Name, err)
	}
	if companies, err = e.load(ctx, dir, f.Companies); err != nil {
		return companies, connections, err
	}
	connections, err = e.load(ctx, dir, f.Connections)
	return companies, connections, err
}

func (e Engine) load(ctx context.Context, dir, file string) (Figures, error) {
	cmd := e.Command(ctx, dir, file)
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return Figures{}, fmt.Errorf("start %s: %w", e.Name, err)
	}
	done := make(chan struct{})
	peak := watchMemory(cmd.Process.Pid, done)
	err := cmd.Wait()
	took := time.Since(start)
	close(done)
	if err != nil {
		return Figures{}, fmt.Errorf("load %s into %s: %w\n%s", filepath.Base(file), e.Name, err, output.String())
	}
	s := cmd.ProcessState
	return Figures{took, s.UserTime() + s.SystemTime(), <-peak}, nil
}

const memoryPoll = 20 * time.Millisecond

// watchMemory sends the most resident memory that the process had before done is closed. The figure that the system keeps of an
// ended process does not do: it includes the memory of this program, from before the other was started.
func watchMemory(pid int, done <-chan struct{}) <-chan int64 {
	out := make(chan int64, 1)
	go func() {
		var peak int64
		for {
			select {
			case <-done:
				out <- peak
				return
			case <-time.After(memoryPoll):
				peak = max(peak, contender.ResidentBytes(pid))
			}
		}
	}()
	return out
}

// Capi is the program, with its database in a file.
func Capi(program string) Engine {
	return Engine{
		Name: "CAPI, SQLite", Prepare: clean,
		Command: func(ctx context.Context, dir, file string) *exec.Cmd {
			return exec.CommandContext(ctx, program, "import", "--data", dir, "--rejects", "none", file)
		},
	}
}

// SQLite is the program sqlite3.
func SQLite() Engine {
	e := Engine{Name: "sqlite3", Prepare: clean, Command: func(ctx context.Context, dir, file string) *exec.Cmd {
		table := tableOf(file)
		script := "PRAGMA journal_mode = WAL;\nPRAGMA cache_size = -65536;\n" + table.create +
			".import --csv --skip 1 \"" + file + "\" " + table.name + "\n" + table.indexes
		cmd := exec.CommandContext(ctx, "sqlite3", "-bail", filepath.Join(dir, "load.db"))
		cmd.Stdin = strings.NewReader(script)
		return cmd
	}}
	if _, err := exec.LookPath("sqlite3"); err != nil {
		e.Missing = "the program sqlite3 is not installed"
	}
	return e
}

// DuckDBStatements are the statements that load the file into DuckDB.
func DuckDBStatements(file string) []string {
	table := tableOf(file)
	statements := []string{table.create, "COPY " + table.name + " FROM '" + strings.ReplaceAll(file, "'", "''") + "' (HEADER)"}
	return append(statements, strings.Split(strings.TrimSpace(table.indexes), "\n")...)
}

// table is the table for a file.
type table struct{ name, create, indexes string }

func tableOf(file string) table {
	if filepath.Base(file) == companiesFile {
		return table{
			"company",
			"CREATE TABLE company (id VARCHAR, name VARCHAR, domain VARCHAR, country VARCHAR, state VARCHAR, city VARCHAR, industries VARCHAR, " +
				"technologies VARCHAR, employee_count BIGINT, founded_year BIGINT, description VARCHAR);\n",
			"CREATE UNIQUE INDEX company_id ON company (id);\nCREATE INDEX company_domain ON company (domain);\n" +
				"CREATE INDEX company_name ON company (name);\n",
		}
	}
	return table{
		"connection",
		"CREATE TABLE connection (company_domain VARCHAR, category VARCHAR, connected_domain VARCHAR);\n",
		"CREATE INDEX connection_source ON connection (company_domain);\nCREATE INDEX connection_target ON connection (connected_domain);\n",
	}
}

func clean(_ context.Context, dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o750)
}

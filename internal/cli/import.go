package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/importer/source"
)

type importCommand struct {
	Files importFilesCommand `cmd:"" default:"withargs" name:"load" help:"Load companies and their connections from files."`
	List  importListCommand  `cmd:"" help:"List past imports."`
	Undo  importUndoCommand  `cmd:"" help:"Undo an import, except what an export has delivered."`

	Merges     importMergesCommand     `cmd:"" help:"List the rows of an import that became part of a company with another name or place."`
	Split      importSplitCommand      `cmd:"" help:"Undo a merge: make the row a company of its own."`
	Duplicates importDuplicatesCommand `cmd:"" help:"List companies whose names differ only in punctuation, spaces or case."`
}

type importFilesCommand struct {
	Files []string `arg:"" name:"file" help:"CSV, TSV, JSON, NDJSON, XLSX or Parquet file, plain or compressed with gzip or zstd; a folder of them, or a pattern; - is standard input."`

	DryRun bool `name:"dry-run" help:"Write nothing; show what would happen and how the columns are read."`

	Map         map[string]string `name:"map" sep:"none" mapsep:"none" placeholder:"FIELD=COLUMN" help:"Read a field from a column; separate several columns by |."`
	Set         map[string]string `name:"set" sep:"none" mapsep:"none" placeholder:"FIELD=VALUE" help:"Set a field to the same value in every row."`
	Skip        []string          `name:"skip" sep:"none" placeholder:"COLUMN" help:"Do not read a column."`
	Key         string            `name:"key" placeholder:"COLUMN" help:"The column that identifies companies in this source."`
	Unmapped    string            `name:"unmapped" placeholder:"keep" help:"What to do with columns that fit no field: keep (as attributes) or ignore."`
	Mapping     string            `name:"mapping" placeholder:"FILE" help:"Use a saved mapping."`
	SaveMapping string            `name:"save-mapping" placeholder:"FILE" help:"Save how the columns are read, for use with --mapping."`

	Encoding  string `name:"encoding" placeholder:"NAME" help:"The encoding, such as windows-1252 (detected)."`
	Delimiter string `name:"delimiter" placeholder:"C" help:"The character between the cells of CSV, or tab (detected)."`
	Sheet     string `name:"sheet" placeholder:"NAME" help:"The sheet of a workbook (the one with the most columns that are recognised)."`

	Hold time.Duration `name:"hold" placeholder:"DURATION" help:"How long to lock the database at a time (12ms while a server runs, else 1s; 300ms on PostgreSQL). A purchase waits that long several times, except on PostgreSQL, but longer is faster."`

	Rejects string `name:"rejects" placeholder:"FILE" help:"Where rejected rows are written (the rejects folder of the data directory); none for nowhere."`
	jsonFlag
}

// Help is shown below the summary.
func (importCommand) Help() string {
	return `Columns are recognised by their names and values; try a file with --dry-run first. Companies are matched by id or key,
else by domain, else by name and country: known ones are updated, new ones are added, and fields that a file leaves out
keep their values. Connections can be part of the companies, in columns such as investors, or in a file of their own. A
record that cannot be used is written to a file with its line and the reason, so that you can correct and import it; the
rest is loaded. A running server finds the changes within a second. docs/importing.md has the details.

Examples:

    capi import companies.xlsx --dry-run
    capi import 'dump/*.csv.gz' --map name=Firm --set country=Germany
    zcat export.csv.gz | capi import -
    capi import undo 7
    capi import merges 7
    capi import split 7 2`
}

// importMemory is from where on garbage is collected more often, so that an import stays below 500 MB together with the caches of SQLite,
// which the limit does not count.
const importMemory = 264 << 20

// Run imports the files and prints the summary, even if the import was interrupted.
func (c *importFilesCommand) Run(s *session) error {
	options, err := c.options(s)
	if err != nil {
		return err
	}
	a, done, err := c.open(s)
	if err != nil {
		return err
	}
	defer done()
	options.Rejects = c.rejects(a)
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(importMemory)
	}
	summary, err := s.importWith(s.ctx, a, options)
	if reason := a.DB.Unavailable(err); err != nil && reason != "" {
		loaded := "What was loaded before stays. Run the same command again to load the rest; nothing is added twice."
		if c.DryRun {
			loaded = "Nothing was written. Run the same command again."
		}
		err = fault.New(fault.ServiceUnavailable, "%s. %s", reason, loaded).Because(err)
	}
	for _, n := range summary.Notes {
		fmt.Fprintf(s.err, "capi: %s %s\n", n.File, n.Text)
	}
	if err == nil && summary.Read+summary.Connections.Read == 0 {
		err = errFindings // the notes have said why
	}
	if first := slices.IndexFunc(summary.Sources, func(s importer.Source) bool { return !s.Unread }); c.SaveMapping != "" && first >= 0 {
		err = errors.Join(err, summary.Sources[first].Mapping.Save(c.SaveMapping))
	}
	if c.JSON {
		return errors.Join(err, s.printJSON(summary))
	}
	if c.DryRun {
		s.printSources(summary.Sources)
	}
	if summary.Read+summary.Connections.Read > 0 {
		s.printSummary(summary)
	}
	if errors.Is(err, context.Canceled) {
		s.printf("\nInterrupted. %s", interrupted(summary))
	}
	return err
}

// interrupted says what an interrupted import has loaded and how to load the rest.
func interrupted(m importer.Summary) string {
	if m.DryRun {
		return "Nothing was written.\n"
	}
	loaded := "Everything read so far is loaded."
	if left := m.Connections.Left; left > 0 {
		loaded = fmt.Sprintf("The companies read so far are loaded, but %s not.", plural(left, "connection is", "connections are"))
	}
	return loaded + " Run the same command again to load the rest; nothing is added twice.\n"
}

// open opens the data directory, or creates it; a dry run without one uses a temporary directory.
func (c *importFilesCommand) open(s *session) (a *app.App, done func(), err error) {
	leave := func() {}
	if _, err := os.Stat(s.config.Data); c.DryRun && errors.Is(err, os.ErrNotExist) {
		dir, err := os.MkdirTemp("", "capi-dry-run-*")
		if err != nil {
			return nil, nil, fmt.Errorf("make a temporary directory: %w", err)
		}
		leave = func() { os.RemoveAll(dir) }
		s.config.Data = dir
	}
	if a, err = s.openOrMake(); err != nil {
		leave()
		return nil, nil, err
	}
	return a, func() { a.Close(); leave() }, nil
}

func (c *importFilesCommand) options(s *session) (importer.Options, error) {
	o := importer.Options{
		Files: c.Files, Stdin: s.in, DryRun: c.DryRun, LockTime: c.Hold,
		Reading: source.Options{Encoding: c.Encoding, Delimiter: c.Delimiter, Sheet: c.Sheet},
	}
	if c.Hold < 0 {
		return o, fmt.Errorf("--hold must be a duration such as 5s, not %s", c.Hold)
	}
	if c.Mapping != "" {
		saved, err := importer.LoadMapping(c.Mapping)
		if err != nil {
			return o, err
		}
		o.Mapping = saved
	}
	flags := importer.Mapping{Map: map[string][]string{}, Set: c.Set, Skip: c.Skip, Key: c.Key, Unmapped: c.Unmapped}
	for field, columns := range c.Map {
		flags.Map[field] = strings.Split(columns, "|")
	}
	o.Mapping = o.Mapping.Over(flags)
	return o, nil
}

// rejects returns a function that opens the file for the rejected rows of a source: the one named by --rejects, or one in
// the data directory. It is nil if they are not kept; a dry run keeps them only if a file is named.
func (c *importFilesCommand) rejects(a *app.App) func(source, ext string) (io.WriteCloser, error) {
	if c.Rejects == "none" || c.Rejects == "" && c.DryRun {
		return nil
	}
	if c.Rejects == "" {
		return importer.RejectsIn(filepath.Join(a.Config.Data, app.RejectsDir))
	}
	opened := false
	return func(string, string) (io.WriteCloser, error) {
		flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
		if opened {
			flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND // the next source appends
		}
		opened = true
		return os.OpenFile(c.Rejects, flags, 0o600)
	}
}

// importFiles imports with a progress bar if standard error is a terminal.
func (s *session) importFiles(ctx context.Context, a *app.App, files []string) (importer.Summary, error) {
	return s.importWith(ctx, a, importer.Options{Files: files, Stdin: s.in})
}

func (s *session) importWith(ctx context.Context, a *app.App, o importer.Options) (importer.Summary, error) {
	var b *bar
	file, started := "", time.Now()
	o.Catalog, o.Alone, o.TempDir = a.Catalog, a.Alone, a.Config.Data
	o.Progress = func(p importer.Progress) {
		if p.File != file {
			b.clear()
			b, file = newBar(s.err, p.SizeBytes), p.File
			started = time.Now()
		}
		b.show(p.ReadBytes, filepath.Base(p.File)+"  "+progressText(p, time.Since(started)))
	}
	summary, err := importer.Import(ctx, o)
	b.clear()
	return summary, err
}

// progressText returns "120,000 read, 31,000 a second, 12s left".
func progressText(p importer.Progress, took time.Duration) string {
	read := p.Summary.Read + p.Summary.Connections.Read
	text := count(read) + " read"
	if took < time.Second {
		return text
	}
	text += fmt.Sprintf(", %s a second", count(int64(float64(p.FileRead)/took.Seconds())))
	if p.SizeBytes > 0 && p.ReadBytes > 0 && p.ReadBytes < p.SizeBytes {
		left := time.Duration(float64(took) * float64(p.SizeBytes-p.ReadBytes) / float64(p.ReadBytes))
		text += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return text
}

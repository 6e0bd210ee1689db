package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/ingest"
)

type importCommand struct {
	Files []string `arg:"" name:"file" help:"NDJSON or CSV, plain or gzip; - is standard input."`
	jsonFlag
}

// Help is shown below the summary.
func (importCommand) Help() string {
	return `Companies are matched by id, else domain, else name and country: known ones are updated, new ones added, and what a
file leaves out stays as it is. Connections come inside the companies, or in a file of their own. A record that cannot
be used is counted with its reason; the rest loads. A running server finds the changes within a second.

Examples:

    capi import companies.ndjson.gz connections.ndjson.gz
    zcat export.csv.gz | capi import -`
}

// Run imports the files and prints the summary, also of an import that was interrupted.
func (c *importCommand) Run(s *session) error {
	a, err := s.openOrMake()
	if err != nil {
		return err
	}
	defer a.Close()
	summary, err := s.importFiles(s.ctx, a, c.Files)
	for _, n := range summary.Notes {
		fmt.Fprintf(s.err, "capi: %s %s\n", n.File, n.Text)
	}
	if err == nil {
		err = unused(summary)
	}
	if c.JSON {
		return errors.Join(err, s.printJSON(summary))
	}
	if summary.Read+summary.Connections.Read > 0 {
		s.printSummary(summary)
	}
	if errors.Is(err, context.Canceled) {
		s.printf("\nWhat was read is loaded; run the same command again to load the rest.\n")
	}
	return err
}

// unused is why an import that loaded nothing did not do its work.
func unused(m ingest.Summary) error {
	switch {
	case m.Used() > 0:
		return nil
	case m.Read+m.Connections.Read == 0:
		return errFindings // the notes have told why
	}
	return errors.New("nothing of the input could be used")
}

// importFiles imports with a progress bar, where standard error is a terminal.
func (s *session) importFiles(ctx context.Context, a *app.App, files []string) (ingest.Summary, error) {
	var b *bar
	file := ""
	summary, err := ingest.Import(ctx, ingest.Options{
		Catalog: a.Catalog, Files: files, Stdin: s.in,
		Progress: func(p ingest.Progress) {
			if p.File != file {
				b.clear()
				b, file = newBar(s.err, p.SizeBytes), p.File
			}
			read := p.Summary.Read + p.Summary.Connections.Read
			b.show(p.ReadBytes, filepath.Base(p.File)+"  "+count(read)+" read")
		},
	})
	b.clear()
	return summary, err
}

func (s *session) printSummary(m ingest.Summary) {
	c := m.Connections
	s.printTable([]string{"", ">READ", ">ADDED", ">UPDATED", ">UNCHANGED", ">REJECTED"}, [][]string{
		{"Companies", count(m.Read), count(m.Added), count(m.Updated), count(m.Unchanged), count(m.Rejected - c.Rejected)},
		{"Connections", count(c.Read), count(c.Added), "", count(c.Unchanged), count(c.Rejected)},
	})
	took := time.Duration(m.Took)
	s.printf("\n%s in %s", plural(m.Files, "file", "files"), seconds(took))
	if n := m.Read + c.Read; n >= 1000 {
		s.printf(", %s", rate(n, c.Read > 0, took))
	}
	s.printf(".\n")
	if c.Pending > 0 {
		s.printf("%s for a company that is not known yet; they show once it is imported.\n",
			plural(c.Pending, "connection waits", "connections wait"))
	}
	if c.Ambiguous > 0 {
		s.printf("%s a company that may be any of several, and cannot be shown; give its domain or ID in the file.\n",
			plural(c.Ambiguous, "connection names", "connections name"))
	}
	s.printRejects(m.Reasons)
}

// rate is "25,000 companies a second"; where connections are among the n it speaks of records.
func rate(n int, mixed bool, took time.Duration) string {
	what := "companies"
	if mixed {
		what = "records"
	}
	return fmt.Sprintf("%s %s a second", count(int64(float64(n)/took.Seconds())), what)
}

func (s *session) printRejects(reasons []ingest.Rejects) {
	if len(reasons) > 0 {
		s.printf("\nRejected:\n")
	}
	for _, r := range reasons {
		s.printf("  %s × %s\n", count(r.Count), r.Reason)
		for _, sample := range r.Samples {
			s.printf("      %s line %s", sample.File, count(sample.Line))
			if sample.Detail != "" {
				s.printf(": %s", sample.Detail)
			}
			s.printf("\n")
		}
		if more := r.Count - len(r.Samples); more > 0 {
			s.printf("      and %s more\n", count(more))
		}
	}
}

// seconds is a duration as people say it.
func seconds(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

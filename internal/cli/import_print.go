package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/importer"
)

func (s *session) printSummary(m importer.Summary) {
	c := m.Connections
	if m.DryRun {
		s.printf("Nothing was written. What would happen:\n\n")
	}
	s.printTable([]string{"", ">READ", ">ADDED", ">UPDATED", ">UNCHANGED", ">REJECTED"}, [][]string{
		{"Companies", count(m.Read), count(m.Added), count(m.Updated), count(m.Unchanged), count(m.Rejected)},
		{"Connections", count(c.Read), count(c.Added), "", count(c.Unchanged), count(c.Rejected)},
	})
	took := time.Duration(m.Took)
	s.printf("\n%s in %s", plural(m.Files, "file", "files"), seconds(took))
	if n := m.Read + c.Read; n >= 1000 {
		s.printf(", %s", rate(n, c.Read > 0, took))
	}
	s.printf(".\n")
	if m.Import > 0 {
		s.printf("To undo it: capi import undo %d\n", m.Import)
	}
	if c.Pending > 0 {
		s.printf("%s for a company that is not in the catalog yet; import it to complete them.\n",
			plural(c.Pending, "connection waits", "connections wait"))
	}
	if c.Ambiguous > 0 {
		s.printf("%s a company that could be any of several, so they are not shown; add its domain or ID to the file.\n",
			plural(c.Ambiguous, "connection names", "connections name"))
	}
	s.printMerges(m.Merges, m.Import)
	s.printUnparsed(m.Unparsed)
	s.printRejects(m.Reasons)
	for _, source := range m.Sources {
		if source.Rejects != "" {
			s.printf("\nThe rejected rows of %s are in %s. Correct those that are companies, delete the others, and import that file.\n", source.File, source.Rejects)
		}
	}
}

// rate returns "25,000 companies a second", or of records if connections are among the n.
func rate(n int, mixed bool, took time.Duration) string {
	what := "companies"
	if mixed {
		what = "records"
	}
	return fmt.Sprintf("%s %s a second", count(int64(float64(n)/took.Seconds())), what)
}

// named returns a company's name with its place.
func named(name, place string) string {
	if place == "" {
		return strconv.Quote(name)
	}
	return strconv.Quote(name) + " in " + place
}

func (s *session) printMerges(m importer.Merges, imported int64) {
	if m.Count == 0 {
		return
	}
	s.printf("\n%s, %s of them with an earlier row of the same file:\n", plural(m.Count, "row merged", "rows merged"), count(m.Repeated))
	for _, one := range m.Samples[:min(len(m.Samples), 5)] {
		s.printf("      %s line %s: %s into %s by %s\n", one.File, count(one.Line), named(one.Name, one.At), named(one.Into, one.Was), one.By)
	}
	if more := m.Count - min(len(m.Samples), 5); more > 0 {
		s.printf("      and %s more\n", count(more))
	}
	if imported > 0 && m.Different > 0 {
		s.printf("To list those with another name or place: capi import merges %d. To undo one: capi import split %d NUMBER\n", imported, imported)
	}
}

func (s *session) printUnparsed(unparsed []importer.Unparsed) {
	if len(unparsed) > 0 {
		s.printf("\nCould not be read, and kept as written:\n")
	}
	for _, u := range unparsed {
		s.printf("  %s × %s, such as %q at line %s\n", count(u.Count), u.Column, u.Samples[0].Detail, count(u.Samples[0].Line))
	}
}

func (s *session) printRejects(reasons []importer.Rejects) {
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

// printSources shows how each source is read, column by column.
func (s *session) printSources(sources []importer.Source) {
	for _, source := range sources {
		s.printf("%s: %s\n", source.File, source.Format)
		if source.Unread {
			s.printf("Nothing is read from it: no column identifies the company of a row.\n")
		}
		if source.Pair != "" {
			s.printf("Each row has two companies, %s.\n", source.Pair)
		}
		rows := make([][]string, 0, len(source.Columns))
		var ignored []string
		for _, c := range source.Columns {
			if c.Field == "" {
				ignored = append(ignored, c.Column)
				continue
			}
			sure := ""
			if c.By != importer.ByNobody {
				sure = fmt.Sprintf("%.0f%% by %s", 100*c.Confidence, c.By)
			}
			shown := strings.Join(c.Samples, " · ")
			if c.Note != "" {
				shown = "(" + c.Note + ") " + shown
			}
			rows = append(rows, []string{c.Column, c.Field, sure, fmt.Sprintf("%.0f%%", 100*c.Filled), shown})
		}
		s.printf("\n")
		s.printTable([]string{"COLUMN", "FIELD", "SURE", ">FILLED", "SAMPLES"}, rows)
		if len(ignored) > 0 {
			s.printf("\nNot read: %s\n", strings.Join(ignored, ", "))
		}
		if len(source.Empty) > 0 {
			s.printf("\nFields without a column: %s\n", strings.Join(source.Empty, ", "))
		}
		s.printf("\n")
	}
}

// seconds returns a duration, rounded for people.
func seconds(d time.Duration) string {
	if d < time.Second {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

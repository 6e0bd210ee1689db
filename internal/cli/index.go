package cli

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/index"
)

type indexCommand struct {
	Stats   indexStatsCommand   `cmd:"" help:"Show statistics of the index."`
	Verify  indexVerifyCommand  `cmd:"" help:"Read the whole index and check it for damage."`
	Rebuild indexRebuildCommand `cmd:"" help:"Rebuild the index from the catalog."`
}

// withIndex are the settings of where the index is.
type withIndex struct {
	config.SearchIndex `embed:"" group:"index"`
}

// openIndex opens the data and the index that the settings name.
func (s *session) openIndex(c withIndex) (*app.App, error) {
	if err := c.ValidateIndex(); err != nil {
		return nil, err
	}
	s.config.SearchIndex = c.SearchIndex
	return s.open()
}

type indexStatsCommand struct {
	jsonFlag
	withIndex
}

// Help is shown below the summary.
func (indexStatsCommand) Help() string {
	return `The index is derived from the catalog and can be rebuilt at any time. This command only reads and works while a server is
running; the server's newest changes are in its memory and not yet on disk. The exit status is 1 if it finds damage. It
reads the beginning of each file; capi index verify reads every byte.

Of an index in OpenSearch it shows what OpenSearch says.`
}

// Run prints the segments and the largest sections.
func (c *indexStatsCommand) Run(s *session) error {
	a, err := s.openIndex(c.withIndex)
	if err != nil {
		return err
	}
	defer a.Close()
	if remote, ok := a.RemoteIndex(); ok {
		stats, err := remote.Describe(s.ctx)
		if err != nil {
			return err
		}
		if c.JSON {
			return s.printJSON(stats)
		}
		s.printRemote(stats)
		return nil
	}
	stats, err := a.IndexStats()
	if err != nil {
		return err
	}
	found := stats.Findings()
	if c.JSON {
		err = s.printJSON(struct {
			app.IndexStats
			Findings []audit.Finding `json:"findings"`
		}{stats, found})
	} else {
		s.printStats(stats, found)
	}
	if err == nil && len(found) > 0 {
		return errFindings
	}
	return err
}

// printStats prints the damage, then the statistics of the intact segments, if there are any.
func (s *session) printStats(stats app.IndexStats, found []audit.Finding) {
	s.printFindings(found)
	if len(found) > 0 {
		s.printf("      To repair it from the catalog, start the server or run capi index rebuild. To read every byte, run capi index verify.\n")
		if len(stats.Segments) == 0 {
			return
		}
		s.printf("\nNot damaged:\n")
	}
	s.printIndex(stats)
}

func (s *session) printFindings(found []audit.Finding) {
	for _, f := range found {
		s.printf("FAIL  %s  %s\n", f.Subject, f.Problem)
	}
}

func (s *session) printIndex(stats app.IndexStats) {
	s.printf("%s in %s, %s", plural(stats.Companies, "company", "companies"),
		plural(len(stats.Segments), "segment", "segments"), humanize.IBytes(uint64(stats.Bytes)))
	if stats.Companies > 0 {
		s.printf(" (%s a company)", plural(stats.Bytes/int64(stats.Companies), "byte", "bytes"))
	}
	s.printf("; up to change %d of the catalog\n", stats.Seq)
	if stats.Lost {
		s.printf("A segment was damaged. To restore its companies from the catalog, start the server or run capi index rebuild.\n")
	}
	if len(stats.Segments) == 0 {
		return
	}
	rows := make([][]string, len(stats.Segments))
	for i, one := range stats.Segments {
		rows[i] = []string{one.Name, count(one.Companies), count(one.Deleted), humanize.IBytes(uint64(one.Bytes))}
	}
	s.printf("\n")
	s.printTable([]string{"SEGMENT", ">COMPANIES", ">DELETED", ">SIZE"}, rows)
	const largest = 10
	sections := slices.Clone(stats.Sections)
	slices.SortStableFunc(sections, func(a, b index.SectionStats) int { return cmp.Compare(b.Bytes, a.Bytes) })
	rows = nil
	for _, one := range sections[:min(largest, len(sections))] {
		share := strconv.FormatInt(one.Bytes*100/max(1, stats.Bytes), 10) + " %"
		rows = append(rows, []string{one.Name, humanize.IBytes(uint64(one.Bytes)), share})
	}
	s.printf("\n")
	s.printTable([]string{"SECTION", ">SIZE", ">SHARE"}, rows)
}

type indexVerifyCommand struct {
	jsonFlag
	withIndex
}

// Help is shown below the summary.
func (indexVerifyCommand) Help() string {
	return `It compares every section with its checksum, follows every reference, and compares the counts with the catalog. It only
reads and works while a server is running. The exit status is 1 if anything is damaged. A server never uses a damaged
segment for answers; it restores the companies from the catalog.

An index in OpenSearch is compared with the catalog company by company: what they have, the words that find them, and their
order.`
}

// Run prints all damage.
func (c *indexVerifyCommand) Run(s *session) error {
	a, err := s.openIndex(c.withIndex)
	if err != nil {
		return err
	}
	defer a.Close()
	if remote, ok := a.RemoteIndex(); ok {
		return c.verifyRemote(s, a, remote)
	}
	check, err := a.VerifyIndex(s.ctx)
	if err != nil {
		return err
	}
	found := check.Findings()
	if c.JSON {
		err = s.printJSON(map[string]any{
			"ok": len(found) == 0, "findings": found, "segments": len(check.Segments), "companies": check.Companies,
			"bytes": check.Bytes, "seq": check.Seq, "catalog_seq": check.CatalogSeq, "lost": check.Lost,
		})
	} else {
		s.printVerdict(check, found)
	}
	if err == nil && len(found) > 0 {
		return errFindings
	}
	return err
}

func (s *session) printVerdict(check app.IndexCheck, found []audit.Finding) {
	s.printFindings(found)
	if len(found) == 0 {
		s.printf("ok    %s with %s, not damaged\n", plural(len(check.Segments), "segment", "segments"),
			plural(check.Companies, "company", "companies"))
	}
	if behind := check.CatalogSeq - check.Seq; check.CatalogSeq > check.Seq {
		s.printf("      the catalog is %s ahead; a server catches up when it starts\n", plural(int64(behind), "change", "changes"))
	}
}

type indexRebuildCommand struct {
	jsonFlag
	withIndex
	Take bool `name:"replace" help:"Also replace an index in OpenSearch that belongs to another catalog, or to the state before a backup was restored."`
}

// Help is shown below the summary.
func (indexRebuildCommand) Help() string {
	return `Stop the server first if its index is embedded. An index in OpenSearch is rebuilt beside the old one, which answers all
searches until the new one is complete, so servers go on.`
}

// Run prints the size of the new index and the time taken.
func (c *indexRebuildCommand) Run(s *session) error {
	c.Replace = c.Take
	a, err := s.openIndex(c.withIndex)
	if err != nil {
		return err
	}
	defer a.Close()
	var b *bar
	progress := func(done, total int) {
		if b == nil {
			b = newBar(s.err, int64(total))
		}
		b.show(int64(done), plural(done, "company", "companies"))
	}
	if remote, ok := a.RemoteIndex(); ok {
		stats, took, err := a.RebuildRemote(s.ctx, remote, progress)
		b.clear()
		if err != nil {
			return err
		}
		if c.JSON {
			return s.printJSON(struct {
				index.RemoteStats
				Seconds float64 `json:"seconds"`
			}{stats, took.Seconds()})
		}
		s.printf("Indexed %s in %s, as %s.\n", plural(stats.Companies, "company", "companies"), took.Round(time.Millisecond), stats.Index)
		return nil
	}
	stats, took, err := a.RebuildIndex(s.ctx, progress)
	b.clear()
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(map[string]any{
			"companies": stats.Companies, "segments": len(stats.Segments), "bytes": stats.Bytes, "seq": stats.Seq,
			"seconds": took.Seconds(),
		})
	}
	s.printf("Indexed %s in %s.\n", plural(stats.Companies, "company", "companies"), took.Round(time.Millisecond))
	return nil
}

// printRemote prints the stats of an index that is not in the data directory.
func (s *session) printRemote(stats index.RemoteStats) {
	if stats.Index == "" {
		s.printf("There is no index %s in OpenSearch %s yet; start the server or run capi index rebuild to create it.\n", stats.Name, stats.Server)
		return
	}
	s.printf("%s in OpenSearch %s, %s; up to change %d of the catalog\n", plural(stats.Companies, "company", "companies"), stats.Server,
		humanize.IBytes(uint64(max(stats.Bytes, 0))), stats.Seq)
	s.printf("%s is now %s: %s, each with %s, health %s\n", stats.Name, stats.Index, plural(stats.Shards, "shard", "shards"),
		plural(stats.Replicas, "replica", "replicas"), stats.Health)
	for _, other := range stats.Others {
		s.printf("%s was replaced, or its rebuild was not finished; the next rebuild deletes it\n", other)
	}
}

// verifyRemote compares an index that is not in the data directory with the catalog.
func (c *indexVerifyCommand) verifyRemote(s *session, a *app.App, remote index.Remote) error {
	var b *bar
	found, err := a.CompareIndex(s.ctx, func(done, total int) {
		if b == nil {
			b = newBar(s.err, int64(total))
		}
		b.show(int64(done), plural(done, "company", "companies"))
	})
	b.clear()
	if err != nil {
		return err
	}
	stats, err := remote.Describe(s.ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		err = s.printJSON(struct {
			OK       bool            `json:"ok"`
			Findings []audit.Finding `json:"findings"`
			index.RemoteStats
		}{len(found) == 0, append([]audit.Finding{}, found...), stats})
	} else {
		s.printFindings(found)
		if len(found) == 0 {
			s.printf("ok    %s, as in the catalog\n", plural(stats.Companies, "company", "companies"))
		}
	}
	if err == nil && len(found) > 0 {
		return errFindings
	}
	return err
}

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/indexing"
)

// IndexStats say what the index's directory holds: the figures of what is whole, and what is damaged.
type IndexStats struct {
	embedded.Stats
	Damages []embedded.DamageError `json:"-"`
}

// IndexSection is one kind of thing that the index stores.
type IndexSection = embedded.SectionStats

// Findings are the damages as the doctor would tell them.
func (s IndexStats) Findings() []audit.Finding {
	findings := make([]audit.Finding, len(s.Damages))
	for i, d := range s.Damages {
		findings[i] = audit.Finding{Area: "index", Subject: d.Segment, Problem: d.Section + ": " + d.Problem}
	}
	return findings
}

// IndexCheck is the index's directory, and how the catalog stands to it.
type IndexCheck struct {
	IndexStats
	CatalogSeq       uint64
	CatalogCompanies int
}

// IndexStats is what the index's directory holds, read beside a running server: of each file the header alone, so it finds
// fewer damages than VerifyIndex.
func (a *App) IndexStats() (stats IndexStats, err error) {
	stats.Stats, stats.Damages, err = embedded.Inspect(IndexDir(a.Config.Data))
	return stats, indexError(err)
}

// VerifyIndex reads every byte of the index's directory, also beside a running server.
func (a *App) VerifyIndex(ctx context.Context) (c IndexCheck, err error) {
	c.Stats, c.Damages, err = embedded.Verify(ctx, IndexDir(a.Config.Data))
	if err != nil {
		return c, indexError(err)
	}
	if c.CatalogSeq, err = a.Catalog.Seq(ctx); err != nil {
		return c, err
	}
	c.CatalogCompanies, err = a.Catalog.Len(ctx)
	if err == nil && len(c.Damages) == 0 && !c.Lost && c.Seq == c.CatalogSeq && c.Companies != c.CatalogCompanies {
		c.Damages = append(c.Damages, embedded.DamageError{
			Segment: "all", Section: "companies", Problem: fmt.Sprintf("%d, and the catalog has %d", c.Companies, c.CatalogCompanies),
		})
	}
	return c, err
}

func indexError(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("there is no index yet: the server makes it, or capi index rebuild")
	}
	return err
}

// RebuildIndex makes the index anew from the catalog, in as few segments as can be. No server may run meanwhile.
func (a *App) RebuildIndex(ctx context.Context, progress func(done, total int)) (stats IndexStats, took time.Duration, err error) {
	if a.Config.Postgres() == "" {
		data, err := lockData(a.Config.Data)
		if err != nil {
			return stats, 0, err
		}
		defer data.Close()
	}
	began := time.Now()
	if err := os.MkdirAll(IndexDir(a.Config.Data), 0o700); err != nil {
		return stats, 0, fmt.Errorf("create index directory: %w", err)
	}
	lock, err := lockData(IndexDir(a.Config.Data))
	if err != nil {
		return stats, 0, err
	}
	defer lock.Close()
	if err := a.fillIndexAnew(ctx, progress); err != nil {
		return stats, 0, errors.Join(err, a.embedded.Close())
	}
	a.embedded.MergeAll()
	if err := a.embedded.Close(); err != nil {
		return stats, 0, err
	}
	if a.embedded.Len() > 0 {
		stats, err = a.IndexStats()
	}
	return stats, time.Since(began), err
}

func (a *App) fillIndexAnew(ctx context.Context, progress func(done, total int)) error {
	dir := IndexDir(a.Config.Data)
	if err := embedded.Remove(dir); err != nil {
		return err
	}
	if err := a.embedded.Attach(ctx, dir, a.Catalog); err != nil {
		return err
	}
	f := indexing.NewFollower(indexing.FollowOptions{Catalog: a.Catalog, Index: a.embedded, Log: a.Log, Progress: progress})
	return f.Build(ctx)
}

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/indexing"
)

// IndexStats say what the index's directory holds: the figures of what is whole, and what is damaged.
type IndexStats struct {
	index.Stats
	Damages []index.Damage `json:"-"`
}

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
	stored, err := a.storedIndex()
	if err != nil {
		return stats, err
	}
	stats.Stats, stats.Damages, err = stored.Inspect(IndexDir(a.Config.Data))
	return stats, indexError(err)
}

// VerifyIndex reads every byte of the index's directory, also beside a running server.
func (a *App) VerifyIndex(ctx context.Context) (c IndexCheck, err error) {
	stored, err := a.storedIndex()
	if err != nil {
		return c, err
	}
	c.Stats, c.Damages, err = stored.Verify(ctx, IndexDir(a.Config.Data))
	if err != nil {
		return c, indexError(err)
	}
	if c.CatalogSeq, err = a.Catalog.Seq(ctx); err != nil {
		return c, err
	}
	c.CatalogCompanies, err = a.Catalog.Len(ctx)
	if err == nil && len(c.Damages) == 0 && !c.Lost && c.Seq == c.CatalogSeq && c.Companies != c.CatalogCompanies {
		c.Damages = append(c.Damages, index.Damage{
			Segment: "all", Section: "companies", Problem: fmt.Sprintf("%d, and the catalog has %d", c.Companies, c.CatalogCompanies),
		})
	}
	return c, err
}

// storedIndex returns the index as one that is kept in the data directory.
func (a *App) storedIndex() (index.Stored, error) {
	if stored, ok := a.Index.(index.Stored); ok {
		return stored, nil
	}
	return nil, errors.New("the index is not kept in the data directory")
}

func indexError(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("there is no index yet: the server makes it, or capi index rebuild")
	}
	return err
}

// RebuildIndex makes the index anew from the catalog, in as few segments as can be. No server may run meanwhile.
func (a *App) RebuildIndex(ctx context.Context, progress func(done, total int)) (stats IndexStats, took time.Duration, err error) {
	stored, err := a.storedIndex()
	if err != nil {
		return stats, 0, err
	}
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
	if err := a.fillIndex(ctx, stored, progress); err != nil {
		return stats, 0, errors.Join(err, stored.Close())
	}
	stored.MergeAll()
	if err := stored.Close(); err != nil {
		return stats, 0, err
	}
	if stored.Len() > 0 {
		stats, err = a.IndexStats()
	}
	return stats, time.Since(began), err
}

// fillIndex empties the directory and fills it from the catalog.
func (a *App) fillIndex(ctx context.Context, stored index.Stored, progress func(done, total int)) error {
	dir := IndexDir(a.Config.Data)
	if err := stored.Remove(dir); err != nil {
		return err
	}
	if err := stored.Attach(ctx, dir, a.Catalog); err != nil {
		return err
	}
	f := indexing.NewFollower(indexing.FollowOptions{Catalog: a.Catalog, Index: stored, Log: a.Log, Progress: progress})
	return f.Build(ctx)
}

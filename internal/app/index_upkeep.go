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

// IndexStats describe the index directory: the stats of its intact files, and its damages.
type IndexStats struct {
	index.Stats
	Damages []index.Damage `json:"-"`
}

// Findings returns the damages in the form that capi doctor reports.
func (s IndexStats) Findings() []audit.Finding {
	findings := make([]audit.Finding, len(s.Damages))
	for i, d := range s.Damages {
		findings[i] = audit.Finding{Area: "index", Subject: d.Segment, Problem: d.Section + ": " + d.Problem}
	}
	return findings
}

// IndexCheck describes the index directory and the catalog, for comparison.
type IndexCheck struct {
	IndexStats
	CatalogSeq       uint64
	CatalogCompanies int
}

// IndexStats describes the index directory, also while a server runs. It reads only the header of each file, so it finds
// fewer damages than VerifyIndex.
func (a *App) IndexStats() (stats IndexStats, err error) {
	stored, err := a.storedIndex()
	if err != nil {
		return stats, err
	}
	stats.Stats, stats.Damages, err = stored.Inspect(IndexDir(a.Config.Data))
	return stats, indexError(err)
}

// VerifyIndex reads and checks every byte of the index directory, also while a server runs.
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
			Segment: "all", Section: "companies", Problem: fmt.Sprintf("the index has %d, but the catalog has %d", c.Companies, c.CatalogCompanies),
		})
	}
	return c, err
}

// storedIndex returns the index, or an error if it is not kept in the data directory.
func (a *App) storedIndex() (index.Stored, error) {
	if stored, ok := a.Index.(index.Stored); ok {
		return stored, nil
	}
	return nil, errors.New("this index is not kept in the data directory")
}

func indexError(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return errors.New("there is no index yet; start the server or run capi index rebuild to create it")
	}
	return err
}

// RebuildIndex replaces the index by a new one built from the catalog, merged into as few segments as possible. It returns
// an error if a server is using the directory.
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

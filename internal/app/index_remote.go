package app

import (
	"context"
	"time"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/indexing"
	"github.com/opencapi/capi/internal/lease"
)

// indexLease is the name of the lease of the server that applies changes to the index that several servers share.
const indexLease = "index"

// leading returns the part that decides which server applies changes to the index, and what a Follower asks it. Both are nil if
// no other server can use the index.
func (a *App) leading() (parts []part, lead func() context.Context) {
	if _, shared := a.Index.(index.Remote); !shared || a.Config.Postgres() == "" {
		return nil, nil
	}
	l := lease.New(a.DB, lease.Options{Name: indexLease, Log: a.Log})
	return []part{{"lease of the index", l.Start, l.Stop}}, l.Held
}

// indexName says for people where the index is.
func (a *App) indexName() string {
	if o := a.Config.OpenSearch(); o != nil {
		return "OpenSearch, " + o.Name
	}
	return "embedded"
}

// RemoteIndex returns the index if it is not kept in the data directory.
func (a *App) RemoteIndex() (index.Remote, bool) {
	remote, ok := a.Index.(index.Remote)
	return remote, ok
}

// CompareIndex compares an index that is not kept in the data directory with the catalog, company by company.
func (a *App) CompareIndex(ctx context.Context, progress func(done, total int)) ([]audit.Finding, error) {
	found, err := indexing.AuditIndex(ctx, indexing.AuditOptions{Catalog: a.Catalog, Index: a.Index, Progress: progress})
	for i := range found {
		found[i].Area = "index"
	}
	return found, err
}

// RebuildRemote replaces an index that is not kept in the data directory by a new one built from the catalog, also while servers
// use it.
func (a *App) RebuildRemote(ctx context.Context, remote index.Remote, progress func(done, total int)) (stats index.RemoteStats, took time.Duration, err error) {
	began := time.Now()
	err = remote.Rebuild(ctx, func(ctx context.Context, fresh index.Index) error {
		return indexing.NewFollower(indexing.FollowOptions{Catalog: a.Catalog, Index: fresh, Log: a.Log, Progress: progress}).Build(ctx)
	})
	if err != nil {
		return stats, 0, err
	}
	took = time.Since(began)
	stats, err = remote.Describe(ctx)
	return stats, took, err
}

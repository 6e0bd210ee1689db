package indexing_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/indexing"
	"github.com/opencapi/capi/internal/testkit"
)

// counted counts the calls of Apply.
type counted struct {
	index.Index
	applies atomic.Int64
}

func (c *counted) Apply(ctx context.Context, changes []index.Change, seq uint64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.applies.Add(1)
	return c.Index.Apply(ctx, changes, seq)
}

func TestOfTwoFollowersTheLeaderAppliesChanges(t *testing.T) {
	t.Parallel()
	shared := embedded.Open(embedded.Options{})
	f := testkit.New(t, services.Parts{Index: shared})
	put(t, f.Catalog, "One", 1)

	held, lose := context.WithCancel(t.Context())
	var leads [2]atomic.Pointer[context.Context]
	leads[0].Store(&held)
	var indexes [2]*counted
	var followers [2]*indexing.Follower
	for i := range followers {
		indexes[i] = &counted{Index: shared}
		followers[i] = indexing.NewFollower(indexing.FollowOptions{
			Catalog: f.Catalog, Index: indexes[i], Poll: time.Millisecond,
			Lead: func() context.Context {
				if lead := leads[i].Load(); lead != nil && (*lead).Err() == nil {
					return *lead
				}
				return nil
			},
		})
		require.NoError(t, followers[i].Build(t.Context()))
		followers[i].Start(t.Context())
		t.Cleanup(followers[i].Stop)
	}
	add := func(name string, total int) {
		t.Helper()
		put(t, f.Catalog, name, 1)
		require.Eventually(t, func() bool { return shared.Len() == total }, 30*time.Second, time.Millisecond)
	}
	add("Two", 2)
	require.Positive(t, indexes[0].applies.Load())
	require.Zero(t, indexes[1].applies.Load())
	require.Eventually(t, func() bool { return followers[1].Lag() == 0 }, 30*time.Second, time.Millisecond)

	lose()
	put(t, f.Catalog, "Three", 1)
	require.Eventually(t, func() bool { return followers[1].Lag() > 0 }, 30*time.Second, time.Millisecond, "nobody leads")
	require.Equal(t, 2, shared.Len())
	before := indexes[0].applies.Load()
	always := t.Context()
	leads[1].Store(&always)
	require.Eventually(t, func() bool { return shared.Len() == 3 }, 30*time.Second, time.Millisecond)
	add("Four", 4)
	require.Equal(t, before, indexes[0].applies.Load())
	require.Positive(t, indexes[1].applies.Load())
}

// overtaken is an index that never has everything in the catalog: whenever somebody looks, there is a further company.
type overtaken struct {
	index.Index
	seq atomic.Uint64
	add func() (latest uint64)
}

func (o *overtaken) Seq() uint64 { return o.seq.Swap(o.add()) }

func TestAServerBeginsWhileOthersKeepImporting(t *testing.T) {
	t.Parallel()
	f := testkit.New(t, services.Parts{})
	put(t, f.Catalog, "Before", 3)
	o := &overtaken{Index: f.Index, add: func() uint64 {
		seq, err := f.Catalog.Seq(t.Context())
		require.NoError(t, err)
		put(t, f.Catalog, fmt.Sprintf("During %d", seq), 1)
		return seq
	}}
	follower := indexing.NewFollower(indexing.FollowOptions{
		Catalog: f.Catalog, Index: o, Poll: time.Millisecond, Lead: func() context.Context { return nil },
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	require.NoError(t, follower.Build(ctx))
	require.Positive(t, follower.Lag(), "it is behind, and says so")
}

// replaced is an index in the place of which an older one is put, once, before changes are applied to it.
type replaced struct {
	index.Index
	older index.Index
}

func (r *replaced) Apply(ctx context.Context, changes []index.Change, seq uint64) error {
	if r.older != nil {
		r.Index, r.older = r.older, nil
		return index.ErrReplaced
	}
	return r.Index.Apply(ctx, changes, seq)
}

func TestChangesAreReadAgainForAnIndexThatWasReplaced(t *testing.T) {
	t.Parallel()
	f := testkit.New(t, services.Parts{})
	put(t, f.Catalog, "First", 2)
	build := func(ix index.Index) error {
		return indexing.NewFollower(indexing.FollowOptions{Catalog: f.Catalog, Index: ix, Poll: time.Millisecond}).Build(t.Context())
	}
	older, newer := embedded.Open(embedded.Options{}), embedded.Open(embedded.Options{})
	require.NoError(t, build(older))
	put(t, f.Catalog, "Second", 3)
	require.NoError(t, build(newer))
	put(t, f.Catalog, "Third", 4)
	require.NoError(t, build(&replaced{newer, older}))
	require.Equal(t, 9, older.Len())
}

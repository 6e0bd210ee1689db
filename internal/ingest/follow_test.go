package ingest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/index/embedded"
	"github.com/opencapi/capi/internal/ingest"
)

// watched is an index that tells of every Apply.
type watched struct {
	index.Index
	applied chan uint64
}

func (w watched) Apply(ctx context.Context, changes []index.Change, seq uint64) error {
	err := w.Index.Apply(ctx, changes, seq)
	select {
	case w.applied <- seq:
	case <-ctx.Done():
	}
	return err
}

func put(t testing.TB, b *catalog.Book, prefix string, n int) {
	t.Helper()
	batch := make([]catalog.Incoming, n)
	for i := range batch {
		batch[i] = catalog.Prepare(&company.Company{Name: fmt.Sprintf("%s %d", prefix, i)})
	}
	_, err := b.Put(t.Context(), nil, batch)
	require.NoError(t, err)
}

func TestTheIndexFollowsTheCatalog(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b := catalog.New(d)
		put(t, b, "Before", 300)
		x := watched{embedded.Open(embedded.Options{}), make(chan uint64, 100)}
		t.Cleanup(func() { require.NoError(t, x.Close()) })
		f := ingest.NewFollower(ingest.FollowOptions{Catalog: b, Index: x})
		require.NoError(t, f.Build(t.Context()))
		require.Equal(t, 300, x.Len())
		require.Equal(t, uint64(1), x.Seq())
		require.NoError(t, f.Build(t.Context()), "a second time there is nothing to do")

		f.Start(t.Context())
		f.Start(t.Context())
		t.Cleanup(f.Stop)
		for seq := uint64(2); seq < 5; seq++ {
			put(t, b, fmt.Sprintf("After %d", seq), 20)
			f.Notify()
			for x.Seq() < seq {
				<-x.applied
			}
		}
		require.Equal(t, 360, x.Len())
		f.Stop()
		f.Stop()
		require.Zero(t, f.Lag())

		put(t, b, "Late", 5)
		require.NoError(t, f.Build(t.Context()))
		require.Equal(t, 365, x.Len(), "an index that is behind takes the changes only")
	})
}

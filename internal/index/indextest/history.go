package indextest

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/index"
)

// history is an index, its expected content, and all changes so far, from which it catches up after a crash.
type history struct {
	t       testing.TB
	open    Open
	ix      index.Index
	truth   truth
	applied [][]index.Change // by seq, from 1
}

func newHistory(t testing.TB, open Open) *history {
	return &history{t: t, open: open, ix: open(t), truth: truth{}}
}

func (h *history) apply(t require.TestingT, changes []index.Change) {
	h.applied = append(h.applied, changes)
	h.truth.apply(changes)
	h.catchUp(t)
}

func (h *history) catchUp(t require.TestingT) {
	for seq := h.ix.Seq() + 1; seq <= uint64(len(h.applied)); seq++ {
		require.NoError(t, h.ix.Apply(h.t.Context(), h.applied[seq-1], seq))
		require.Equal(t, seq, h.ix.Seq())
	}
}

// disturb does something at random that must not change any answer.
func (h *history) disturb(t *rapid.T) {
	merger, merges := h.ix.(Merger)
	keeper, keeps := h.ix.(Keeper)
	switch what := rapid.IntRange(0, 9).Draw(t, "disturbance"); {
	case what < 3 && merges:
		merger.MergeAll()
	case what < 5 && keeps:
		require.NoError(t, keeper.Save(h.t.Context()))
	case what < 7 && keeps:
		h.ix = keeper.Restart(h.t, what == 6)
		h.catchUp(t)
	}
}

// forget makes the index forget all snapshots by a restart. An index that cannot restart is replaced by a new one with the
// same content.
func (h *history) forget(t *rapid.T) {
	if merger, merges := h.ix.(Merger); merges && rapid.Bool().Draw(t, "merge") {
		merger.MergeAll()
	}
	if keeper, keeps := h.ix.(Keeper); keeps {
		h.ix = keeper.Restart(h.t, rapid.Bool().Draw(t, "crash"))
		h.catchUp(t)
		return
	}
	require.NoError(t, h.ix.Close())
	h.ix = h.open(h.t)
	h.catchUp(t)
}

package export_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/export"
)

// events records the calls of an observer.
type events struct {
	mu  sync.Mutex
	all []export.Event
}

func (e *events) add(event export.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

// sorted returns the events so far, sorted by status.
func (e *events) sorted() []export.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := slices.Clone(e.all)
	slices.SortStableFunc(all, func(a, b export.Event) int { return strings.Compare(string(a.Status), string(b.Status)) })
	return all
}

func TestObserverIsCalledOnceForEachCommittedChange(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := open(t, d, 200, 130)
		fails, _ := s.buy(t, between(1, 50)), s.buy(t, between(41, 60))
		cancelled := s.buy(t, between(101, 120))
		_, _, err := s.Create(t.Context(), s.caller, between(121, 200))
		require.Error(t, err, "not enough credits")
		for range 2 {
			_, err = s.Cancel(t.Context(), s.caller, cancelled.ID)
			require.NoError(t, err)
		}
		s.failFiles(fails)
		s.drainJobs(t)
		require.Equal(t, []export.Event{
			{Status: export.StatusCancelled, Refunded: 20},
			{Status: export.StatusCompleted},
			{Status: export.StatusFailed, Refunded: 40},
			{Status: export.StatusPending, Charged: 50},
			{Status: export.StatusPending, Charged: 10},
			{Status: export.StatusPending, Charged: 20},
		}, s.events.sorted())
		require.Equal(t, int64(130-50-10-20+20+40), s.balance(t))
	})
}

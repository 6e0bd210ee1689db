package catalog_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
)

func TestWhatIsNewFollowsTheSequence(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := catalog.New(d)
		companies := companytest.Slice(1, 6)
		put := func(c ...*company.Company) {
			var batch []catalog.Incoming
			for _, one := range c {
				batch = append(batch, catalog.Prepare(one))
			}
			_, err := s.Put(t.Context(), nil, batch)
			require.NoError(t, err)
		}
		put(companies[:3]...)
		seq, err := s.Seq(t.Context())
		require.NoError(t, err)
		then := time.Now()
		sets := func() (added, changed company.Set) {
			bySeq, err := s.MomentOf(t.Context(), seq)
			require.NoError(t, err)
			byTime, err := s.MomentAt(t.Context(), then)
			require.NoError(t, err)
			require.Equal(t, bySeq, byTime)
			added, err = s.AddedSince(t.Context(), bySeq)
			require.NoError(t, err)
			changed, err = s.ChangedSince(t.Context(), bySeq)
			require.NoError(t, err)
			return added, changed
		}
		added, changed := sets()
		require.True(t, added.IsEmpty())
		require.True(t, changed.IsEmpty())
		put(companies[3])
		companies[1].Description = "something else"
		put(companies[1])
		added, changed = sets()
		require.True(t, added.Equal(company.SetOf(4)))
		require.True(t, changed.Equal(company.SetOf(2, 4)))
		put(companies[4:]...)
		added, changed = sets()
		require.True(t, added.Equal(company.SetOf(4, 5, 6)))
		require.True(t, changed.Equal(company.SetOf(2, 4, 5, 6)), "what was known before, and what came since")
		all, err := s.ChangedSince(t.Context(), catalog.Moment{})
		require.NoError(t, err)
		require.Equal(t, 6, all.Len())
	})
}

// A catalog that was upgraded does not know when its first companies came: it says so instead of guessing.
func TestWhatCameBeforeTimesWereKeptIsAClearError(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := catalog.New(d)
		_, err := s.Put(t.Context(), nil, []catalog.Incoming{catalog.Prepare(companytest.Slice(1, 1)[0])})
		require.NoError(t, err)
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			if _, err := tx.ExecContext(t.Context(), `DELETE FROM catalog_moment`); err != nil {
				return err
			}
			_, err := tx.ExecContext(t.Context(), `UPDATE catalog_state SET moments_after = seq, moments_from = $1`, db.Time(time.Now()))
			return err
		}))
		_, err = s.MomentAt(t.Context(), time.Now().Add(-time.Hour))
		require.Equal(t, fault.Validation, fault.CodeOf(err))
		old, err := s.MomentOf(t.Context(), 0)
		require.NoError(t, err)
		_, err = s.AddedSince(t.Context(), old)
		require.Equal(t, fault.Validation, fault.CodeOf(err))
		changed, err := s.ChangedSince(t.Context(), old)
		require.NoError(t, err)
		require.Equal(t, 1, changed.Len(), "the sequence is known even then")
		later, err := s.MomentAt(t.Context(), time.Now())
		require.NoError(t, err)
		added, err := s.AddedSince(t.Context(), later)
		require.NoError(t, err)
		require.True(t, added.IsEmpty())
	})
}

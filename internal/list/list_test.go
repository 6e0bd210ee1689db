package list_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/workspace"
)

func newWorkspace(t *testing.T, d *db.DB) id.Workspace {
	t.Helper()
	var ws id.Workspace
	require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
		w, err := workspace.New(d).Create(t.Context(), tx, "Acme")
		ws = w.ID
		return err
	}))
	return ws
}

func create(t *testing.T, b *list.Store, ws id.Workspace, name string, numbers ...company.Number) list.List {
	t.Helper()
	l, err := b.Create(t.Context(), ws, name)
	require.NoError(t, err)
	l, _, err = b.Add(t.Context(), ws, l.ID, company.SetOf(numbers...))
	require.NoError(t, err)
	return l
}

func TestListKeepsWhatWasAdded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws := list.New(d), newWorkspace(t, d)
		l := create(t, b, ws, "  Prospects ", 5, 3, 70_000)
		require.Equal(t, "Prospects", l.Name)
		require.Equal(t, 3, l.Len)

		l, added, err := b.Add(t.Context(), ws, l.ID, company.SetOf(3, 4))
		require.NoError(t, err)
		require.Equal(t, 1, added)
		l, removed, err := b.Remove(t.Context(), ws, l.ID, company.SetOf(5, 6))
		require.NoError(t, err)
		require.Equal(t, 1, removed)
		require.Equal(t, 3, l.Len)

		set, err := b.Companies(t.Context(), ws, l.ID)
		require.NoError(t, err)
		require.True(t, set.Equal(company.SetOf(3, 4, 70_000)))
		l, err = b.Rename(t.Context(), ws, l.ID, "Customers")
		require.NoError(t, err)
		got, err := b.Get(t.Context(), ws, l.ID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(l, got))

		require.NoError(t, b.Delete(t.Context(), ws, l.ID))
		_, err = b.Get(t.Context(), ws, l.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
	})
}

func TestListOfAnotherWorkspaceIsNotFound(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws, stranger := list.New(d), newWorkspace(t, d), newWorkspace(t, d)
		l := create(t, b, ws, "Prospects", 1, 2)
		for name, try := range map[string]func() error{
			"get":       func() error { _, err := b.Get(t.Context(), stranger, l.ID); return err },
			"rename":    func() error { _, err := b.Rename(t.Context(), stranger, l.ID, "Mine"); return err },
			"delete":    func() error { return b.Delete(t.Context(), stranger, l.ID) },
			"add":       func() error { _, _, err := b.Add(t.Context(), stranger, l.ID, company.SetOf(9)); return err },
			"remove":    func() error { _, _, err := b.Remove(t.Context(), stranger, l.ID, company.SetOf(1)); return err },
			"companies": func() error { _, err := b.Companies(t.Context(), stranger, l.ID); return err },
			"numbers":   func() error { _, _, err := b.Numbers(t.Context(), stranger, l.ID, 0, 10); return err },
		} {
			require.Equal(t, fault.NotFound, fault.CodeOf(try()), name)
		}
		got, err := b.Get(t.Context(), ws, l.ID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(l, got))
		none, err := b.List(t.Context(), stranger, id.List{}, 10)
		require.NoError(t, err)
		require.Empty(t, none)
	})
}

func TestPagesShowEachListOnceNewestFirst(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws := list.New(d), newWorkspace(t, d)
		for n := range 7 {
			create(t, b, ws, strconv.Itoa(n))
		}
		var names []string
		for before := (id.List{}); ; {
			page, err := b.List(t.Context(), ws, before, 3)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			for _, l := range page {
				names = append(names, l.Name)
			}
			before = page[len(page)-1].ID
		}
		require.Equal(t, []string{"6", "5", "4", "3", "2", "1", "0"}, names)
	})
}

func TestPagesShowEachCompanyOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws := list.New(d), newWorkspace(t, d)
		want := []company.Number{1, 2, 3, 65_536, 70_000, 1 << 31, 1<<32 - 1}
		l := create(t, b, ws, "Prospects", want...)
		var got []company.Number
		for after, more := company.Number(0), true; more; {
			var page []company.Number
			var err error
			page, more, err = b.Numbers(t.Context(), ws, l.ID, after, 2)
			require.NoError(t, err)
			require.NotEmpty(t, page)
			got = append(got, page...)
			after = page[len(page)-1]
		}
		require.Equal(t, want, got)
		page, more, err := b.Numbers(t.Context(), ws, l.ID, 4, 1)
		require.NoError(t, err)
		require.Equal(t, []company.Number{65_536}, page)
		require.True(t, more)
	})
}

func TestConcurrentAddsAreAllKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws := list.New(d), newWorkspace(t, d)
		l := create(t, b, ws, "Prospects")
		var wg sync.WaitGroup
		for n := range company.Number(30) {
			wg.Go(func() {
				if _, _, err := b.Add(t.Context(), ws, l.ID, company.SetOf(n+1, n+2)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		l, err := b.Get(t.Context(), ws, l.ID)
		require.NoError(t, err)
		require.Equal(t, 31, l.Len)
	})
}

func TestWorkspaceHasNoMoreListsThanTheBound(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws := list.New(d), newWorkspace(t, d)
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			for range list.ListsMax - 5 {
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO list
					(id, workspace_id, name, size, companies, created_at, updated_at)
					VALUES ($1, $2, 'x', 0, $3, 0, 0)`,
					id.New[id.List](), ws, company.Set{}.Bytes()); err != nil {
					return err
				}
			}
			return nil
		}))
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { _, _ = b.Create(t.Context(), ws, "more") })
		}
		wg.Wait()
		_, err := b.Create(t.Context(), ws, "more")
		require.Equal(t, fault.Validation, fault.CodeOf(err))
		all, err := b.List(t.Context(), ws, id.List{}, 2*list.ListsMax)
		require.NoError(t, err)
		require.Len(t, all, list.ListsMax)
		_, err = b.Create(t.Context(), newWorkspace(t, d), "another workspace's first")
		require.NoError(t, err)
	})
}

func TestBadNamesAreRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	b, ws := list.New(d), newWorkspace(t, d)
	l := create(t, b, ws, "Prospects")
	for _, name := range []string{"", "  ", "a\x00b", "a\nb", "\xff", strings.Repeat("é", 201)} {
		_, err := b.Create(t.Context(), ws, name)
		require.Equal(t, fault.Validation, fault.CodeOf(err), "%q", name)
		_, err = b.Rename(t.Context(), ws, l.ID, name)
		require.Equal(t, fault.Validation, fault.CodeOf(err), "%q", name)
	}
	_, err := b.Create(t.Context(), ws, strings.Repeat("é", 200))
	require.NoError(t, err)
}

func TestAChangeWhoseLastStepFailsIsRolledBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws, crash := list.New(d), newWorkspace(t, d), errors.New("crash")
		_, err := b.Create(t.Context(), ws, "x", func(context.Context, *db.Tx, list.List) error { return crash })
		require.ErrorIs(t, err, crash)
		lists, err := b.List(t.Context(), ws, id.List{}, 10)
		require.NoError(t, err)
		require.Empty(t, lists)

		l := create(t, b, ws, "y", 1, 2)
		_, _, err = b.Add(t.Context(), ws, l.ID, company.SetOf(2, 3, 4), func(_ context.Context, _ *db.Tx, c list.Change) error {
			require.Equal(t, 2, c.By)
			require.Equal(t, 4, c.List.Len)
			return crash
		})
		require.ErrorIs(t, err, crash)
		got, err := b.Get(t.Context(), ws, l.ID)
		require.NoError(t, err)
		require.Equal(t, 2, got.Len)

		ran := false // also if nothing changes: there is an answer to keep
		_, added, err := b.Add(t.Context(), ws, l.ID, company.SetOf(1), func(context.Context, *db.Tx, list.Change) error {
			ran = true
			return nil
		})
		require.NoError(t, err)
		require.Zero(t, added)
		require.True(t, ran)
	})
}

func TestDeletedListIsRestoredForADay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		b, ws := list.New(d), newWorkspace(t, d)
		l := create(t, b, ws, "Prospects", 5, 3)
		_, err := b.Restore(t.Context(), ws, l.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err), "it was not deleted")

		require.NoError(t, b.Delete(t.Context(), ws, l.ID))
		_, err = b.Restore(t.Context(), newWorkspace(t, d), l.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err), "it is another workspace's")
		require.NoError(t, b.Prune(t.Context()))
		restored, err := b.Restore(t.Context(), ws, l.ID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(l, restored))
		set, err := b.Companies(t.Context(), ws, l.ID)
		require.NoError(t, err)
		require.True(t, set.Equal(company.SetOf(3, 5)))
		_, err = b.Restore(t.Context(), ws, l.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err), "it is restored already")

		require.NoError(t, b.Delete(t.Context(), ws, l.ID))
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE list_deleted SET deleted_at = $1`, db.Time(time.Now().Add(-25*time.Hour)))
			return err
		}))
		_, err = b.Restore(t.Context(), ws, l.ID)
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
		kept := func() (n int) {
			require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM list_deleted`).Scan(&n))
			return n
		}
		require.Equal(t, 1, kept())
		require.NoError(t, b.Prune(t.Context()))
		require.Zero(t, kept())
	})
}

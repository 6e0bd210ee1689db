package console

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/audit"
	"github.com/opencapi/capi/internal/doctor"
)

func TestGrantIsEnteredOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	ann := h.as(t, h.ann)
	page := ann.get(t, "/operator").body
	require.Contains(t, page, "Acme")
	require.Contains(t, page, "Elsewhere", "operators see every workspace")
	at := "/operator/workspaces/" + h.elsewhere.String() + "/grants"
	key := regexp.MustCompile(regexp.QuoteMeta(at) + `"[^>]*><input type="hidden" name="key" value="([^"]+)"`).FindStringSubmatch(page)[1]
	form := []string{"key", key, "amount", "25", "reason", "purchase", "note", "invoice 7"}
	for range 2 {
		require.Equal(t, http.StatusSeeOther, ann.post(t, at, form...).status)
	}
	require.Equal(t, int64(1025), h.balance(t, h.elsewhere))
	entries, err := h.Credits.Recent(t.Context(), h.elsewhere, 1)
	require.NoError(t, err)
	require.Equal(t, "invoice 7", entries[0].Note)
	require.Equal(t, "person:"+h.ann.ID.String(), entries[0].Actor)
	require.Contains(t, ann.get(t, "/operator").body, "Granted 25 credits.")

	for name, form := range map[string][]string{
		"amount that is not a number":       {"key", "a", "amount", "much"},
		"amount of zero":                    {"key", "b", "amount", "0"},
		"negative grant":                    {"key", "c", "amount", "-5", "reason", "grant"},
		"adjustment that is more than left": {"key", "d", "amount", "-5000", "reason", "adjustment"},
		"unknown reason":                    {"key", "e", "amount", "5", "reason", "greed"},
	} {
		t.Run(name, func(t *testing.T) {
			a := ann.post(t, at, form...)
			require.Equal(t, http.StatusUnprocessableEntity, a.status)
			require.Contains(t, a.body, `class="fault"`)
		})
	}
	a := ann.post(t, at, "key", "f", "amount", "-77", "reason", "purchase", "note", "invoice 8")
	for _, kept := range []string{`value="-77"`, `value="invoice 8"`, `value="purchase" selected`} {
		require.Contains(t, a.body, kept, "a grant that fails keeps what was filled in")
	}
	require.Equal(t, http.StatusNotFound, ann.post(t, at, "amount", "5").status, "without a key")
	require.Equal(t, http.StatusUnprocessableEntity, ann.post(t, at, "key", key, "amount", "26").status, "the key of another grant")
	require.Equal(t, int64(1025), h.balance(t, h.elsewhere))
}

func TestOperatorsSeeTheInstallation(t *testing.T) {
	t.Parallel()
	finished := time.Now()
	h := open(t, func(d *Deps) {
		d.System = SystemStatus{
			Stats: func(context.Context) (SystemStats, error) {
				return SystemStats{
					Version: "v1.2.3", Database: "sqlite", Companies: 4213, CatalogSeq: 12, Indexed: 4200, IndexSeq: 9,
					Jobs: []JobStats{{Kind: "export.run", State: "buried", Count: 2, Oldest: finished}},
				}, nil
			},
			Imports: func(_ context.Context, before int64, limit int) (all []Import, _ error) {
				for n := int64(30); n > 0 && len(all) < limit; n-- {
					if before == 0 || n < before {
						all = append(all, Import{
							Number: n, Files: []string{"<companies>.csv"}, StartedAt: finished, FinishedAt: &finished,
							Counts: []ImportCount{{Name: "Added", Count: 1234}},
						})
					}
				}
				return all, nil
			},
			Examine: func(_ context.Context, progress func(area string, done, total int), report func(doctor.Check)) error {
				progress("files", 1, 2)
				report(doctor.Check{Area: "ledger", Proves: "every balance is the sum of its entries"})
				report(doctor.Check{Area: "index", Proves: "x", Skipped: "no server runs"})
				report(doctor.Check{Area: "files", Proves: "y", Findings: []audit.Finding{{Subject: "export <1>", Problem: "its file is gone"}}})
				return nil
			},
		}
	})
	ann := h.as(t, h.ann)
	page := ann.get(t, "/operator").body
	for _, text := range []string{"4,213", "3 changes behind", "v1.2.3", "buried"} {
		require.Contains(t, page, text)
	}
	imports := ann.get(t, "/operator/imports").body
	require.Contains(t, imports, "&lt;companies&gt;.csv")
	require.Contains(t, imports, "1,234")
	require.Contains(t, imports, "Import 6<")
	require.NotContains(t, imports, "Import 5<")
	next := regexp.MustCompile(`rel="next" href="` + basePath + `([^"]+)"`).FindStringSubmatch(imports)
	require.Equal(t, 5, strings.Count(ann.get(t, next[1]).body, `aria-label="Import `))

	require.Contains(t, ann.get(t, "/operator/doctor").body, "Run checks")
	require.Equal(t, http.StatusSeeOther, ann.post(t, "/operator/doctor").status)
	events := ann.get(t, "/operator/doctor/events").body
	require.True(t, strings.HasSuffix(events, "event: end\ndata:\n\n"), "the stream ends with the run")
	found := ann.get(t, "/operator/doctor").body
	for _, text := range []string{"1 finding.", "export &lt;1&gt;", ">skipped<", ">passed<"} {
		require.Contains(t, found, text)
	}
}

func TestOperatorsPagesSayWhatIsMissing(t *testing.T) {
	t.Parallel()
	failed := errors.New("disk on fire")
	h := open(t)
	ann := h.as(t, h.ann)
	require.Contains(t, ann.get(t, "/operator/imports").body, "No imports to show")
	require.Contains(t, ann.get(t, "/operator/doctor").body, "capi doctor")
	require.Equal(t, http.StatusNotFound, ann.post(t, "/operator/doctor").status)
	h = open(t, func(d *Deps) {
		d.Log = nil
		d.System.Stats = func(context.Context) (SystemStats, error) { return SystemStats{}, failed }
	})
	a := h.as(t, h.ann).get(t, "/operator")
	require.Equal(t, http.StatusInternalServerError, a.status)
	require.NotContains(t, a.body, "disk on fire")
}

// nothingFound is a doctor that has nothing to check.
func nothingFound(context.Context, func(string, int, int), func(doctor.Check)) error { return nil }

func TestDoctorRunsOnceAtATimeAndShowsItsProgress(t *testing.T) {
	t.Parallel()
	end, runs := make(chan struct{}), make(chan struct{}, 10)
	h := open(t, func(d *Deps) {
		d.System.Examine = func(_ context.Context, progress func(string, int, int), _ func(doctor.Check)) error {
			progress("files", 120, 1204)
			runs <- struct{}{}
			<-end
			return errors.New("disk on fire")
		}
	})
	ann := h.as(t, h.ann)
	for range 3 {
		require.Contains(t, ann.follow(t, ann.post(t, "/operator/doctor")).body, "data-running")
	}
	<-runs
	page := ann.get(t, "/operator/doctor").body
	require.Contains(t, page, "120 of 1,204")
	require.NotContains(t, page, "Run checks")
	close(end)
	ann.get(t, "/operator/doctor/events") // ends with the run
	require.Empty(t, runs, "it ran once")
	page = ann.get(t, "/operator/doctor").body
	require.Contains(t, page, "The checks were not completed.")
	require.NotContains(t, page, "disk on fire")
	require.Contains(t, page, "Run checks")
}

func TestStoppingTheServerEndsTheDoctor(t *testing.T) {
	t.Parallel()
	stopping, ended := make(chan struct{}), make(chan struct{})
	h := open(t, func(d *Deps) {
		d.Stopping = stopping
		d.System.Examine = func(ctx context.Context, _ func(string, int, int), _ func(doctor.Check)) error {
			<-ctx.Done()
			close(ended)
			return ctx.Err()
		}
	})
	h.as(t, h.ann).post(t, "/operator/doctor")
	close(stopping)
	<-ended
}

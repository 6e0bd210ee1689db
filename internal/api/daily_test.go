package api_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
)

func (h *house) left(t testing.TB) int {
	t.Helper()
	return get[client.Credits](t, h, h.reader, 200, "GET", "/credits", nil).DailyCompanies.Left
}

// Every door counts a company once, refuses what exceeds the limit, and then shows again what was shown.
func TestEveryDoorCountsForTheDailyLimit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var companies []*company.Company
		for i := range 6 {
			c := madeUp("Company "+strconv.Itoa(i), "Germany", int64(100-i))
			c.ID, c.Domain = id.New[id.Company](), "c"+strconv.Itoa(i)+".example"
			companies = append(companies, c)
		}
		connect := func(h *house) {
			_, err := h.catalog.Connect(t.Context(), []catalog.Connection{{
				Source: catalog.End{ID: companies[0].ID}, Category: "vendor", Target: catalog.End{ID: companies[1].ID},
			}})
			require.NoError(t, err)
			h.follow(t)
		}
		for name, door := range map[string]struct {
			method, path string
			body         func(h *house) any
			shows        int
		}{
			"search":                   {"POST", "/companies/search", func(*house) any { return M{"limit": 3} }, 3},
			"detail with a connection": {"GET", "/companies/" + companies[0].ID.String(), nil, 2},
			"match, with candidates": {"POST", "/companies/match", func(*house) any {
				return M{"rows": []M{{"domain": "c0.example"}, {"domain": "c0.example"}, {"name": "Company 4"}}}
			}, 2},
			"list": {"GET", "LIST", nil, 6},
		} {
			t.Run(name, func(t *testing.T) {
				h := open(t, settings{})
				if d.Name() == "postgres" {
					h = open(t, settings{db: dbtest.Open(t, dbtest.PostgresURL(t))})
				}
				h.put(t, companies...)
				connect(h)
				path := door.path
				if path == "LIST" {
					path = "/lists/" + newList(t, h, "all") + "/companies"
					h.send(t, h.writer, "POST", path, M{"search_filters": M{}})
				}
				var body any
				if door.body != nil {
					body = door.body(h)
				}
				require.NoError(t, h.spaces.SetDailyCompanies(t.Context(), h.ws, int64(door.shows)))
				for range 2 {
					a := h.send(t, h.reader, door.method, path, body)
					require.Equal(t, http.StatusOK, a.status, "%s", a.body)
					require.Equal(t, "0", a.header.Get("Daily-Companies-Remaining"))
					require.Equal(t, strconv.Itoa(door.shows), a.header.Get("Daily-Companies-Limit"))
				}
				require.Zero(t, h.left(t))
				require.NoError(t, h.spaces.SetDailyCompanies(t.Context(), h.ws, 1))
				h.exec(t, `DELETE FROM shown`)
				refused := h.send(t, h.reader, door.method, path, body)
				require.Equal(t, http.StatusTooManyRequests, refused.status)
				require.Equal(t, "DAILY_LIMIT_EXCEEDED", refused.code(t))
				seconds, err := strconv.Atoi(refused.header.Get("Retry-After"))
				require.NoError(t, err)
				ends, err := time.Parse(time.RFC3339, refused.failure(t).Details["resets_at"].(string))
				require.NoError(t, err)
				require.WithinDuration(t, ends, time.Now().Add(time.Duration(seconds)*time.Second), 5*time.Second)
				require.Equal(t, 1, h.left(t), "what is refused is not counted")
			})
		}
	})
}

func TestOwnedCompaniesDoNotCountAndTokensHaveTheirOwnLimit(t *testing.T) {
	t.Parallel()
	h := stocked(t, 6, settings{})
	create(t, h, M{"name": "x", "search_filters": M{}, "limit": 3})
	require.NoError(t, h.spaces.SetDailyCompanies(t.Context(), h.ws, 3))
	find(t, h, M{})
	require.Zero(t, h.left(t), "three of six are owned")

	secret, made, err := h.tokens.Create(t.Context(), token.NewToken{Workspace: h.ws, Name: "small", Scope: auth.Read})
	require.NoError(t, err)
	require.NoError(t, h.tokens.SetDailyCompanies(t.Context(), h.ws, made.ID, 2))
	a := h.send(t, secret, "POST", "/companies/search", M{})
	require.Equal(t, "DAILY_LIMIT_EXCEEDED", a.code(t))
	require.Equal(t, "token", a.failure(t).Details["whose"])
	require.NoError(t, h.tokens.SetDailyCompanies(t.Context(), h.ws, made.ID, 0))
	require.Equal(t, http.StatusOK, h.send(t, secret, "POST", "/companies/search", M{}).status, "the workspace has seen them today")
	require.Error(t, h.tokens.SetDailyCompanies(t.Context(), h.workspace(t, 0), made.ID, 2), "a token of another workspace")
}

// An export that is cancelled is refunded; its receipt must not be a way around the limit.
func TestTheReceiptOfACancelledExportCounts(t *testing.T) {
	t.Parallel()
	h := stocked(t, 6, settings{})
	export := create(t, h, M{"name": "x", "search_filters": M{}}).ExportJob.ID
	require.NoError(t, h.spaces.SetDailyCompanies(t.Context(), h.ws, 5))
	path := "/exports/" + export + "/receipt"
	require.Equal(t, http.StatusOK, h.send(t, h.reader, "GET", path, nil).status, "owned")
	cancel(t, h, export)
	require.Equal(t, "DAILY_LIMIT_EXCEEDED", h.send(t, h.reader, "GET", path, nil).code(t))
}

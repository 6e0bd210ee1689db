package reconcile_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/id"
)

// secretOf is what a company has in each field that can be locked. No other text contains it.
func secretOf(field string, n int) string {
	return fmt.Sprintf("zq%sx%d", strings.ReplaceAll(field, "_", ""), n)
}

// guarded returns a service whose n companies have a secret in every field, and a connection to the next one.
func guarded(t *testing.T, n int) (*house, []*company.Company) {
	t.Helper()
	h := open(t, "off", nil)
	var all []*company.Company
	for i := range n {
		c := &company.Company{ID: id.New[id.Company](), Name: fmt.Sprintf("Guarded %d", i), Attributes: map[string]any{"x": secretOf("attributes", i)}}
		for f := range company.Fields {
			switch f := &company.Fields[f]; {
			case f.Name == "domain":
				c.Domain = secretOf(f.Name, i) + ".test"
			case f.Name == "linkedin_url":
				c.LinkedInURL = "https://www.linkedin.com/company/" + secretOf(f.Name, i)
			case f.Name == "country_code":
				c.CountryCode = "DE"
			case f.Name != "name" && f.Text != nil:
				*f.Text(c) = secretOf(f.Name, i)
			case f.Name == "naics_codes":
				c.NAICSCodes = []string{"522310"}
			case f.List != nil:
				*f.List(c) = []string{secretOf(f.Name, i)}
			case f.Int != nil:
				*f.Int(c) = new(int64(1733 + i))
			}
		}
		all = append(all, c)
	}
	h.Put(t, all...)
	var connections []catalog.Connection
	for i, c := range all {
		connections = append(connections, catalog.Connection{
			Source: catalog.End{ID: c.ID}, Category: secretOf("connections", i), Target: catalog.End{ID: all[(i+1)%n].ID},
		})
	}
	_, err := h.Catalog.Connect(t.Context(), connections)
	require.NoError(t, err)
	h.Follow(t)
	return h, all
}

func lockable() []string { return company.LockedBy([]string{"id"}).Names() }

// doors returns everything that the service says about the first company.
func (h *house) doors(t *testing.T, all []*company.Company) map[string]answer {
	t.Helper()
	first := all[0]
	var properties []M
	for i := range company.Fields {
		if name := company.Fields[i].Name; name != "attributes" {
			properties = append(properties, M{"id": name})
		}
	}
	answers := map[string]answer{
		"queries": h.ask(t, "queries", M{
			"name": M{"query": first.Name}, "similar": M{"query": "Guarded"}, "id": M{"query": first.ID.String()},
			"place": M{"query": first.Name, "properties": []M{{"pid": "country", "v": "zq"}, {"pid": "city", "v": "zq"}}},
		}),
		"extend":   h.ask(t, "extend", M{"ids": []string{first.ID.String()}, "properties": properties}),
		"suggest":  h.get(t, h.url+"/suggest/entity?prefix=guard"),
		"by id":    h.get(t, h.url+"/suggest/entity?prefix="+first.ID.String()),
		"preview":  h.get(t, h.url+"/preview?id="+first.ID.String()),
		"property": h.get(t, h.url+"/suggest/property?prefix="),
		"proposal": h.get(t, h.url+"/extend/properties?type=company"),
		"manifest": h.get(t, h.url),
	}
	for name, a := range answers {
		require.Equal(t, http.StatusOK, a.status, "%s: %s", name, a.body)
	}
	return answers
}

func TestALockedFieldIsShownNowhereAndNamed(t *testing.T) {
	t.Parallel()
	h, all := guarded(t, 3)
	visible := h.doors(t, all)
	for _, field := range lockable() {
		t.Run(field, func(t *testing.T) {
			var others []string
			for _, f := range lockable() {
				if f != field {
					others = append(others, f)
				}
			}
			require.NoError(t, h.Workspaces.SetVisibleFields(t.Context(), h.ws, others))
			for door, a := range h.doors(t, all) {
				if field == "domain" || field == "linkedin_url" || field == "connections" || company.FieldNamed(field).Text != nil {
					for i := range all {
						require.NotContains(t, a.body, secretOf(field, i), door)
					}
				}
				switch door {
				case "queries", "suggest", "by id":
					require.Contains(t, a.body, `"locked_fields":["`+field+`"]`, door)
				case "extend":
					rows := into[struct {
						Rows   map[string]map[string][]any
						Locked map[string][]string `json:"locked_fields"`
					}](t, a)
					if field == "attributes" {
						require.Empty(t, rows.Locked)
						continue
					}
					require.Equal(t, []string{field}, rows.Locked[all[0].ID.String()])
					for name, values := range rows.Rows[all[0].ID.String()] {
						require.Equal(t, name == field, len(values) == 0, "%s with %s locked", name, field)
					}
				case "property":
					require.Equal(t, map[bool]int{true: 0, false: 1}[field == "attributes"], strings.Count(a.body, "Locked: "))
				}
			}
		})
	}
	require.NoError(t, h.Workspaces.SetVisibleFields(t.Context(), h.ws, []string{"id"}))
	for door, a := range h.doors(t, all) {
		require.NotContains(t, a.body, "zq", door)
		require.NotContains(t, a.body, "1733", door)
		require.NotContains(t, a.body, "522310", door)
	}
	require.Contains(t, h.doors(t, all)["preview"].body, "Locked until your workspace owns the company: Domain")
	require.NoError(t, h.Workspaces.SetVisibleFields(t.Context(), h.ws, nil))
	for door, a := range h.doors(t, all) {
		require.Equal(t, visible[door].body, a.body)
		require.NotContains(t, a.body, "locked_fields")
	}
}

// A guess of a locked value gets the answer of every other guess, unless it is a whole domain or page.
func TestALockedValueCannotBeGuessed(t *testing.T) {
	t.Parallel()
	h, all := guarded(t, 3)
	require.NoError(t, h.Workspaces.SetVisibleFields(t.Context(), h.ws, []string{"id"}))
	ask := func(query M) string { return h.ask(t, "queries", M{"q": query}).body }
	for _, name := range []string{all[0].Name, "Guarded", "Guarded 0 Ltd"} {
		for pid, value := range map[string]string{
			"country": secretOf("country", 0), "city": secretOf("city", 0),
			"domain": secretOf("domain", 0), "linkedin_url": secretOf("linkedin_url", 0),
		} {
			right := ask(M{"query": name, "properties": []M{{"pid": pid, "v": value}}})
			wrong := ask(M{"query": name, "properties": []M{{"pid": pid, "v": "somewhere else"}}})
			require.Equal(t, wrong, right, "%s %s", name, pid)
		}
	}
	for _, field := range lockable() {
		if field == "domain" || field == "linkedin_url" {
			continue
		}
		require.JSONEq(t, `{"q":{"result":[]}}`, ask(M{"query": secretOf(field, 0)}), field)
		require.JSONEq(t, `{"result":[]}`, h.get(t, h.url+"/suggest/entity?prefix="+secretOf(field, 0)).body, field)
		require.JSONEq(t, `{"result":[]}`, h.get(t, h.url+"/suggest/entity?prefix="+secretOf(field, 0)[:6]).body, field)
	}
	for _, part := range []string{secretOf("domain", 0), secretOf("domain", 0) + ".te", "zqdom"} {
		require.JSONEq(t, `{"result":[]}`, h.get(t, h.url+"/suggest/entity?prefix="+url.QueryEscape(part)).body, part)
		require.JSONEq(t, `{"q":{"result":[]}}`, ask(M{"query": part}), part)
	}
	require.Contains(t, h.get(t, h.url+"/suggest/entity?prefix="+all[1].Domain).body, all[1].ID.String(), "a whole domain finds its company")
	require.Contains(t, ask(M{"query": all[1].Domain}), all[1].ID.String())

	// The order of namesakes does not follow locked numbers.
	first, second := made("Namesake", "n1.test", "", "", 5), made("Namesake", "n2.test", "", "", 5000)
	h.Put(t, first, second)
	orders := func() (firsts []string) {
		suggested := into[struct{ Result []found }](t, h.get(t, h.url+"/suggest/entity?prefix=namesak")).Result
		all := h.reconcile(t, M{"same": M{"query": "Namesake"}, "similar": M{"query": "Namesak"}})
		return []string{suggested[0].ID, all["same"][0].ID, all["similar"][0].ID}
	}
	small, large := first.ID.String(), second.ID.String()
	require.Equal(t, []string{small, small, small}, orders())
	require.NoError(t, h.Workspaces.SetVisibleFields(t.Context(), h.ws, nil))
	require.Equal(t, []string{large, large, large}, orders())
}

func TestWhatTheWorkspaceOwnsIsShownInFull(t *testing.T) {
	t.Parallel()
	h, all := guarded(t, 2)
	require.NoError(t, h.Workspaces.SetVisibleFields(t.Context(), h.ws, []string{"id"}))
	h.own(t, all[0].ID)
	for door, a := range h.doors(t, all) {
		require.NotContains(t, a.body, secretOf("domain", 1), door)
	}
	preview := h.doors(t, all)["preview"].body
	require.Contains(t, preview, secretOf("domain", 0))
	require.Contains(t, preview, "Your workspace owns this company")
	require.Contains(t, h.doors(t, all)["extend"].body, secretOf("description", 0))
}

// Every door counts a company once, refuses what exceeds the limit, and then shows again what was shown.
func TestEveryDoorOfReconcilingCountsForTheDailyLimit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var companies []*company.Company
		for i := range 6 {
			companies = append(companies, made("Company "+strconv.Itoa(i), "c"+strconv.Itoa(i)+".example", "Germany", "", int64(100-i)))
		}
		all := func(h *house, from, to int) (ids []string) {
			for _, c := range companies[from:to] {
				ids = append(ids, c.ID.String())
			}
			return ids
		}
		for name, door := range map[string]struct {
			ask   func(h *house) answer
			shows int
		}{
			"queries": {func(h *house) answer {
				return h.ask(t, "queries", M{"a": M{"query": "Company 1"}, "b": M{"query": "c2.example"}, "c": M{"query": "Company 1"}})
			}, 2},
			"candidates": {func(h *house) answer { return h.ask(t, "queries", M{"a": M{"query": "Compan", "limit": 4}}) }, 4},
			"suggest":    {func(h *house) answer { return h.get(t, h.url+"/suggest/entity?prefix=comp") }, 6},
			"skipped":    {func(h *house) answer { return h.get(t, h.url+"/suggest/entity?prefix=comp&cursor=4") }, 2},
			"extend": {func(h *house) answer {
				return h.ask(t, "extend", M{"ids": all(h, 1, 4), "properties": []M{{"id": "domain"}}})
			}, 3},
			"extend with connections": {func(h *house) answer {
				return h.ask(t, "extend", M{"ids": all(h, 0, 1), "properties": []M{{"id": "connections"}}})
			}, 2},
			"preview": {func(h *house) answer { return h.get(t, h.url+"/preview?id="+companies[3].ID.String()) }, 1},
		} {
			t.Run(name, func(t *testing.T) {
				h := open(t, "off", nil)
				if d.Name() == "postgres" {
					h = open(t, "off", dbtest.Open(t, dbtest.PostgresURL(t)))
				}
				h.Put(t, companies...)
				_, err := h.Catalog.Connect(t.Context(), []catalog.Connection{{
					Source: catalog.End{ID: companies[0].ID}, Category: "vendor", Target: catalog.End{ID: companies[5].ID},
				}})
				require.NoError(t, err)
				h.Follow(t)
				if door.shows > 1 {
					require.NoError(t, h.Workspaces.SetDailyCompanies(t.Context(), h.ws, int64(door.shows-1)))
					refused := door.ask(h)
					require.Equal(t, http.StatusTooManyRequests, refused.status, refused.body)
					require.Equal(t, "DAILY_LIMIT_EXCEEDED", refused.failure(t).Code)
					require.InDelta(t, 0, refused.failure(t).Details["shown"], 0.1, "nothing of it is counted")
				}
				require.NoError(t, h.Workspaces.SetDailyCompanies(t.Context(), h.ws, int64(door.shows)))
				for range 2 {
					a := door.ask(h)
					require.Equal(t, http.StatusOK, a.status)
					require.Equal(t, strconv.Itoa(door.shows), a.header.Get("Daily-Companies-Limit"))
					require.Equal(t, "0", a.header.Get("Daily-Companies-Remaining"))
					require.NotEmpty(t, a.header.Get("Daily-Companies-Reset"))
					require.Contains(t, a.header.Get("Access-Control-Expose-Headers"), "Daily-Companies-Remaining")
				}
				other := h.get(t, h.url+"/suggest/entity?prefix=comp")
				require.Equal(t, door.shows == 6, other.status == http.StatusOK, other.body)
			})
		}
	})
}

// own makes the workspace own the company, by an export that is complete.
func (h *house) own(t *testing.T, c id.Company) {
	t.Helper()
	require.NoError(t, h.DB.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := h.Credits.Grant(t.Context(), tx, h.ws, credit.Grant{Amount: 1, Reason: credit.ReasonGrant, Actor: credit.ActorSystem})
		return err
	}))
	writer, _ := h.newToken(t, auth.ReadWrite)
	body := `{"name": "x", "source_type": "set", "set": {"companies": ["` + c.String() + `"]}}`
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/exports", strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+writer)
	r.Header.Set("Content-Type", "application/json")
	a := h.raw(t, r)
	require.Equal(t, http.StatusCreated, a.status, a.body)
	h.Work(t)
	require.Eventually(t, func() bool {
		owned, err := h.Unlocks.Delivered(t.Context(), h.ws)
		return err == nil && owned.Len() == 1
	}, 30*time.Second, 5*time.Millisecond)
}

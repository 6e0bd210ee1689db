package api_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/query/querytest"
)

// disguised returns the company with other values of the locked fields, as different as the bound of the wall allows: numbers stay in
// their bands, codes in their sectors, and what is unknown stays unknown.
func disguised(c *company.Company, locked company.FieldSet) *company.Company {
	d := *c
	for i := range company.Fields {
		f := &company.Fields[i]
		switch {
		case !locked.Has(f.Name) || !f.Known(c):
		case f.Name == "domain":
			d.Domain = "other-" + c.Domain
		case f.Name == "country_code":
			d.CountryCode = "VU"
		case f.Name == "country":
			d.Country = "Vanuatu"
		case f.Text != nil:
			*f.Text(&d) = "another zq" + f.Name
		case f.Name == "naics_codes":
			d.NAICSCodes = nil
			for _, code := range c.NAICSCodes {
				d.NAICSCodes = append(d.NAICSCodes, code[:min(2, len(code))]+"9999")
			}
		case f.List != nil:
			*f.List(&d) = []string{"another zq" + f.Name}
		case f.Int != nil:
			low, _ := company.BandOf(f.Name, **f.Int(c))
			*f.Int(&d) = &low
		}
	}
	return &d
}

// twins are two servers that have been used alike. Their catalogs differ only in what is locked.
type twins struct {
	houses    [2]*house
	ids       [2]*strings.Replacer // from the names of things, such as $LIST, to their ids in a house
	names     [2]*strings.Replacer // and back
	companies []*company.Company   // of the first house
	locked    company.FieldSet
}

func openTwins(t *testing.T, visible ...string) *twins {
	t.Helper()
	p := &twins{companies: companytest.Slice(1, 60), locked: company.LockedBy(visible)}
	others := make([]*company.Company, len(p.companies))
	for i, c := range p.companies {
		c.ID, c.Connections = id.New[id.Company](), nil
		others[i] = disguised(c, p.locked)
	}
	for i, companies := range [][]*company.Company{p.companies, others} {
		h := open(t, settings{})
		h.put(t, companies...)
		connections := []catalog.Connection{}
		for n := range 40 {
			to := n + 1
			category := "vendor"
			if i == 1 && p.locked.Has("connections") {
				to, category = n+2, "partner"
			}
			connections = append(connections, catalog.Connection{
				Source: catalog.End{ID: companies[n].ID}, Category: category, Target: catalog.End{ID: companies[to].ID},
			})
		}
		_, err := h.catalog.Connect(t.Context(), connections)
		require.NoError(t, err)
		h.follow(t)
		h.shows(t, visible...)
		h.work(t)
		p.houses[i] = h
		p.populate(t, i)
	}
	return p
}

// populate makes one thing of each kind that names companies.
func (p *twins) populate(t *testing.T, i int) {
	t.Helper()
	h := p.houses[i]
	listed := func(name string, from, to int) string {
		l := newList(t, h, name)
		var ids []string
		for _, c := range p.companies[from:to] {
			ids = append(ids, c.ID.String())
		}
		get[change](t, h, h.writer, 200, "POST", "/lists/"+l+"/companies", M{"company_ids": ids})
		return l
	}
	mine, excluded, bought := listed("mine", 0, 20), listed("excluded", 50, 55), listed("bought", 10, 25)
	export := get[exported](t, h, h.writer, http.StatusCreated, "POST", "/exports", M{"name": "x", "source_type": "list", "list_id": bought}).ExportJob.ID
	finish(t, h, export)
	get[M](t, h, h.writer, 200, "PATCH", "/lists/"+excluded, M{"excluded": true})
	saved, err := h.Lists.SaveSearch(t.Context(), h.ws, list.Search{Name: "x", Show: "new", Filters: query.Filters{EmployeeCountMin: new(int64(60))}})
	require.NoError(t, err)
	match := get[struct {
		ID string `json:"match_id"`
	}](t, h, h.reader, 200, "POST", "/companies/match", M{"rows": []M{{"name": p.companies[1].Name}, {"name": p.companies[30].Name}, {"id": p.companies[40].ID}}}).ID
	forth, back := []string{}, []string{}
	for name, of := range map[string]string{
		"$LIST": mine, "$EXCLUDED": excluded, "$EXPORT": export, "$SAVED": saved.ID.String(), "$MATCH": match, "$SCRATCH": newList(t, h, "scratch"),
	} {
		forth, back = append(forth, name, of), append(back, of, name)
	}
	p.ids[i], p.names[i] = strings.NewReplacer(forth...), strings.NewReplacer(back...)
}

var (
	times    = regexp.MustCompile(`\d{4}-\d{2}-\d{2}T[0-9:.]+Z`)
	newIDs   = regexp.MustCompile(`"(quote_id|match_id|transaction_id)":"[0-9a-f-]{36}"`)
	cursored = regexp.MustCompile(`"next_cursor":"([^"]+)"`)
)

// place returns what a cursor says of the order: without its checksums, the hash of the search, which contains the ids of sets, and the
// index and snapshot that it belongs to.
func place(cursor string) string {
	p, err := base64.RawURLEncoding.DecodeString(cursor)
	const head, checksums = 1 + 16 + 1 + 16 + 8, 4 + 4
	if err != nil || len(p) < head+checksums {
		return "unreadable"
	}
	p = p[head : len(p)-checksums]
	if query.SortKey(p[0]) == query.ByUpdatedAt {
		clear(p[1+1+4:]) // the time, which is visible, and is not the same on both servers
	}
	return hex.EncodeToString(p)
}

// ask sends the request to both servers, requires equal answers, and returns the answer of each.
func (p *twins) ask(t *testing.T, rt *rapid.T, method, path string, body [2]M) (answers [2]answer) {
	t.Helper()
	var plain [2]string
	for i, h := range p.houses {
		var sent any
		if body[i] != nil {
			raw, err := json.Marshal(body[i])
			require.NoError(rt, err)
			sent = p.ids[i].Replace(string(raw))
		}
		answers[i] = h.send(t, h.writer, method, p.ids[i].Replace(path), sent)
		text := times.ReplaceAllString(p.names[i].Replace(string(answers[i].body)), "TIME")
		text = cursored.ReplaceAllStringFunc(text, func(c string) string { return `"next_cursor":"` + place(cursored.FindStringSubmatch(c)[1]) + `"` })
		plain[i] = fmt.Sprint(answers[i].status, " ", newIDs.ReplaceAllString(text, `"$1":"new"`))
	}
	require.Less(rt, answers[0].status, http.StatusInternalServerError)
	require.Equal(rt, p.shown(plain[0]), p.shown(plain[1]), "%s %s %v", method, path, body[0])
	return answers
}

// shown returns an answer without the companies that are shown in full, because the workspace owns them.
func (p *twins) shown(text string) string {
	at := strings.IndexByte(text, '{')
	if at < 0 {
		return text
	}
	var v any
	if json.Unmarshal([]byte(text[at:]), &v) != nil {
		return text
	}
	p.hide(v)
	raw, err := json.Marshal(v)
	if err != nil {
		return text
	}
	return text[:at] + string(raw)
}

func (p *twins) hide(v any) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			p.hide(x)
		}
	case map[string]any:
		for _, x := range v {
			p.hide(x)
		}
		if _, locked := v["locked_fields"]; !locked && v["unlocked"] == true {
			for _, name := range p.locked.Names() {
				delete(v, name)
			}
		}
	}
}

// filters draws filters as they are sent. Domains that are given in full find their company, which the bound allows, so they are
// left out.
func (p *twins) filters(rt *rapid.T) M {
	f := querytest.Filters(p.companies...).Draw(rt, "filters")
	if company.KnownSuffix(f.Query) {
		f.Query = ""
	}
	if p.locked.Has("domain") {
		for i := range f.Connections {
			f.Connections[i].ConnectedDomain = ""
		}
	}
	f.Connections = nil
	raw, err := json.Marshal(f)
	require.NoError(rt, err)
	var sent M
	require.NoError(rt, json.Unmarshal(raw, &sent))
	return sent
}

func (p *twins) company(rt *rapid.T) *company.Company {
	return p.companies[rapid.IntRange(0, len(p.companies)-1).Draw(rt, "company")]
}

// bounded draws filters that are not refused, so that there are answers to compare.
func (p *twins) bounded(rt *rapid.T) M {
	return rapid.OneOf(
		rapid.Custom(p.filters),
		rapid.Custom(func(rt *rapid.T) M {
			words := strings.Fields(p.company(rt).Name)
			return M{"query": words[0], "prefix": rapid.Bool().Draw(rt, "prefix")}
		}),
		rapid.Custom(func(rt *rapid.T) M { return M{"employee_count_min": rapid.IntRange(0, 3000).Draw(rt, "employees")} }),
		rapid.Custom(func(rt *rapid.T) M { return M{"founded_year_max": rapid.IntRange(1900, 2026).Draw(rt, "year")} }),
		rapid.Custom(func(rt *rapid.T) M {
			return M{"has": []string{rapid.SampledFrom(company.Knowable).Draw(rt, "has")}, "missing": []string{rapid.SampledFrom(company.Knowable).Draw(rt, "missing")}}
		}),
		rapid.Just(M{}),
	).Draw(rt, "bounded filters")
}

func (p *twins) set(rt *rapid.T, depth int) M {
	kinds := []string{"list", "export", "saved", "match", "owned", "companies", "search", "any", "all", "not"}
	if depth == 0 {
		kinds = kinds[:7]
	}
	switch rapid.SampledFrom(kinds).Draw(rt, "kind of set") {
	case "list":
		return M{"list_id": rapid.SampledFrom([]string{"$LIST", "$EXCLUDED"}).Draw(rt, "list")}
	case "export":
		return M{"export_id": "$EXPORT"}
	case "saved":
		return M{"saved_search_id": "$SAVED"}
	case "match":
		return M{"match_id": "$MATCH"}
	case "owned":
		return M{"owned": true}
	case "companies":
		return M{"companies": []any{p.company(rt).ID, p.company(rt).ID}}
	case "any":
		return M{"any_of": p.sets(rt, depth-1)}
	case "all":
		return M{"all_of": p.sets(rt, depth-1)}
	case "not":
		return M{"not": p.set(rt, depth-1)}
	}
	return M{"search": p.bounded(rt)}
}

func (p *twins) sets(rt *rapid.T, depth int) (sets []M) {
	for range rapid.IntRange(1, 3).Draw(rt, "sets") {
		sets = append(sets, p.set(rt, depth))
	}
	return sets
}

func both(body M) [2]M { return [2]M{body, body} }

// search compares up to three pages of a search.
func (p *twins) search(t *testing.T, rt *rapid.T) int {
	body := p.bounded(rt)
	for _, param := range []string{"in", "not_in"} {
		if rapid.IntRange(0, 2).Draw(rt, param) == 0 {
			body[param] = p.sets(rt, 2)
		}
	}
	if by := rapid.SampledFrom(append([]string{""}, query.SortNames...)).Draw(rt, "sort"); by != "" {
		body["sort_by"], body["sort_order"] = by, rapid.SampledFrom([]string{"asc", "desc"}).Draw(rt, "order")
	}
	body["limit"], body["facet_prices"] = rapid.IntRange(1, 30).Draw(rt, "limit"), rapid.Bool().Draw(rt, "prices")
	bodies := [2]M{body, body}
	for range 3 {
		answers := p.ask(t, rt, "POST", "/companies/search", bodies)
		if answers[0].status != http.StatusOK {
			return 0
		}
		for i := range bodies {
			var page struct {
				Next *string `json:"next_cursor"`
			}
			answers[i].into(t, &page)
			if page.Next == nil {
				return 1
			}
			next := M{"cursor": *page.Next}
			for k, v := range body {
				if k != "cursor" {
					next[k] = v
				}
			}
			bodies[i] = next
		}
	}
	return 1
}

func (p *twins) rows(rt *rapid.T) (rows []M) {
	for range rapid.IntRange(1, 5).Draw(rt, "rows") {
		of, other := p.company(rt), p.company(rt)
		row := M{"key": rapid.SampledFrom([]string{"", "a", "b"}).Draw(rt, "key"), "name": of.Name}
		if rapid.IntRange(0, 4).Draw(rt, "by id") == 0 {
			row = M{"id": of.ID}
		}
		for field, value := range map[string]string{"country": other.Country, "city": other.City} {
			if rapid.Bool().Draw(rt, field) {
				row[field] = value
			}
		}
		if rapid.Bool().Draw(rt, "domain") {
			row["domain"] = "unheard-of.example"
		}
		rows = append(rows, row)
	}
	return rows
}

// Two servers whose catalogs differ only in locked values give the same answers to whatever is asked, up to the bound that ADR 6 states.
func TestAnswersDoNotDependOnLockedValues(t *testing.T) {
	t.Parallel()
	for name, visible := range map[string][]string{
		"everything is locked":          {"id"},
		"places and sizes are visible":  {"country", "country_code", "state", "city", "employee_count", "industries"},
		"numbers and codes are locked":  withoutFields(lockable(), "employee_count", "founded_year", "naics_codes"),
		"texts and websites are locked": withoutFields(lockable(), "description", "domain", "website", "linkedin_url", "connections", "attributes"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := openTwins(t, visible...)
			answered := 0
			rapid.Check(t, func(rt *rapid.T) {
				source := func() M {
					if rapid.Bool().Draw(rt, "of a set") {
						return M{"source_type": "set", "set": p.set(rt, 2)}
					}
					return M{"search_filters": p.bounded(rt)}
				}
				switch rapid.SampledFrom([]string{"search", "search", "search", "compare", "quote", "match", "list", "company"}).Draw(rt, "request") {
				case "search":
					answered += p.search(t, rt)
				case "compare":
					p.ask(t, rt, "POST", "/sets/compare", both(M{"sets": append(p.sets(rt, 2), M{"owned": true})}))
				case "quote":
					body := source()
					body["limit"] = rapid.IntRange(1, 60).Draw(rt, "limit")
					body["export_format"] = rapid.SampledFrom([]string{"csv", "xlsx"}).Draw(rt, "format")
					p.ask(t, rt, "POST", "/exports/quote", both(body))
				case "match":
					p.ask(t, rt, "POST", "/companies/match", both(M{"rows": p.rows(rt)}))
				case "list":
					for _, method := range []string{"POST", "DELETE"} {
						p.ask(t, rt, method, "/lists/$SCRATCH/companies", both(M{"set": p.set(rt, 2), "domains": []string{"unheard-of.example"}}))
						p.ask(t, rt, "GET", "/lists/$SCRATCH/companies?limit=10", [2]M{})
					}
				case "company":
					p.ask(t, rt, "GET", "/companies/"+p.company(rt).ID.String(), [2]M{})
				}
			})
			require.Greater(t, answered, 10)
		})
	}
}

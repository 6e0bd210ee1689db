package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/query"
)

// setHouse has nine companies, A to I: the list has A, B and C, the export B, C and D, and the saved search finds C, D and E.
type setHouse struct {
	*house
	ids                  map[string]string
	list, export, search string
}

func openSets(t testing.TB) *setHouse {
	t.Helper()
	h := &setHouse{house: open(t, settings{}), ids: map[string]string{}}
	for i, letter := range "ABCDEFGHI" {
		c := madeUp(string(letter), "Peru", int64(i+1))
		h.put(t, c)
		h.ids[string(letter)] = c.ID.String()
	}
	h.list, h.export, h.search = h.stored(t, h.ws, h.writer)
	return h
}

// stored makes a list, an export and a saved search in a workspace.
func (h *setHouse) stored(t testing.TB, ws id.Workspace, writer string) (listID, export, search string) {
	t.Helper()
	listID = get[listed](t, h.house, writer, http.StatusCreated, "POST", "/lists", M{"name": "ABC"}).ID
	get[change](t, h.house, writer, 200, "POST", "/lists/"+listID+"/companies", M{"company_ids": h.of("A", "B", "C")})
	export = get[exported](t, h.house, writer, http.StatusCreated, "POST", "/exports", M{
		"name": "BCD", "source_type": "set", "set": M{"companies": h.of("B", "C", "D")},
	}).ExportJob.ID
	saved, err := h.Lists.SaveSearch(t.Context(), ws, list.Search{
		Name: "CDE", Filters: query.Filters{EmployeeCountMin: new(int64(3)), EmployeeCountMax: new(int64(5))},
	})
	require.NoError(t, err)
	return listID, export, saved.ID.String()
}

func (h *setHouse) of(letters ...string) (ids []string) {
	for _, l := range letters {
		ids = append(ids, h.ids[l])
	}
	return ids
}

type exported struct {
	ExportJob struct{ ID, SourceType string } `json:"export_job"`
	Requested int                             `json:"requested_count"`
	New       int                             `json:"new_count"`
	Owned     int                             `json:"already_unlocked"`
	Cost      int                             `json:"cost"`
}

type named struct{ Name string }

// names returns the names of a search's matches, in their order.
func (h *setHouse) names(t testing.TB, filters M) string {
	t.Helper()
	var names strings.Builder
	body := M{"sort_by": "name", "limit": 100}
	for k, v := range filters {
		body[k] = v
	}
	found := get[struct {
		Items    []named
		Total    int
		Warnings []struct{ Field, Message string }
	}](t, h.house, h.reader, 200, "POST", "/companies/search", body)
	for _, c := range found.Items {
		names.WriteString(c.Name)
	}
	require.Equal(t, found.Total, names.Len())
	return names.String()
}

func TestEverySetCanBeSearchedPricedAndListed(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	abc, bcd, cde, owned := M{"list_id": h.list}, M{"export_id": h.export}, M{"saved_search_id": h.search}, M{"owned": true}
	ef := M{"companies": h.of("E", "F")}
	gToI := M{"search": M{"employee_count_min": 7}}
	for _, c := range []struct {
		set       M
		names     string
		owned     int
		unmatched bool
	}{
		{set: abc, names: "ABC", owned: 2},
		{set: bcd, names: "BCD", owned: 3},
		{set: cde, names: "CDE", owned: 2},
		{set: owned, names: "BCD", owned: 3},
		{set: ef, names: "EF"},
		{set: gToI, names: "GHI"},
		{set: M{"any_of": []M{abc, gToI}}, names: "ABCGHI", owned: 2},
		{set: M{"all_of": []M{abc, cde}}, names: "C", owned: 1},
		{set: M{"all_of": []M{abc, {"not": bcd}}}, names: "A"},
		{set: M{"not": M{"any_of": []M{abc, gToI}}}, names: "DEF", owned: 1},
		{set: M{"search": M{"in": []M{abc, cde}, "not_in": []M{owned}}}, names: "AE"},
	} {
		t.Run(fmt.Sprint(c.set), func(t *testing.T) {
			require.Equal(t, c.names, h.names(t, M{"in": []M{c.set}}))
			require.Len(t, h.names(t, M{"not_in": []M{c.set}}), 9-len(c.names))
			quoted := get[exported](t, h.house, h.reader, 200, "POST", "/exports/quote", M{"source_type": "set", "set": c.set})
			require.Equal(t, []int{len(c.names), c.owned, len(c.names) - c.owned}, []int{quoted.Requested, quoted.Owned, quoted.Cost})
			into := newList(t, h.house, "copy")
			path := "/lists/" + into + "/companies"
			require.Equal(t, len(c.names), get[change](t, h.house, h.writer, 200, "POST", path, M{"set": c.set}).Changed)
			require.Equal(t, c.names, h.names(t, M{"in": []M{{"list_id": into}}}))
			require.Equal(t, len(c.names), get[change](t, h.house, h.writer, 200, "DELETE", path, M{"set": c.set}).Changed)
		})
	}
	require.Equal(t, "ABCDE", h.names(t, M{"in": []M{abc, cde, bcd}}))
	require.Equal(t, "AE", h.names(t, M{"in": []M{abc, cde}, "not_in": []M{owned}}))
}

func TestAnExportOfASetBuysWhatWasQuoted(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	body := M{"name": "x", "source_type": "set", "set": M{"all_of": []M{{"list_id": h.list}, {"not": M{"owned": true}}}}}
	quoted := get[struct {
		QuoteID string `json:"quote_id"`
		exported
	}](t, h.house, h.reader, 200, "POST", "/exports/quote", body)
	require.Equal(t, 1, quoted.Cost)
	get[change](t, h.house, h.writer, 200, "POST", "/lists/"+h.list+"/companies", M{"company_ids": h.of("E", "F")})
	bought := get[exported](t, h.house, h.writer, http.StatusCreated, "POST", "/exports", M{"name": "x", "quote_id": quoted.QuoteID})
	require.Equal(t, []int{1, 1}, []int{bought.Requested, bought.Cost})
	require.Equal(t, "A", h.names(t, M{"in": []M{{"export_id": bought.ExportJob.ID}}}))
	bought = get[exported](t, h.house, h.writer, http.StatusCreated, "POST", "/exports", body)
	require.Equal(t, []int{2, 2}, []int{bought.Requested, bought.Cost}, "without the quote, the list as it is now")
	detail := get[M](t, h.house, h.reader, 200, "GET", "/exports/"+bought.ExportJob.ID, nil)
	require.Equal(t, "set", detail["source_type"])
}

func TestSetsOfAnotherWorkspaceAreNotFound(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	ws := h.workspace(t, 100)
	theirs := h.token(t, ws, auth.ReadWrite)
	theirList, theirExport, theirSearch := h.stored(t, ws, theirs)
	matchOf := func(token string) string {
		return get[struct {
			ID string `json:"match_id"`
		}](t, h.house, token, 200, "POST", "/companies/match", M{"rows": []M{{"name": "A"}}}).ID
	}
	for kind, pair := range map[string][2]string{
		"list_id": {theirList, h.list}, "export_id": {theirExport, h.export}, "saved_search_id": {theirSearch, h.search},
		"match_id": {matchOf(theirs), matchOf(h.writer)},
	} {
		for _, foreign := range []string{pair[0], uuid.NewString()} {
			for _, set := range []M{{kind: foreign}, {"not": M{"any_of": []M{{"owned": true}, {kind: foreign}}}}, {"search": M{"not_in": []M{{kind: foreign}}}}} {
				for path, body := range map[string]M{
					"/companies/search":               {"in": []M{set}},
					"/sets/compare":                   {"sets": []M{set, {"owned": true}}},
					"/exports/quote":                  {"source_type": "set", "set": set},
					"/exports":                        {"name": "x", "source_type": "set", "set": set},
					"/lists/" + h.list + "/companies": {"set": set},
				} {
					a := h.send(t, h.writer, "POST", path, body)
					require.Equal(t, "NOT_FOUND", a.code(t), "%s %v", path, set)
				}
			}
		}
	}
	require.Equal(t, "ABC", h.names(t, M{"in": []M{{"list_id": h.list}}}))
}

func TestASetThatCannotBeReadHasAClearError(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	for name, c := range map[string]struct {
		path  string
		body  M
		field string
	}{
		"no array":       {"/companies/search", M{"in": M{"owned": true}}, "in"},
		"unknown member": {"/companies/search", M{"in": []M{{"list": h.list}}}, "in[0].list"},
		"bad id":         {"/companies/search", M{"not_in": []M{{"list_id": "x"}}}, "not_in[0].list_id"},
		"empty":          {"/companies/search", M{"not_in": []M{{}}}, "not_in[0]"},
		"bad filter":     {"/companies/search", M{"in": []M{{"search": M{"countrys": []string{"DE"}}}}}, "in[0].search.countrys"},
		"empty filters":  {"/companies/search", M{"in": []M{{"search": M{"countries": []string{}}}}}, "in[0].search"},
		"no set":         {"/exports/quote", M{"source_type": "set"}, "set"},
		"set of search":  {"/exports/quote", M{"search_filters": M{}, "set": M{"owned": true}}, "set"},
		"set of list":    {"/exports/quote", M{"source_type": "list", "list_id": h.list, "set": M{"owned": true}}, "set"},
		"set and search": {"/exports/quote", M{"source_type": "set", "search_filters": M{}, "set": M{"owned": true}}, "search_filters"},
		"in filters":     {"/exports/quote", M{"search_filters": M{"in": []M{{}}}}, "search_filters.in[0]"},
		"list change":    {"/lists/" + h.list + "/companies", M{"set": M{"not": M{}}}, "set.not"},
		"with a quote":   {"/exports", M{"name": "x", "quote_id": uuid.NewString(), "set": M{"owned": true}}, "set"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, h.send(t, h.writer, "POST", c.path, c.body).fields(t), c.field)
		})
	}
}

func TestIDsOfNoCompanyAndExportsThatDeliverNothingAreWarnedOf(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	stranger := uuid.NewString()
	warned := func(set M) string {
		found := get[struct {
			Total    int
			Warnings []struct{ Field, Value, Message string }
		}](t, h.house, h.reader, 200, "POST", "/companies/search", M{"in": []M{set}})
		require.Len(t, found.Warnings, 1)
		return fmt.Sprint(found.Total, " ", found.Warnings[0].Field, ": ", found.Warnings[0].Message)
	}
	require.Equal(t, "1 in[0].companies: is the id of no company", warned(M{"companies": []string{h.ids["A"], stranger}}))
	h.send(t, h.writer, "POST", "/exports/"+h.export+"/cancel", nil)
	require.Equal(t, "0 in[0].export_id: is an export that delivers nothing, because it is cancelled", warned(M{"export_id": h.export}))
}

func TestPagesOfASetFollowItsChanges(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	page := func(cursor string, set M) (names string, next string) {
		found := get[struct {
			Items []named
			Next  *string `json:"next_cursor"`
		}](t, h.house, h.reader, 200, "POST", "/companies/search", M{"in": []M{set}, "sort_by": "name", "limit": 1, "cursor": cursor})
		for _, c := range found.Items { // one at most
			names = c.Name
		}
		if found.Next != nil {
			next = *found.Next
		}
		return names, next
	}
	first, next := page("", M{"list_id": h.list})
	all := []string{first}
	get[change](t, h.house, h.writer, 200, "POST", "/lists/"+h.list+"/companies", M{"company_ids": h.of("D")})
	get[change](t, h.house, h.writer, 200, "DELETE", "/lists/"+h.list+"/companies", M{"company_ids": h.of("B")})
	for next != "" {
		var names string
		names, next = page(next, M{"list_id": h.list})
		all = append(all, names)
	}
	require.Equal(t, []string{"A", "C", "D"}, all)
	_, next = page("", M{"list_id": h.list})
	other := h.send(t, h.reader, "POST", "/companies/search", M{"in": []M{{"export_id": h.export}}, "sort_by": "name", "limit": 1, "cursor": next})
	require.Equal(t, "INVALID_CURSOR", other.code(t))
}

// A set is no way around the wall: filters within it are bounded like the filters of a search, also those of a saved search.
func TestSetsAskForNoLockedField(t *testing.T) {
	t.Parallel()
	h, _ := guarded(t, 3)
	saved, err := h.Lists.SaveSearch(t.Context(), h.ws, list.Search{Name: "x", Filters: query.Filters{Cities: []string{secretOf("city", 1)}}})
	require.NoError(t, err)
	numbers, err := h.Lists.SaveSearch(t.Context(), h.ws, list.Search{Name: "x", Filters: query.Filters{EmployeeCountMin: new(int64(1734))}})
	require.NoError(t, err)
	h.shows(t, "id")
	for field, set := range map[string]M{
		"in[0].search.cities":                    {"search": M{"cities": []string{secretOf("city", 1)}}},
		"in[0].not.search.cities":                {"not": M{"search": M{"cities": []string{secretOf("city", 1)}}}},
		"in[0].search.in[0].search.cities":       {"search": M{"in": []M{{"search": M{"cities": []string{secretOf("city", 1)}}}}}},
		"in[0].saved_search_id":                  {"saved_search_id": saved.ID},
		"in[0].any_of[1].saved_search_id":        {"any_of": []M{{"owned": true}, {"saved_search_id": saved.ID}}},
		"in[0].search.not_in[0].saved_search_id": {"search": M{"not_in": []M{{"saved_search_id": saved.ID}}}},
	} {
		errs := h.send(t, h.reader, "POST", "/companies/search", M{"in": []M{set}}).fields(t)
		require.Contains(t, errs[field], "is locked", "%v", errs)
	}
	const band = "1734 is read as 1001, because the number is locked and counts by bands; use 1001 to accept that"
	for _, c := range []struct {
		set            M
		field, message string
	}{
		{M{"saved_search_id": numbers.ID}, "set.saved_search_id", "is a saved search whose filter employee_count_min " + band},
		{M{"search": M{"employee_count_min": 1734}}, "set.search.employee_count_min", band},
	} {
		set := c.set
		found := get[struct{ Total int }](t, h, h.reader, 200, "POST", "/companies/search", M{"in": []M{set}})
		require.Equal(t, 3, found.Total, "a range of a locked number covers its band")
		refused := h.send(t, h.writer, "POST", "/exports", M{"name": "x", "source_type": "set", "set": set}).fields(t)
		require.Equal(t, map[string]string{c.field: c.message}, refused, "a widened range would buy more than was asked for")
	}
}

func TestASavedSearchCannotContainItself(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	saved, err := h.Lists.GetSearch(t.Context(), h.ws, must(id.Parse[id.Search](h.search)))
	require.NoError(t, err)
	saved.Filters = query.Filters{NotIn: []query.SetRef{{SavedSearchID: h.search}}}
	_, err = h.Lists.UpdateSearch(t.Context(), h.ws, saved)
	require.NoError(t, err)
	errs := h.send(t, h.reader, "POST", "/companies/search", M{"in": []M{{"saved_search_id": h.search}}}).fields(t)
	require.Contains(t, errs["in[0].saved_search_id"], "contains itself")
}

func TestASavedSearchThatNamesSomethingGoneSaysSo(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	match := get[struct {
		ID string `json:"match_id"`
	}](t, h.house, h.reader, 200, "POST", "/companies/match", M{"rows": []M{{"name": "A"}}}).ID
	saved, err := h.Lists.SaveSearch(t.Context(), h.ws, list.Search{Name: "x", Filters: query.Filters{NotIn: []query.SetRef{{MatchID: match}}}})
	require.NoError(t, err)
	require.Equal(t, "BCDEFGHI", h.names(t, M{"in": []M{{"saved_search_id": saved.ID}}}))
	require.NoError(t, h.db.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE match_result SET expires_at = 0`)
		return err
	}))
	set := M{"saved_search_id": saved.ID}
	for path, body := range map[string]M{
		"/companies/search":               {"in": []M{set}},
		"/sets/compare":                   {"sets": []M{set}},
		"/exports/quote":                  {"source_type": "set", "set": set},
		"/lists/" + h.list + "/companies": {"set": set},
	} {
		refused := h.send(t, h.writer, "POST", path, body)
		require.Equal(t, http.StatusNotFound, refused.status)
		require.Equal(t, "NOT_FOUND", refused.code(t))
		message := refused.failure(t).Message
		for _, part := range []string{saved.ID.String(), match, "kept for 15 minutes", "Change or delete the saved search"} {
			require.Contains(t, message, part, path)
		}
	}
}

func TestASavedSearchAsASetShowsWhatItShows(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	saved, err := h.Lists.GetSearch(t.Context(), h.ws, must(id.Parse[id.Search](h.search)))
	require.NoError(t, err)
	for show, names := range map[string]string{"": "CDE", "new": "E", "owned": "CD"} {
		saved.Show, saved.NotOn = show, id.List{}
		_, err = h.Lists.UpdateSearch(t.Context(), h.ws, saved)
		require.NoError(t, err)
		require.Equal(t, names, h.names(t, M{"in": []M{{"saved_search_id": h.search}}}))
	}
	saved.Show, saved.NotOn = "", must(id.Parse[id.List](h.list))
	_, err = h.Lists.UpdateSearch(t.Context(), h.ws, saved)
	require.NoError(t, err)
	require.Equal(t, "DE", h.names(t, M{"in": []M{{"saved_search_id": h.search}}}))
}

func TestExcludedListsAreLeftOutAndCounted(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	exclude := func(excluded bool) M {
		return get[M](t, h.house, h.writer, 200, "PATCH", "/lists/"+h.list, M{"excluded": excluded})
	}
	count := func(method, path string, body M) int {
		status := 200
		if path == "/exports" {
			status = http.StatusCreated
		}
		return int(get[M](t, h.house, h.writer, status, method, path, body)["excluded_count"].(float64))
	}
	require.Equal(t, true, exclude(true)["excluded"])
	require.Equal(t, "DEFGHI", h.names(t, nil))
	require.Equal(t, "DE", h.names(t, M{"in": []M{{"saved_search_id": h.search}}}))
	require.Equal(t, 3, count("POST", "/companies/search", M{}))
	require.Equal(t, 1, count("POST", "/companies/search", M{"in": []M{{"saved_search_id": h.search}}}))
	set := M{"name": "x", "source_type": "set", "set": M{"saved_search_id": h.search}}
	require.Equal(t, 1, count("POST", "/exports/quote", set))
	quoted := get[M](t, h.house, h.reader, 200, "POST", "/exports/quote", set)
	bought := get[exported](t, h.house, h.writer, http.StatusCreated, "POST", "/exports", set)
	require.Equal(t, 1, count("POST", "/exports", M{"name": "x", "quote_id": quoted["quote_id"]}), "as the quote counted")
	require.Equal(t, []int{2, 1, 1}, []int{bought.Requested, bought.Owned, bought.Cost}, "D is owned, C is excluded")
	require.Equal(t, 1, count("POST", "/exports", set))

	refused := h.send(t, h.writer, "POST", "/exports", M{"name": "x", "source_type": "list", "list_id": h.list})
	require.Equal(t, "no_candidates", refused.code(t))
	require.Contains(t, refused.failure(t).Message, "3 companies that match are on excluded lists")
	other := newList(t, h.house, "other")
	require.Equal(t, 6, get[change](t, h.house, h.writer, 200, "POST", "/lists/"+other+"/companies", M{"search_filters": M{}}).Changed)
	require.Equal(t, 0, count("POST", "/exports/quote", M{"source_type": "list", "list_id": other}))
	get[change](t, h.house, h.writer, 200, "POST", "/lists/"+other+"/companies", M{"company_ids": h.of("A")})
	require.Equal(t, 1, count("POST", "/exports/quote", M{"source_type": "list", "list_id": other}))
	require.Equal(t, 3, get[change](t, h.house, h.writer, 200, "DELETE", "/lists/"+h.list+"/companies", M{"set": M{"list_id": h.list}}).Changed,
		"an excluded list can be emptied")
	require.Equal(t, "ABCDEFGHI", h.names(t, nil))
	require.Equal(t, false, exclude(false)["excluded"])
	require.Contains(t, h.send(t, h.writer, "PATCH", "/lists/"+h.list, M{}).fields(t), "name")
}

func TestAQuoteIsSoldAsItIsWhateverIsExcludedSince(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	quoted := get[struct {
		QuoteID string `json:"quote_id"`
		exported
	}](t, h.house, h.reader, 200, "POST", "/exports/quote", M{"source_type": "list", "list_id": h.list})
	get[M](t, h.house, h.writer, 200, "PATCH", "/lists/"+h.list, M{"excluded": true})
	bought := get[exported](t, h.house, h.writer, http.StatusCreated, "POST", "/exports", M{"name": "x", "quote_id": quoted.QuoteID})
	require.Equal(t, []int{3, 1}, []int{bought.Requested, bought.Cost})
}

func TestWhatIsNewSinceATimeOrAnExportIsASet(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	before := time.Now().UTC().Format(time.RFC3339Nano)
	require.Empty(t, h.names(t, M{"added_since": before}))
	require.Empty(t, h.names(t, M{"changed_since": h.export}))
	changed := madeUp("B", "Peru", 7)
	changed.ID = must(id.Parse[id.Company](h.ids["B"]))
	h.put(t, madeUp("J", "Peru", 10), changed)
	for _, since := range []string{before, h.export} {
		require.Equal(t, "J", h.names(t, M{"added_since": since}))
		require.Equal(t, "BJ", h.names(t, M{"changed_since": since}))
		require.Equal(t, "J", h.names(t, M{"in": []M{{"search": M{"changed_since": since, "not_in": []M{{"owned": true}}}}}}))
	}
	require.Len(t, h.names(t, M{"added_since": "2001-01-01T00:00:00+02:00"}), 10)
	require.Len(t, h.names(t, M{"changed_since": "2001-01-01T00:00:00+02:00"}), 10)
	require.Empty(t, h.names(t, M{"added_since": "2999-01-01T00:00:00Z"}))
	quoted := get[exported](t, h.house, h.reader, 200, "POST", "/exports/quote", M{"search_filters": M{"added_since": h.export}})
	require.Equal(t, []int{1, 1}, []int{quoted.Requested, quoted.Cost})
	for _, wrong := range []string{"yesterday", "2026-11-30", "00000000-0000-0000-0000-000000000000"} {
		require.Contains(t, h.send(t, h.reader, "POST", "/companies/search", M{"added_since": wrong}).fields(t)["added_since"], "must be a time")
	}
	require.Equal(t, "NOT_FOUND", h.send(t, h.reader, "POST", "/companies/search", M{"changed_since": uuid.NewString()}).code(t))
}

type region struct {
	In    []int
	Count int
	Owned int `json:"already_unlocked"`
	New   int `json:"new_count"`
	Set   M
}

type comparison struct {
	Regions  []region
	Excluded int `json:"excluded_count"`
}

func TestEveryRegionOfComparedSetsIsASetWithItsPrice(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	sets := []M{{"list_id": h.list}, {"export_id": h.export}, {"saved_search_id": h.search}}
	want := map[string]string{"[0]": "A", "[1]": "", "[0 1]": "B", "[2]": "E", "[0 2]": "", "[1 2]": "D", "[0 1 2]": "C"}
	found := get[comparison](t, h.house, h.reader, 200, "POST", "/sets/compare", M{"sets": sets})
	require.Len(t, found.Regions, len(want))
	for _, r := range found.Regions {
		names := h.names(t, M{"in": []M{r.Set}})
		require.Equal(t, want[fmt.Sprint(r.In)], names, r.In)
		require.Equal(t, []int{len(names), len(names)}, []int{r.Count, r.Owned + r.New})
		if r.Count == 0 {
			continue
		}
		quoted := get[exported](t, h.house, h.reader, 200, "POST", "/exports/quote", M{"source_type": "set", "set": r.Set})
		require.Equal(t, []int{r.Count, r.Owned, r.New}, []int{quoted.Requested, quoted.Owned, quoted.Cost})
	}
	get[M](t, h.house, h.writer, 200, "PATCH", "/lists/"+h.list, M{"excluded": true})
	found = get[comparison](t, h.house, h.reader, 200, "POST", "/sets/compare", M{"sets": sets})
	total := 0
	for _, r := range found.Regions {
		require.Len(t, h.names(t, M{"in": []M{r.Set}}), r.Count)
		total += r.Count
	}
	require.Equal(t, []int{2, 3}, []int{total, found.Excluded})
}

// The sets of regions have more levels than the sets that are compared, and can be used all the same.
func TestRegionsOfTheDeepestSetsCanBeSearched(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	deep := M{"list_id": h.list}
	for range 4 {
		deep = M{"not": deep}
	}
	eight := []M{deep, deep, deep, deep, {"owned": true}, {"owned": true}, {"owned": true}, {"owned": true}}
	found := get[comparison](t, h.house, h.reader, 200, "POST", "/sets/compare", M{"sets": eight})
	require.Len(t, found.Regions, 255)
	searched := 0
	for _, r := range found.Regions {
		if r.Count > 0 || r.In[0] == 7 {
			require.Len(t, h.names(t, M{"in": []M{r.Set}}), r.Count)
			searched++
		}
	}
	require.Equal(t, 4, searched)
	errs := h.send(t, h.reader, "POST", "/sets/compare", M{"sets": []M{{"not": deep}}}).fields(t)
	require.Contains(t, errs["sets[0].not.not.not.not.not"], "nested too deeply: sets may have 5 levels here")
}

func TestAComparisonThatCannotBeReadHasAClearError(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	many := make([]string, 1001)
	for i := range many {
		many[i] = h.ids["A"]
	}
	nine := make([]M, 9)
	for i := range nine {
		nine[i] = M{"owned": true}
	}
	for field, body := range map[string]M{
		"sets":            {"sets": []M{}},
		"sets[1]":         {"sets": []M{{"companies": many[:600]}, {"not": M{"companies": many[:600]}}}},
		"sets[0]":         {"sets": []M{{}}},
		"sets[0].list_id": {"sets": []M{{"list_id": "x"}}},
	} {
		require.Contains(t, h.send(t, h.reader, "POST", "/sets/compare", body).fields(t), field)
	}
	require.Contains(t, h.send(t, h.reader, "POST", "/sets/compare", M{"sets": nine}).fields(t), "sets")
	require.Equal(t, "NOT_FOUND", h.send(t, h.reader, "POST", "/sets/compare", M{"sets": []M{{"export_id": uuid.NewString()}}}).code(t))

	guard, _ := guarded(t, 2)
	guard.shows(t, "id")
	locked := guard.send(t, guard.reader, "POST", "/sets/compare", M{"sets": []M{{"search": M{"cities": []string{secretOf("city", 1)}}}}}).fields(t)
	require.Contains(t, locked["sets[0].search.cities"], "is locked")
}

func TestFacetsArePricedOnRequest(t *testing.T) {
	t.Parallel()
	h := openSets(t)
	type counted struct {
		Value string
		Count int
		New   *int `json:"new_count"`
	}
	countries := func(priced bool) counted {
		found := get[struct{ Aggregations map[string][]counted }](t, h.house, h.reader, 200, "POST", "/companies/search", M{"facet_prices": priced})
		require.Len(t, found.Aggregations["countries"], 1)
		return found.Aggregations["countries"][0]
	}
	require.Equal(t, counted{"Peru", 9, nil}, countries(false))
	require.Equal(t, counted{"Peru", 9, new(6)}, countries(true))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

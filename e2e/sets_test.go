package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

type object = map[string]any

// setsFixture is a server with the companies Company 1 to Company 9, of as many employees, and the list of 1 to 3.
func setsFixture(t *testing.T) (s *fixture, v *server, c *client, list string, ids []string) {
	t.Helper()
	s = newFixture(t, 100, "CAPI_RATE_LIMITS=off")
	var companies strings.Builder
	for n := 1; n <= 9; n++ {
		fmt.Fprintf(&companies, `{"name":"Company %d","domain":"c%d.example","employee_count":%d}`+"\n", n, n, n)
	}
	s.load(t, companies.String())
	v = s.serve(t)
	c = s.client(v)
	var found struct{ Items []struct{ ID string } }
	c.must(t, 200, "POST", "/companies/search", object{"sort_by": "name"}, &found)
	for _, item := range found.Items {
		ids = append(ids, item.ID)
	}
	require.Len(t, ids, 9)
	return s, v, c, c.newList(t, object{"company_ids": ids[:3]}), ids
}

func (c *client) newList(t *testing.T, members object) string {
	t.Helper()
	var made struct{ ID string }
	c.must(t, http.StatusCreated, "POST", "/lists", object{"name": "A list"}, &made)
	c.must(t, 200, "POST", "/lists/"+made.ID+"/companies", members, nil)
	return made.ID
}

func (c *client) newMatch(t *testing.T, domain string) string {
	t.Helper()
	var made struct {
		ID string `json:"match_id"`
	}
	c.must(t, 200, "POST", "/companies/match", object{"rows": []object{{"domain": domain}}}, &made)
	return made.ID
}

// names returns the numbers in the names of the companies in a set.
func (c *client) names(t *testing.T, filters object) string {
	t.Helper()
	filters["sort_by"], filters["limit"] = "name", 100
	var found struct{ Items []struct{ Name string } }
	c.must(t, 200, "POST", "/companies/search", filters, &found)
	var all strings.Builder
	for _, item := range found.Items {
		all.WriteString(strings.TrimPrefix(item.Name, "Company "))
	}
	return all.String()
}

func TestASetIsSearchedListedQuotedAndDelivered(t *testing.T) {
	s, v, c, list, ids := setsFixture(t)
	match := c.newMatch(t, "c5.example")
	set := object{"all_of": []object{
		{"any_of": []object{{"list_id": list}, {"match_id": match}, {"companies": ids[6:8]}, {"search": object{"employee_count_min": 9}}}},
		{"not": object{"companies": ids[1:2]}},
	}}
	const inSet = "135789"
	require.Equal(t, inSet, c.names(t, object{"in": []object{set}}))
	require.Equal(t, "246", c.names(t, object{"not_in": []object{set}}))
	require.Equal(t, "789", c.names(t, object{"in": []object{set}, "not_in": []object{{"list_id": list}, {"match_id": match}}}))

	copied := c.newList(t, object{"set": set})
	require.Equal(t, inSet, c.names(t, object{"in": []object{{"list_id": copied}}}))
	c.must(t, 200, "DELETE", "/lists/"+copied+"/companies", object{"set": object{"list_id": list}}, nil)
	require.Equal(t, "5789", c.names(t, object{"in": []object{{"list_id": copied}}}))

	var quote struct {
		ID        string `json:"quote_id"`
		Requested int    `json:"requested_count"`
		Cost      int
	}
	c.must(t, 200, "POST", "/exports/quote", object{"source_type": "set", "set": set, "sort_by": "name"}, &quote)
	require.Equal(t, []int{6, 6}, []int{quote.Requested, quote.Cost})
	c.must(t, 200, "POST", "/lists/"+list+"/companies", object{"company_ids": ids[3:4]}, nil)
	var made created
	c.must(t, http.StatusCreated, "POST", "/exports", object{"name": "x", "quote_id": quote.ID}, &made)
	require.Equal(t, []int{6, 6}, []int{made.Requested, made.Charged}, "the quote fixed the companies")
	c.wait(t, made.Job.ID)
	var delivered strings.Builder
	for _, row := range rows(t, c.file(t, made.Job.ID)) {
		delivered.WriteString(strings.TrimPrefix(row["name"], "Company "))
	}
	require.Equal(t, inSet, delivered.String(), "the file has the set, in the order that was asked for")
	require.Equal(t, inSet, c.names(t, object{"in": []object{{"export_id": made.Job.ID}}}))
	require.Equal(t, inSet, c.names(t, object{"in": []object{{"owned": true}}}))
	c.must(t, http.StatusCreated, "POST", "/exports", object{"name": "x", "source_type": "set", "set": set}, &made)
	require.Equal(t, []int{7, 1}, []int{made.Requested, made.Charged}, "without it, the list as it is now")
	require.Empty(t, c.names(t, object{"added_since": made.Job.ID}))

	var compared struct {
		Regions []struct {
			In    []int
			Count int
			New   int `json:"new_count"`
			Set   object
		}
	}
	c.must(t, 200, "POST", "/sets/compare", object{"sets": []object{{"list_id": list}, {"owned": true}}}, &compared)
	require.Len(t, compared.Regions, 3)
	for _, region := range compared.Regions {
		require.Len(t, c.names(t, object{"in": []object{region.Set}}), region.Count)
	}
	v.stop(t)
	s.requireHealthy(t)
}

// nested returns a set of that many levels.
func nested(levels int) object {
	set := object{"owned": true}
	for range levels - 1 {
		set = object{"not": set}
	}
	return set
}

func TestEveryWrongSetHasAClearErrorAndChangesNothing(t *testing.T) {
	s, v, c, list, ids := setsFixture(t)
	var other struct{ ID string }
	s.json(t, &other, "workspace", "create", "Other", "--credits", "10", "--json")
	strangers := *s
	strangers.workspace = other.ID
	strangers.token = strangers.newToken(t, "read_write")
	them := strangers.client(v)
	theirList, theirMatch := them.newList(t, object{"company_ids": ids[:1]}), them.newMatch(t, "c1.example")
	var theirExport created
	them.must(t, http.StatusCreated, "POST", "/exports", object{"name": "x", "source_type": "list", "list_id": theirList}, &theirExport)

	many := func(n int) (sets []object) {
		for range n {
			sets = append(sets, object{"owned": true})
		}
		return sets
	}
	tooMany := make([]string, 10_001)
	for i := range tooMany {
		tooMany[i] = ids[0]
	}
	doors := map[string]struct {
		method, path, at string // at is the set's place in errors
		body             func(set any) object
	}{
		"search":      {"POST", "/companies/search", "in[0]", func(set any) object { return object{"in": []any{set}} }},
		"search not":  {"POST", "/companies/search", "not_in[0]", func(set any) object { return object{"not_in": []any{set}} }},
		"compare":     {"POST", "/sets/compare", "sets[0]", func(set any) object { return object{"sets": []any{set}} }},
		"quote":       {"POST", "/exports/quote", "set", func(set any) object { return object{"source_type": "set", "set": set} }},
		"export":      {"POST", "/exports", "set", func(set any) object { return object{"name": "x", "source_type": "set", "set": set} }},
		"list change": {"POST", "/lists/" + list + "/companies", "set", func(set any) object { return object{"set": set} }},
		"list remove": {"DELETE", "/lists/" + list + "/companies", "set", func(set any) object { return object{"set": set} }},
	}
	for name, wrong := range map[string]struct {
		set      any
		at, says string
	}{
		"a text":            {"owned", "", "object"},
		"an array":          {[]any{}, "", "object"},
		"nothing in it":     {object{}, "", "must have one of search, list_id"},
		"an unknown member": {object{"list": list}, ".list", "did you mean list_id"},
		"two members":       {object{"list_id": list, "owned": true}, "", "must have one member, not list_id and owned"},
		"owned by nobody":   {object{"owned": false}, "", "must be true"},
		"no id":             {object{"list_id": "mine"}, ".list_id", ""},
		"an empty id":       {object{"export_id": uuid.Nil.String()}, ".export_id", "must not be the nil UUID"},
		"no companies":      {object{"companies": []string{}}, ".companies", "must have at least one id"},
		"too many ids":      {object{"companies": tooMany}, ".companies", "10,000|10000|1,000"},
		"no sets":           {object{"any_of": []any{}}, ".any_of", "must have at least one set"},
		"an empty set":      {object{"all_of": []any{object{}}}, ".all_of[0]", "must have one of"},
		"not of an array":   {object{"not": []any{}}, ".not", "object"},
		"a wrong filter":    {object{"search": object{"contries": []string{"DE"}}}, ".search.contries", "did you mean countries"},
		"a wrong value":     {object{"search": object{"employee_count_min": -1}}, ".search.employee_count_min", ""},
		"too deep":          {nested(9), strings.Repeat(".not", 8), "too deep"},
		"too many sets":     {object{"any_of": many(101)}, ".any_of[99]", "100 sets"},
	} {
		for door, d := range doors {
			t.Run(name+", "+door, func(t *testing.T) {
				var refused refusal
				c.must(t, http.StatusUnprocessableEntity, d.method, d.path, d.body(wrong.set), &refused)
				require.Equal(t, "VALIDATION_ERROR", refused.Detail.Code)
				if door == "compare" && (name == "too deep" || name == "too many sets") {
					require.Contains(t, fmt.Sprint(refused.Detail.Details.Errors), "sets[0]", "its bounds are lower")
					return
				}
				var messages []string
				for _, e := range refused.Detail.Details.Errors {
					if e.Field == d.at+wrong.at {
						messages = append(messages, e.Message)
					}
				}
				require.NotEmpty(t, messages, "%s: %+v", d.at+wrong.at, refused.Detail.Details.Errors)
				require.Regexp(t, wrong.says, strings.Join(messages, " "))
			})
		}
	}
	for name, set := range map[string]object{
		"their list": {"list_id": theirList}, "their export": {"export_id": theirExport.Job.ID}, "their match": {"match_id": theirMatch},
		"no list": {"list_id": uuid.NewString()}, "no export": {"export_id": uuid.NewString()}, "no match": {"match_id": uuid.NewString()},
		"no saved search": {"saved_search_id": uuid.NewString()},
		"within a set":    {"not": object{"search": object{"in": []object{{"list_id": theirList}}}}},
		"since theirs":    {"search": object{"added_since": theirExport.Job.ID}},
	} {
		for door, d := range doors {
			t.Run(name+", "+door, func(t *testing.T) {
				var refused refusal
				c.must(t, http.StatusNotFound, d.method, d.path, d.body(set), &refused)
				require.Equal(t, "NOT_FOUND", refused.Detail.Code)
			})
		}
	}
	for door, d := range doors {
		if door != "compare" && door != "export" && !strings.HasPrefix(door, "list") {
			c.must(t, 200, d.method, d.path, d.body(nested(8-strings.Count(d.at, "search"))), nil)
		}
	}
	require.Equal(t, "123", c.names(t, object{"in": []object{{"list_id": list}}}), "nothing was listed or removed")
	var credits struct{ Balance int }
	c.must(t, 200, "GET", "/credits", nil, &credits)
	require.Equal(t, 100, credits.Balance, "nothing was charged")
}

// refusal is the body of an error.
type refusal struct {
	Detail struct {
		Code    string
		Details struct {
			Errors []struct{ Field, Message string }
		}
	}
}

package reconcile_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/text"
)

func TestQueriesMatchAsListsDo(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	acme := made("Acme Payments", "acme.example", "Germany", "Berlin", 120)
	acme.LinkedInURL = "https://www.linkedin.com/company/acme"
	berlin, paris := made("Twin", "twin-de.example", "Germany", "Berlin", 5), made("Twin", "twin-fr.example", "France", "Paris", 9)
	dotted, holder := made("Node.example", "node-software.example", "Spain", "", 1), made("Somebody Else", "node.example", "Spain", "", 1)
	h.Put(t, acme, berlin, paris, dotted, holder)
	for name, x := range map[string]struct {
		query M
		best  string
		score float64
	}{
		"name alone":          {M{"query": "ACME payments"}, acme.ID.String(), 60},
		"name and country":    {M{"query": "Acme Payments", "properties": []M{{"pid": "country", "v": "DE"}}}, acme.ID.String(), 80},
		"name and place":      {M{"query": "Twin", "properties": []M{{"pid": "country", "v": "France"}, {"pid": "city", "v": "Paris"}}}, paris.ID.String(), 90},
		"domain":              {M{"query": "whatever", "properties": []M{{"pid": "domain", "v": "www.acme.example"}}}, acme.ID.String(), 95},
		"website":             {M{"properties": []M{{"pid": "website", "v": "https://acme.example/x"}}}, acme.ID.String(), 95},
		"page":                {M{"properties": []M{{"pid": "linkedin_url", "v": acme.LinkedInURL}}}, acme.ID.String(), 90},
		"id":                  {M{"properties": []M{{"pid": "id", "v": acme.ID.String()}}}, acme.ID.String(), 100},
		"id of an entity":     {M{"query": "x", "properties": []M{{"pid": "id", "v": M{"id": acme.ID.String(), "name": "Acme"}}}}, acme.ID.String(), 100},
		"id as the query":     {M{"query": acme.ID.String()}, acme.ID.String(), 100},
		"domain as the query": {M{"query": "acme.example"}, acme.ID.String(), 95},
		"page as the query":   {M{"query": acme.LinkedInURL}, acme.ID.String(), 90},
		"a name with a dot":   {M{"query": "Node.example"}, dotted.ID.String(), 60},
	} {
		t.Run(name, func(t *testing.T) {
			all := h.reconcile(t, M{"q": x.query})["q"]
			require.Len(t, all, 1)
			require.Equal(t, x.best, all[0].ID)
			require.True(t, all[0].Match)
			require.InDelta(t, x.score, all[0].Score, 0.01)
			require.Equal(t, "company", all[0].Type[0].ID)
			require.NotEmpty(t, all[0].Features)
		})
	}
}

func TestWhatIsNotCertainIsNoMatch(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	berlin, paris := made("Twin", "twin-de.example", "Germany", "Berlin", 5), made("Twin", "twin-fr.example", "France", "Paris", 9)
	payments, described := made("Acme Corporation", "acme.example", "Germany", "Berlin", 120), made("Zeta", "zeta.example", "Spain", "", 4)
	described.Description = "Acme Corp is its customer."
	h.Put(t, berlin, paris, payments, described)
	found := h.reconcile(t, M{
		"two": M{"query": "twin"}, "one": M{"query": "twin", "limit": 1}, "similar": M{"query": "Acme Corp"}, "typo": M{"query": "Amce Corporation"},
		"elsewhere": M{"query": "Twin", "properties": []M{{"pid": "country", "v": "Spain"}}},
		"other":     M{"query": "Acme Corporation", "properties": []M{{"pid": "domain", "v": "acme.test"}}},
		"none":      M{"query": "Quite Unlike"}, "sign": M{"query": "&&&"},
		"conflict": M{"query": "acme.example", "properties": []M{{"pid": "domain", "v": "zeta.example"}}},
	})
	require.Len(t, found["conflict"], 2, "the name is the domain of another company")
	require.Len(t, found["two"], 2)
	require.Equal(t, paris.ID.String(), found["two"][0].ID, "the larger one comes first")
	require.Equal(t, map[string]any{"name_similarity": 100.0}, found["two"][0].features())
	require.Len(t, found["one"], 1)
	require.Len(t, found["elsewhere"], 2)
	require.Equal(t, false, found["elsewhere"][0].features()["country"])
	require.Equal(t, false, found["other"][0].features()["domain"])
	require.Equal(t, payments.ID.String(), found["similar"][0].ID)
	require.Len(t, found["similar"], 1, "descriptions decide nothing")
	require.Equal(t, payments.ID.String(), found["typo"][0].ID)
	require.Equal(t, "Berlin, Germany · acme.example", found["similar"][0].Description)
	require.Empty(t, found["none"])
	require.Empty(t, found["sign"])
	for key, candidates := range found {
		for i, c := range candidates {
			require.False(t, c.Match, key)
			require.Less(t, c.Score, 60.0, key)
			require.Positive(t, c.Score, key)
			require.True(t, i == 0 || candidates[i-1].Score >= c.Score, "the best first")
		}
	}
}

func TestOneFaultyQueryOfABatchIsNamedAndTheOthersAreAnswered(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	h.Put(t, made("Acme", "acme.example", "Germany", "Berlin", 1))
	type outcome struct {
		Result []found
		Error  *struct {
			Code, Message string
			Errors        []struct{ Field, Message string }
		}
	}
	good := M{"query": "Acme"}
	for name, x := range map[string]struct {
		query          any
		field, message string
	}{
		"no object":          {"Acme", "", "must be an object"},
		"nothing":            {M{"type": "company"}, "", "has nothing to match by"},
		"blank":              {M{"query": "  "}, "", "has nothing to match by"},
		"country alone":      {M{"properties": []M{{"pid": "country", "v": "DE"}}}, "", "has nothing to match by"},
		"number as query":    {M{"query": 3}, "query", "must be a string"},
		"unknown type":       {M{"query": "x", "type": "person"}, "type", "the only type is company"},
		"type of no text":    {M{"query": "x", "type": []any{3}}, "type", "must be the id of a type"},
		"no limit":           {M{"query": "x", "limit": 0}, "limit", "of at least 1"},
		"half a limit":       {M{"query": "x", "limit": 1.5}, "limit", "of at least 1"},
		"unknown part":       {M{"query": "x", "quest": 1}, "quest", "is not part of a query"},
		"strange strictness": {M{"query": "x", "type_strict": "very"}, "type_strict", "any, should or all"},
		"no list":            {M{"query": "x", "properties": M{}}, "properties", "must be a list"},
		"no property":        {M{"query": "x", "properties": []any{3}}, "properties[0]", "must be an object"},
		"no pid":             {M{"query": "x", "properties": []M{{"v": 3}}}, "properties[0].pid", "is missing"},
		"not compared":       {M{"query": "x", "properties": []M{{"pid": "industries", "v": "y"}}}, "properties[0].pid", "use id, domain"},
		"two countries":      {M{"query": "x", "properties": []M{{"pid": "country", "v": []any{"a", "b"}}}}, "properties[0].v", "has 2 values"},
		"country twice":      {M{"query": "x", "properties": []M{{"pid": "country", "v": "a"}, {"pid": "country", "v": "b"}}}, "properties[1].v", "second value"},
		"nested list":        {M{"query": "x", "properties": []M{{"pid": "city", "v": []any{[]any{"a"}}}}}, "properties[0].v", "a list of values"},
		"empty entity":       {M{"query": "x", "properties": []M{{"pid": "city", "v": M{}}}}, "properties[0].v", "must have an id"},
		"long query":         {M{"query": strings.Repeat("x", 1001)}, "query", "longer than 1,000"},
		"long city":          {M{"query": "x", "properties": []M{{"pid": "city", "v": strings.Repeat("x", 1001)}}}, "city", "longer than 1,000"},
	} {
		t.Run(name, func(t *testing.T) {
			answers := into[map[string]outcome](t, h.ask(t, "queries", M{"good": good, "bad": x.query}))
			require.Nil(t, answers["good"].Error)
			require.Len(t, answers["good"].Result, 1)
			bad := answers["bad"]
			require.NotNil(t, bad.Error)
			require.Empty(t, bad.Result)
			require.Equal(t, "VALIDATION_ERROR", bad.Error.Code)
			require.Equal(t, x.field, bad.Error.Errors[0].Field)
			require.Contains(t, bad.Error.Errors[0].Message, x.message)
			require.Contains(t, bad.Error.Message, x.message)

			alone := h.ask(t, "queries", M{"bad": x.query})
			require.Equal(t, http.StatusUnprocessableEntity, alone.status, "a batch of faults alone is refused")
			require.Contains(t, alone.failure(t).Message, "queries.bad")
		})
	}
}

func TestRequestsOfTheWrongShapeSayWhatToSend(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	many := M{}
	for i := range 51 {
		many[strconv.Itoa(i)] = M{"query": "x"}
	}
	ids := make([]string, 101)
	get := func(path string) answer { return h.get(t, h.url+path) }
	form := func(values url.Values) answer { return h.post(t, h.url, values) }
	send := func(method, path, media, body string) answer {
		r := httptest.NewRequestWithContext(t.Context(), method, h.url+path, strings.NewReader(body))
		r.Header.Set("Content-Type", media)
		return h.raw(t, r)
	}
	for name, x := range map[string]struct {
		answer  answer
		status  int
		message string
	}{
		"no JSON":           {form(url.Values{"queries": {"{"}}), 422, "queries: is not valid JSON"},
		"list":              {form(url.Values{"queries": {"[]"}}), 422, "queries: must be a JSON object"},
		"a key twice":       {form(url.Values{"queries": {`{"q0": {"query": "a"}, "q0": {"query": "b"}}`}}), 422, "queries.q0: is given more than once"},
		"a part twice":      {form(url.Values{"queries": {`{"q0": {"query": "a"}, "q1": {"query": "b", "query": "c"}}`}}), 422, "queries.q1.query: is given"},
		"ids twice":         {form(url.Values{"extend": {`{"ids": [], "ids": [], "properties": []}`}}), 422, "extend.ids: is given more than once"},
		"two objects":       {form(url.Values{"queries": {"{} {}"}}), 422, "something after its JSON object"},
		"old protocol":      {get("?query=Acme"), 422, "version 0.1"},
		"both":              {get("?queries={}&extend={}"), 422, "two requests"},
		"empty form":        {form(url.Values{}), 422, "queries: is missing"},
		"JSON body":         {send("POST", "", "application/json", "{}"), 415, "application/x-www-form-urlencoded"},
		"large form":        {send("POST", "", "application/x-www-form-urlencoded", "queries="+strings.Repeat("x", 3<<20)), 413, "over 2 MiB"},
		"not a form":        {send("POST", "", "application/x-www-form-urlencoded", "queries=%zz"), 422, "cannot be read"},
		"large batch":       {h.ask(t, "queries", many), 413, "at most 50"},
		"method":            {send("PUT", "", "text/plain", ""), 405, "use GET, HEAD, POST"},
		"method of preview": {send("POST", "/preview?id=x", "text/plain", ""), 405, "use GET, HEAD"},
		"no path":           {get("/suggest/people"), 404, "/reconcile/TOKEN"},
		"no prefix":         {get("/suggest/entity"), 422, "prefix: is missing"},
		"long prefix":       {get("/suggest/entity?prefix=" + strings.Repeat("x", 1001)), 422, "longer than 1,000"},
		"cursor":            {get("/suggest/entity?prefix=x&cursor=-1"), 422, "how many suggestions to skip"},
		"unknown type":      {get("/extend/properties?type=person"), 422, "the only type is company"},
		"limit":             {get("/extend/properties?type=company&limit=x"), 422, "limit: must be"},
		"no id":             {get("/preview"), 422, "id: is missing"},
		"no such company":   {get("/preview?id=x"), 404, "There is no company"},
		"no ids":            {h.ask(t, "extend", M{"properties": []M{{"id": "domain"}}}), 422, "extend.ids: must be a list"},
		"number as id":      {h.ask(t, "extend", M{"ids": []any{1}, "properties": []M{}}), 422, "extend.ids[0]: must be a string"},
		"many ids":          {h.ask(t, "extend", M{"ids": ids, "properties": []M{}}), 413, "at most 100"},
		"no properties":     {h.ask(t, "extend", M{"ids": []string{}}), 422, "extend.properties: must be a list"},
		"unknown property":  {h.ask(t, "extend", M{"ids": []string{}, "properties": []M{{"id": "domian"}}}), 422, "did you mean domain?"},
		"attributes":        {h.ask(t, "extend", M{"ids": []string{}, "properties": []M{{"id": "attributes"}}}), 422, "is not a property"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, x.status, x.answer.status, x.answer.body)
			require.Contains(t, x.answer.failure(t).Message, x.message)
		})
	}
	require.Equal(t, "GET, HEAD", send("POST", "/preview?id=x", "text/plain", "").header.Get("Allow"))
}

func TestSuggestionsFollowWhatIsTyped(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	acme, mega := made("Acme Payments", "acme.example", "Germany", "Berlin", 1), made("Mega Acme", "mega.example", "", "", 5000)
	described := made("Zeta", "zeta.example", "", "", 9)
	described.Description = "acme is its customer"
	h.Put(t, acme, mega, described)
	names := func(query string) (names []string) {
		for _, s := range into[struct{ Result []found }](t, h.get(t, h.url+"/suggest/entity?"+query)).Result {
			names = append(names, s.Name)
		}
		return names
	}
	require.Equal(t, []string{"Acme Payments", "Mega Acme"}, names("prefix=acm"), "names that begin with it come first")
	require.Equal(t, []string{"Acme Payments"}, names("prefix=acme+pay&type=company&callback=x"))
	require.Equal(t, []string{"Mega Acme"}, names("prefix=acm&cursor=1"))
	require.Empty(t, names("prefix=acm&cursor=1000000"))
	require.Equal(t, []string{"Acme Payments"}, names("prefix="+acme.ID.String()))
	require.Equal(t, []string{"Zeta"}, names("prefix=zeta.example"))
	require.Empty(t, names("prefix="))
	require.Empty(t, names("prefix=%26"))
	property := h.get(t, h.url+"/suggest/property?prefix=link")
	require.Contains(t, property.body, `"id":"linkedin_url"`)
	require.Contains(t, property.body, "Compared when rows are matched")
}

// Of many companies with the words of a name, those of the very name come first, however long the others' names are.
func TestTheVeryNameComesFirst(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	all := make([]*company.Company, 0, 402)
	for i := range 400 {
		all = append(all, made("Nasty 2"+strconv.Itoa(i), "", "Germany", "Bonn", int64(1000+i)))
	}
	all = append(all, made("NÁSTY 2", "nasty2.example", "Spain", "Madrid", 1))
	h.Put(t, all...)
	suggested := into[struct{ Result []found }](t, h.get(t, h.url+"/suggest/entity?prefix=nasty+2")).Result
	require.Equal(t, "NÁSTY 2", suggested[0].Name)
	seen := map[string]bool{}
	for skip := 0; ; skip += len(suggested) {
		suggested = into[struct{ Result []found }](t, h.get(t, h.url+"/suggest/entity?prefix=nasty+2&cursor="+strconv.Itoa(skip))).Result
		if len(suggested) == 0 {
			break
		}
		for _, s := range suggested {
			require.False(t, seen[s.ID], "twice")
			seen[s.ID] = true
		}
	}

	elsewhere := M{"query": "nasty 2", "properties": []M{{"pid": "country", "v": "Germany"}}}
	answers := h.reconcile(t, M{"sure": M{"query": "nasty 2"}, "elsewhere": elsewhere})
	require.Len(t, answers["sure"], 1)
	require.True(t, answers["sure"][0].Match)
	require.Equal(t, "NÁSTY 2", answers["elsewhere"][0].Name)
	require.False(t, answers["elsewhere"][0].Match, "its country is another one")

	h.Put(t, made("Nasty 2", "", "Italy", "Rome", 7))
	both := h.reconcile(t, M{"q": M{"query": "nasty 2"}})["q"]
	require.Len(t, both, 2)
	for _, c := range both {
		require.False(t, c.Match, "two companies have the name")
		require.Equal(t, "nasty 2", text.Fold(c.Name))
	}
}

func TestNoAddressInTheManifestIsTakenFromTheRequest(t *testing.T) {
	t.Parallel()
	h := open(t, "off", nil)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://elsewhere.example/reconcile", nil))
	require.Contains(t, w.Body.String(), `"service_url":"https://capi.example.com/reconcile"`)
	require.NotContains(t, w.Body.String(), "elsewhere.example")
}

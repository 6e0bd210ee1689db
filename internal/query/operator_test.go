package query_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/query"
)

func TestOperatorsThatMeanNothingAreNoticed(t *testing.T) {
	t.Parallel()
	for asked, want := range map[string][]string{
		"fintech -labs":              {"-labs", "exclude_keywords"},
		"-labs":                      {"-labs", "exclude_keywords"},
		"fintech –labs −banks":       {"–labs", "exclude_keywords"},
		`fintech -"big data"`:        {"-", "exclude_keywords"},
		"fintech (-labs)":            {"(-labs)", "exclude_keywords", "(-labs)", "keywords"},
		"fintech NOT labs":           {"NOT", "exclude_keywords"},
		"NOT labs":                   {"NOT", "exclude_keywords"},
		"fintech OR bank":            {"OR", "keywords"},
		"IBM OR SAP":                 {"OR", "keywords"},
		`"big data" OR "deep tech"`:  {"OR", "keywords"},
		"fintech AND labs":           {"AND", "keywords"},
		"fintech AND NOT labs":       {"NOT", "exclude_keywords", "AND", "keywords"},
		"(fintech OR bank) -loans":   {"-loans", "exclude_keywords", "OR", "keywords", "(fintech OR bank) -loans", "keywords"},
		"(fintech bank)":             {"(fintech bank)", "keywords"},
		"fintech | bank":             {"|", "keywords"},
		"fintech|bank":               {"fintech|bank", "keywords"},
		"fintech || bank":            {"||", "keywords"},
		"fintech && bank":            {"&&", "keywords"},
		"+fintech bank":              {"+fintech", "keywords"},
		"fint*":                      {"fint*", "prefix"},
		"*tech, labs":                {"*tech,", "prefix"},
		"wom?n":                      {"wom?n", "prefix"},
		"name:bank":                  {"name:bank", "query"},
		"country:US":                 {"country:US", "countries"},
		"Country: US":                {"Country:", "countries"},
		"countries:US bank":          {"countries:US", "countries"},
		"industry:software":          {"industry:software", "industries"},
		"linkedin_url:acme":          {"linkedin_url:acme", "has"},
		"employees:100":              {"employees:100", "employee_count_min"},
		"site:acme.com":              {"site:acme.com", "query"},
		"-country:US":                {"-country:US", "exclude_keywords", "-country:US", "countries"},
		"AT&T":                       nil,
		"C++ C# .NET":                nil,
		"Yahoo!":                     nil,
		"Toys (R) Us":                nil,
		"Acme (United Kingdom) Ltd":  nil,
		"E*TRADE M*A*S*H":            nil,
		"OR Tools":                   nil,
		"Portland OR":                nil,
		"BED BATH AND BEYOND":        nil,
		"DO NOT DISTURB":             nil,
		"this or that and not those": nil,
		"re:invent":                  nil,
		"open 9:30 24/7":             nil,
		"https://www.acme.com/a?b=c": nil,
		"http://a.com?name:x":        nil,
		"wi-fi e-mail - x -5 +1 555": nil,
		"Which? Hungry?!":            nil,
		`"fintech -labs OR name:x*"`: nil,
		"Disney+ A+ Notepad++":       nil,
		"solutions—everywhere":       nil,
		"Title: Foo":                 nil,
	} {
		t.Run(asked, func(t *testing.T) {
			notices := parse(t, query.Filters{Query: asked}).Notices()
			require.Len(t, notices, len(want)/2, "%v", notices)
			for i, n := range notices {
				require.Equal(t, "query", n.Param)
				require.Equal(t, want[2*i], n.Value)
				require.Contains(t, n.Message, want[2*i+1])
			}
		})
	}
}

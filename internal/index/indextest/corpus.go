package indextest

import (
	"embed"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/query/querytest"
)

//go:embed corpus.json searches.json ranking.json
var files embed.FS

// record is a company in the format of the corpus and the data files.
type record struct {
	Name                 string         `json:"name"`
	Description          string         `json:"description"`
	Domain               string         `json:"domain"`
	Country              string         `json:"country"`
	State                string         `json:"state"`
	City                 string         `json:"city"`
	Industries           []string       `json:"industries"`
	NAICSCodes           []string       `json:"naics_codes"`
	Technologies         []string       `json:"technologies"`
	TechnologyCategories []string       `json:"technology_categories"`
	EmployeeCount        *int64         `json:"employee_count"`
	FoundedYear          *int64         `json:"founded_year"`
	Connections          []relationship `json:"connections"`
}

type relationship struct {
	Category string `json:"category"`
	Number   int    `json:"number"`
	Domain   string `json:"domain"`
}

func (r record) company(n company.Number) *company.Company {
	c := &company.Company{
		Number: n, ID: querytest.IDOf(n), Name: r.Name, Description: r.Description, Domain: r.Domain,
		Country: r.Country, State: r.State, City: r.City, Industries: r.Industries, NAICSCodes: r.NAICSCodes,
		Technologies: r.Technologies, TechnologyCategories: r.TechnologyCategories,
		EmployeeCount: r.EmployeeCount, FoundedYear: r.FoundedYear,
		UpdatedAt: time.UnixMicro(int64(n) * 1000).UTC(),
	}
	for _, to := range r.Connections {
		x := company.Connection{Category: to.Category, Domain: to.Domain}
		if to.Number > 0 {
			x.Number, x.ID = company.Number(to.Number), querytest.IDOf(company.Number(to.Number))
		}
		c.Connections = append(c.Connections, x)
	}
	return c
}

func readJSON[T any](t *testing.T, name string) (v T) {
	t.Helper()
	p, err := files.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(p, &v), name)
	return v
}

func testCorpus(t *testing.T, open Open) {
	ix, tr := open(t), truth{}
	defer ix.Close()
	var changes []index.Change
	for i, r := range readJSON[[]record](t, "corpus.json") {
		changes = append(changes, changesOf(r.company(company.Number(i+1)))...)
	}
	require.NoError(t, ix.Apply(t.Context(), changes, 1))
	tr.apply(changes)
	searches := readJSON[[]struct {
		Name    string           `json:"name"`
		Filters query.Filters    `json:"filters"`
		SortBy  string           `json:"sort_by"`
		Order   string           `json:"sort_order"`
		Want    []company.Number `json:"want"`
	}](t, "searches.json")
	require.NotEmpty(t, searches)
	for _, s := range searches {
		t.Run(s.Name, func(t *testing.T) {
			q, err := query.Parse(s.Filters)
			require.NoError(t, err)
			by, err := query.ParseSort(s.SortBy, s.Order, q.HasText())
			require.NoError(t, err)
			r, err := ix.Search(t.Context(), index.Request{Query: q, Sort: by, Limit: 100})
			require.NoError(t, err)
			require.Equal(t, s.Want, r.Page)
			check(t.Context(), t, ix, tr, search{query: q, sort: by, limit: 2, facets: 20})
		})
	}
}

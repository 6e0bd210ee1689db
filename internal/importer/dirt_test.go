package importer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/importer"
)

// Small files with the kinds of dirt that real files have. raw_test.go tests the real files, if they are present.
func TestDirtyDataIsReadRight(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file, content string
		domain        string
		country       string
		state, city   string
		size, year    int64
		industries    []string
	}{
		"states and no country": {
			"a.csv", "rank,name,url,state,revenue,industry,workers,founded,city\n" +
				"1,Acme,http://acme.example,AZ,36.9 Million,Tools & Steel,40,2015,Phoenix\n2,Bolt,http://bolt.example,TN,33.6 Million,Food,39,2014,Brentwood\n" +
				"3,Cog,http://cog.example,TX,24.9 Million,Food,190,0,Austin\n",
			"acme.example", "United States", "Arizona", "Phoenix", 40, 2015,
			[]string{"Tools & Steel"},
		},
		"years of two and footnotes": {
			"b.csv", "Symbol,Security,GICS Sector,GICS Sub-Industry,Headquarters Location,Founded\n" +
				"ACM,Acme,Industrials,Conglomerates,\"Dublin, Ireland[2]\",2013 (1888)\nBLT,Bolt,Energy,Oil,\"Austin, Texas\",1901\n",
			"", "Ireland", "", "Dublin", 0, 2013,
			[]string{"Industrials", "Conglomerates"},
		},
		"careers pages and words in sizes": {
			"c.csv", ",Name,Location,Type,Website,Size,Founded\n0,Acme,Berlin; Ulm,\"Tools, Steel\",https://careers.acme.example/jobs?x=1,10k+ employees,1995\n" +
				"1,Bolt,Paris,\"Energy, Oil\",http://boltcareers.com,501-1k employees,\n2,Cog,Rome,\"Food, Wine\",https://bit.ly/x,51-200 employees,1999\n",
			"acme.example", "", "", "Berlin", 10_000, 1995,
			[]string{"Tools", "Steel"},
		},
		"places in one text and paths of labels": {
			"d.json", `[{"id":1,"name":"Acme","website":"https://www.acme.example/","all_locations":"San Francisco, CA, USA; Remote","team_size":15,
				"subindustry":"Industrials -> Tools","year_founded":1325376000,"former_names":[],"isHiring":true},
				{"id":2,"name":"Bolt","website":"","all_locations":"Remote","team_size":0,"subindustry":"Consumer","year_founded":null}]`,
			"acme.example", "United States", "California", "San Francisco", 15, 2012,
			[]string{"Industrials", "Tools"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, s := one(t, test.file, test.content, importer.Mapping{})
			require.Zero(t, s.Rejected)
			require.Equal(t, "Acme", c.Name)
			require.Equal(t, []string{test.domain, test.country, test.state, test.city}, []string{c.Domain, c.Country, c.State, c.City})
			if test.size != 0 {
				require.Equal(t, test.size, *c.EmployeeCount)
			}
			require.Equal(t, test.year, *c.FoundedYear)
			require.Equal(t, test.industries, c.Industries)
		})
	}
}

package importer_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/testkit/effort"
	"github.com/opencapi/capi/internal/text"
)

// expected is what a row of a raw file says, computed without the importer. Nil or empty means unknown.
type expected struct {
	name, country, domain string
	size, year            *int64
}

// expect reads each raw file by its known format.
var expect = map[string]func(t *testing.T, p []byte) []expected{
	"crunchbase_2013_companies.csv": func(t *testing.T, p []byte) []expected {
		p, err := charmap.Macintosh.NewDecoder().Bytes(bytes.ReplaceAll(p, []byte{'\r'}, []byte{'\n'}))
		require.NoError(t, err)
		return rows(t, p, func(r map[string]string) expected {
			if r["name"] == "#NAME?" {
				r["name"] = ""
			}
			return expected{name: r["name"], country: countryOf(r["country_code"]), year: integer(r["founded_year"])}
		})
	},
	"crunchbase_2015_acquisitions.csv": func(t *testing.T, p []byte) []expected {
		out := rows(t, p, func(r map[string]string) expected {
			return expected{name: r["company_name"], country: countryOf(r["company_country_code"])}
		})
		return append(out, rows(t, p, func(r map[string]string) expected {
			return expected{name: r["acquirer_name"], country: countryOf(r["acquirer_country_code"])}
		})...)
	},
	"inc5000_2019.csv": func(t *testing.T, p []byte) []expected {
		return rows(t, p, func(r map[string]string) expected {
			year := integer(r["founded"])
			if year != nil && *year == 0 {
				year = nil
			}
			return expected{r["name"], "United States", domainOf(r["url"]), integer(r["workers"]), year}
		})
	},
	"sp500_constituents.csv": func(t *testing.T, p []byte) []expected {
		return rows(t, p, func(r map[string]string) expected {
			place := regexp.MustCompile(`\[\d\]`).ReplaceAllString(strings.Split(r["Headquarters Location"], ";")[0], "")
			country := ""
			if i := strings.LastIndex(place, ","); i > 0 {
				country = "United States"
				if c, ok := company.LookupCountry(place[i+1:]); ok && c.Alpha2 != "GE" {
					country = c.Name
				}
			}
			return expected{name: r["Security"], country: country, year: integer(regexp.MustCompile(`\d{4}`).FindString(r["Founded"]))}
		})
	},
	"stackoverflow_companies.csv": func(t *testing.T, p []byte) []expected {
		sizes := map[string]int64{"10k+": 10_000, "1k-5k": 1_000, "201-500": 201, "501-1k": 501, "5k-10k": 5_000, "51-200": 51, "11-50": 11}
		return rows(t, p, func(r map[string]string) expected {
			size := sizes[strings.Fields(r["Size"])[0]]
			first := strings.TrimSpace(strings.Split(r["Location"], ";")[0])
			return expected{strings.TrimSpace(r["Name"]), countryOf(first), careerDomains(r["Website"]), &size, integer(r["Founded"])}
		})
	},
	"yc_winter-2022.json": func(t *testing.T, p []byte) []expected {
		var records []struct {
			Name, Website string
			TeamSize      *int64 `json:"team_size"`
			AllLocations  string `json:"all_locations"`
		}
		require.NoError(t, json.Unmarshal(p, &records))
		var out []expected
		for _, r := range records {
			if r.TeamSize != nil && *r.TeamSize == 0 {
				r.TeamSize = nil
			}
			first := strings.Split(r.AllLocations, ";")[0]
			out = append(out, expected{r.Name, countryOf(first[strings.LastIndex(first, ",")+1:]), domainOf(r.Website), r.TeamSize, nil})
		}
		return out
	},
}

func rows(t *testing.T, p []byte, fn func(map[string]string) expected) []expected {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(p)).ReadAll()
	require.NoError(t, err)
	var out []expected
	for _, row := range all[1:] {
		r := map[string]string{}
		for i, name := range all[0] {
			r[name] = row[i]
		}
		out = append(out, fn(r))
	}
	return out
}

func countryOf(s string) string {
	c, _ := company.LookupCountry(strings.TrimSpace(s))
	return c.Name
}

func integer(s string) *int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return nil
	}
	return &n
}

func domainOf(url string) string {
	host := strings.TrimPrefix(strings.Split(strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(url), "http://"), "https://"), "/")[0], "www.")
	if host == "play.google.com" {
		return ""
	}
	return host
}

// careerDomains returns the domain of a website, without hosts of careers pages; empty if it is not the company's site.
func careerDomains(url string) string {
	host := domainOf(strings.TrimSpace(url))
	for _, none := range []string{"careers.com", ".jobs", ".careers", "bit.ly", "goo.gle", "linkedin.com", "doubleclick.net", "jobsoid.com", "talent.stackoverflow.com"} {
		if strings.HasSuffix(host, none) {
			return ""
		}
	}
	for _, front := range []string{"nl.jobs.", "jobs.us.", "careers.", "jobs.", "corp.", "corporate.", "www2.", "about.", "werkenbij.", "karriar."} {
		host = strings.TrimPrefix(host, front)
	}
	return host
}

func TestRawFilesAreImportedRightWithoutOptions(t *testing.T) {
	t.Parallel()
	effort.WithoutRaceDetector(t)
	dir := filepath.Join(realData(t), "raw")
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files, "there are no raw files in %s", dir)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			read := expect[filepath.Base(file)]
			require.NotNil(t, read, "there is no expectation for %s", file)
			p, err := os.ReadFile(file)
			require.NoError(t, err)
			b := catalog.New(dbtest.SQLite(t))
			s := load(t, b, file)
			compareRaw(t, read(t, p), all(t, b))
			seq, err := b.Seq(t.Context())
			require.NoError(t, err)
			again := load(t, b, file)
			require.Zero(t, again.Added, "the second load adds nothing")
			t.Logf("%d read, %d added, %d rejected, sequence %d", s.Read, s.Added, s.Rejected, seq)
		})
	}
}

// compareRaw requires 98 % of the expected values of each kind, and logs the differences.
func compareRaw(t *testing.T, want []expected, got []*company.Company) {
	t.Helper()
	byName := map[string][]*company.Company{}
	for _, c := range got {
		byName[c.Name] = append(byName[c.Name], c)
	}
	right, all := map[string]int{}, map[string]int{}
	check := func(what, name string, ok bool, want, got any) {
		all[what]++
		if ok {
			right[what]++
		} else if all[what]-right[what] <= 12 {
			t.Logf("%s of %q: want %v, got %v", what, name, want, got)
		}
	}
	value := func(n *int64) int64 {
		if n == nil {
			return -1
		}
		return *n
	}
	for _, w := range want {
		if w.name == "" {
			continue // not a usable row
		}
		name := text.Clean(w.name)
		found := byName[name]
		check("name", name, len(found) > 0, name, nil)
		if len(found) == 0 {
			continue
		}
		c := found[0]
		for _, other := range found {
			if other.Country == w.country && value(other.FoundedYear) == value(w.year) {
				c = other
			}
		}
		check("country", name, c.Country == w.country, w.country, c.Country)
		check("domain", name, c.Domain == w.domain, w.domain, c.Domain)
		check("size", name, value(c.EmployeeCount) == value(w.size), value(w.size), value(c.EmployeeCount))
		check("year", name, value(c.FoundedYear) == value(w.year), value(w.year), value(c.FoundedYear))
	}
	for what, n := range all {
		t.Logf("%s: %d of %d right", what, right[what], n)
		require.GreaterOrEqual(t, float64(right[what]), 0.98*float64(n), what)
	}
}

// Package querytest draws random companies and filters that meet often, for property tests.
// Unlike companytest it aims at odd cases, not at plausible companies.
package querytest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
)

// Companies draws up to most companies, numbered from 1, with connections between them.
func Companies(most int) *rapid.Generator[[]*company.Company] {
	return rapid.Custom(func(t *rapid.T) []*company.Company {
		n := rapid.IntRange(0, most).Draw(t, "companies")
		companies := make([]*company.Company, n)
		for i := range companies {
			companies[i] = Company(company.Number(i+1)).Draw(t, "company")
		}
		return companies
	})
}

// Company draws a company of the number; its connections go to the companies of numbers up to 8.
func Company(number company.Number) *rapid.Generator[*company.Company] {
	return rapid.Custom(func(t *rapid.T) *company.Company {
		c := &company.Company{
			Number:               number,
			ID:                   IDOf(number),
			Name:                 words(3).Draw(t, "name"),
			Country:              maybe(countries).Draw(t, "country"),
			State:                maybe(states).Draw(t, "state"),
			City:                 maybe(cities).Draw(t, "city"),
			Industries:           some(industries).Draw(t, "industries"),
			NAICSCodes:           some(codes).Draw(t, "codes"),
			Technologies:         some(technologies).Draw(t, "technologies"),
			TechnologyCategories: some(techCategories).Draw(t, "technology categories"),
			EmployeeCount:        maybeInt(0, 12).Draw(t, "employees"),
			FoundedYear:          maybeInt(1998, 2012).Draw(t, "founded"),
			Description:          maybeWords().Draw(t, "description"),
			CreatedAt:            time.UnixMicro(1_700_000_000_000_000).UTC(),
			UpdatedAt:            time.UnixMicro(1_700_000_000_000_000 + rapid.Int64Range(0, 5).Draw(t, "updated")).UTC(),
		}
		if rapid.Bool().Draw(t, "has domain") {
			c.Domain = DomainOf(number)
		}
		for range rapid.IntRange(0, 3).Draw(t, "connections") {
			c.Connections = append(c.Connections, connection().Draw(t, "connection"))
		}
		return c
	})
}

// IDOf is the id of the company of a number.
func IDOf(number company.Number) id.Company {
	return id.Company{UUID: uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, number))}
}

// DomainOf is the domain of the company of a number, where it has one.
func DomainOf(number company.Number) string { return fmt.Sprintf("c%d.example", number) }

// connection is to a company of the catalog, or to one that it does not know.
func connection() *rapid.Generator[company.Connection] {
	return rapid.Custom(func(t *rapid.T) company.Connection {
		number := company.Number(rapid.IntRange(1, 8).Draw(t, "to"))
		x := company.Connection{Category: rapid.SampledFrom(categories).Draw(t, "category"), Name: "Acme"}
		if rapid.Bool().Draw(t, "with domain") {
			x.Domain = DomainOf(number)
		}
		if rapid.Bool().Draw(t, "known") {
			x.ID, x.Number = IDOf(number), number
		}
		return x
	})
}

// The vocabularies are small and hold several spellings of one value.
var (
	countries      = []string{"United States", "Germany", "Türkiye", "Turkey", "Namibia", "Atlantis", "Côte d’Ivoire"}
	states         = []string{"California", "california", "Île-de-France", "Texas"}
	cities         = []string{"Zürich", "zurich", "ZÜRICH", "Łódź", "Lodz", "東京", "San  Francisco", "San Francisco"}
	industries     = []string{"Software", "software", "Fin-Tech", "Health Care", "Straße", "STRASSE", "健康"}
	codes          = []string{"31", "33", "311999", "522320", "522110", "52", "541511"}
	technologies   = []string{"Go", "PostgreSQL", "C++", "C#", "Argo CD", "Node.js"}
	techCategories = []string{"Databases", "CRM", "Programming Languages", "crm"}
	categories     = []string{"vendor", "Vendor", "investor", "Käufer"}
	vocabulary     = []string{
		"data", "Data", "cloud", "Café", "cafe", "of", "the", "Łódź", "東京", "京都", "データ", "x", "AI", "machine", "learning",
		"e-mail", "don’t", "Ben's", "bens", "d’Or", "dor", "s", "ﬁne", "Ⅳ", "한국", "naïve", "ÅNGSTRÖM", "42", "हिन्दी",
		"wi", "fi", "Wi-Fi", "wifi", "email", "e", "mail", "U.S.", "us", "U", "covid19", "covid", "19", "C++", "c", "C#", ".NET", "net",
		"at&t", "and", "&", "are", "a", "area",
	}
	gaps = []string{" ", " ", " ", "  ", ", ", "-", "‑", "—", ".", "", "\u00a0", ". ", "・", "，", "。"}
)

// Words draws a text of up to most of the words that Companies writes with.
func Words(most int) *rapid.Generator[string] { return words(most) }

// words joins up to most words of the vocabulary.
func words(most int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		b.WriteString(rapid.SampledFrom(vocabulary).Draw(t, "word"))
		for range rapid.IntRange(0, most-1).Draw(t, "more words") {
			b.WriteString(rapid.SampledFrom(gaps).Draw(t, "gap"))
			b.WriteString(rapid.SampledFrom(vocabulary).Draw(t, "word"))
		}
		return b.String()
	})
}

func maybeWords() *rapid.Generator[string] {
	return rapid.OneOf(rapid.Just(""), words(12), words(12), words(12))
}

func maybe(values []string) *rapid.Generator[string] {
	return rapid.SampledFrom(append([]string{""}, values...))
}

func some(values []string) *rapid.Generator[[]string] {
	return rapid.Map(rapid.SliceOfNDistinct(rapid.SampledFrom(values), 0, 3, rapid.ID), slices.Clip)
}

func maybeInt(low, high int64) *rapid.Generator[*int64] {
	return rapid.OneOf(rapid.Just[*int64](nil), rapid.Ptr(rapid.Int64Range(low, high), false))
}

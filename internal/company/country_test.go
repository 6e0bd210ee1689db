package company_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
)

func TestEveryCountryIsFoundByNameAndCodes(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, c := range company.Countries() {
		require.Len(t, c.Alpha2, 2, c.Name)
		require.Len(t, c.Alpha3, 3, c.Name)
		require.False(t, names[c.Name], c.Name)
		names[c.Name] = true
		for _, s := range []string{
			c.Name, c.Alpha2, c.Alpha3, strings.ToLower(c.Alpha2), strings.ToLower(c.Alpha3), strings.ToUpper(c.Name), " " + c.Name + " ",
		} {
			found, ok := company.LookupCountry(s)
			require.True(t, ok, s)
			require.Equal(t, c, found, s)
		}
	}
	require.Len(t, names, 250) // ISO 3166-1 and Kosovo
}

func TestLookupCountryKnowsAliases(t *testing.T) {
	t.Parallel()
	for want, aliases := range map[string][]string{
		"United States":       {"USA", "U.S.A.", "us", "America", "The United States of America", "Estados Unidos"},
		"United Kingdom":      {"UK", "U.K.", "Great Britain", "England", "Scotland", "GB"},
		"South Korea":         {"Korea, Rep.", "Rep. of Korea", "Korea (Republic of)", "Korea", "Republic of Korea", "Korea, Republic of", "KR", "kor", "S. Korea"},
		"North Korea":         {"Korea, Dem. People's Rep.", "Dem. People's Rep. of Korea", "Korea (Democratic People's Republic of)", "DPRK", "KP"},
		"Côte d'Ivoire":       {"Ivory Coast", "cote d’ivoire", "COTE D'IVOIRE", "CIV"},
		"Turkey":              {"Türkiye", "turkiye", "TUR"},
		"Netherlands":         {"Holland", "The Netherlands"},
		"Czech Republic":      {"Czechia", "CZ"},
		"Namibia":             {"NA", "nam"},
		"DR Congo":            {"Congo (Dem. Rep.)", "Dem. Rep. of the Congo", "Congo (Democratic Republic)", "Democratic Republic of the Congo", "Congo, DR", "DRC", "Congo (Kinshasa)"},
		"Congo":               {"Republic of the Congo", "CG", "Congo-Brazzaville"},
		"Russia":              {"Russian Federation", "RUS", "Россия"},
		"Germany":             {"Deutschland", "ドイツ"},
		"China":               {"PRC", "中国", "People's Republic of China", "P.R. China"},
		"Taiwan":              {"Taiwan, Province of China", "TW"},
		"Hong Kong":           {"Hong Kong SAR", "HK"},
		"Vietnam":             {"Viet Nam"},
		"Georgia":             {"GE"},
		"Bahamas":             {"The Bahamas"},
		"Saint Lucia":         {"St. Lucia", "ST LUCIA"},
		"North Macedonia":     {"Macedonia"},
		"Eswatini":            {"Swaziland"},
		"Myanmar":             {"Burma"},
		"Cabo Verde":          {"Cape Verde"},
		"Åland Islands":       {"Aland"},
		"Kosovo":              {"XK"},
		"Trinidad and Tobago": {"Trinidad & Tobago"},
		"Egypt":               {"Egypt, Arab Rep.", "EGYPT ARAB REP", "Aegypten"},
		"Iran":                {"Iran, Islamic Rep.", "Iran (Islamic Republic of)", "Islamic Rep. of Iran"},
		"Venezuela":           {"Venezuela, RB", "Venezuela (Bolivarian Republic of)"},
		"Yemen":               {"Yemen, Rep."},
		"Laos":                {"Lao People's Dem. Rep."},
		"Micronesia":          {"Micronesia, Fed. Sts.", "Federated States of Micronesia"},
		"Denmark":             {"Daenemark", "Danmark (DK)"},
		"Austria":             {"Oesterreich", "OESTERREICH", "Republik Oesterreich (AT)"},
		"Greenland":           {"Greenland (Denmark)"},
	} {
		t.Run(want, func(t *testing.T) {
			for _, s := range aliases {
				c, ok := company.LookupCountry(s)
				require.True(t, ok, s)
				require.Equal(t, want, c.Name, s)
			}
		})
	}
}

func TestLookupCountryDoesNotGuess(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", " ", "N/A", "n.a.", "Unknown", "Germny", "Georgia (USA)", "Congo (Lake)", "Guinea (West)", "Republic", "Islands", "France (Germany)", "the", "California", "EU", "ZZ", "\x00", "-"} {
		_, ok := company.LookupCountry(s)
		require.False(t, ok, "%q", s)
	}
}

func TestNearestCountry(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"Germny": "Germany", "Untied States": "United States", "Swizerland": "Switzerland", "Uk": "United Kingdom",
		"Cote d'Ivore": "Côte d'Ivoire", "Deutchland": "Germany", "": "", "qqqqqqqq": "",
	} {
		t.Run(given, func(t *testing.T) {
			require.Equal(t, want, company.NearestCountry(given), given)
		})
	}
}

package importer

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/importer/source"
)

func TestHeadcountsAreReadInEveryUsualSpelling(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int64{
		"250": 250, "1,234": 1234, "1.234": 1234, "1 234": 1234, "1\u00a0234": 1234, "1'234": 1234, "12,34,567": 1_234_567, "80,4": 80, "250.0": 250,
		"51-200": 51, "101–250": 101, "51 to 200": 51, "501 - 1,000 employees": 501, "1k-5k": 1000, "1-5k": 1000, "501-1k employees": 501,
		"10k+ employees": 10_000, "10,000+": 10_000, "10001+": 10_001, "5k-10k": 5000, "36.9 thousand": 36_900, "1.2 Million": 1_200_000,
		"~50": 50, "about 120 people": 120, "> 5000": 5000, "<10": 1, "up to 50": 1, "Nov-50": 11, "10-Jan": 1, "1-Oct": 1,
		"ca. 300 Mitarbeiter": 300, "11 bis 50": 11, "2 à 10": 2, "500名": 500, "100 FTE": 100,
		"Entre 10 et 19": 10, "De 50 à 99": 50, "Plus de 5 000": 5000, "moins de 10 salariés": 1, "De 11 a 50": 11, "Más de 500": 500, "Entre 51 y 200 empleados": 51,
		"até 10": 1, "mais de 500": 500, "da 11 a 50": 11, "oltre 500": 500, "meno di 10": 1, "11 t/m 50": 11, "meer dan 500": 500, "od 11 do 50": 11, "powyżej 500": 500,
		"от 11 до 50": 11, "более 500": 500, "до 10": 1, "zwischen 51 und 200": 51, "weniger als 10": 1, "1,200人": 1200, "約50名": 50, "11～50人": 11, "１１〜５０人": 11, "1000人以上": 1000, "50人未満": 1,
		"少于50人": 1, "약 1,200명": 1200, "50명 이상": 50, "c_00051_00100": 51, "c_10001_max": 10_001, "Small (11-50)": 11, "B (11-50)": 11, "Enterprise (1000+)": 1000, "11;50": 11,
		"1E5": 100_000, "1.5e3": 1500, "2.00E+02": 200, "1 e 5": 1,
	} {
		t.Run(s, func(t *testing.T) {
			n, _, ok := headcount(s)
			require.True(t, ok)
			require.Equal(t, want, n)
		})
	}
	for _, s := range []string{"many", "Berlin (11)", "abt", "do", "2012-06", "2012-06-01", "small (1)", "$5M", "12%", "1,23,4", "team of ten", "1E99", "1e-5", ""} {
		_, _, ok := headcount(s)
		require.False(t, ok, s)
	}
}

func TestYearsAreReadInEveryUsualSpelling(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int64{
		"1999": 1999, "1999.0": 1999, "2013 (1888)": 2013, "1904/1946/1959": 1904, "2012-06-01": 2012, "2012-06-01T00:00:00Z": 2012,
		"12/31/1999": 1999, "31.12.1999": 1999, "June 2008": 2008, "c. 1850": 1850, "founded in 1976": 1976, "1646347894": 2022,
		"1646347894000": 2022, "20120601": 2012, "705": 705,
		"14-Mar-98": 1998, "1-Feb-04": 2004, "14/03/98": 1998, "30.11.76 00:00": 1976, "Mar 14, '98": 1998, "14 mars 1998": 1998, "1er février 2004": 2004, "昭和51年": 1976, "平成10年3月14日": 1998, "令和元年5月": 2019, "1998年3月": 1998,
	} {
		t.Run(s, func(t *testing.T) {
			n, ok := year(s)
			require.True(t, ok)
			require.Equal(t, want, n)
		})
	}
	for _, s := range []string{"", "soon", "12", "0", "99999", "19.5", "98", "Mar-98", "11-50"} {
		_, ok := year(s)
		require.False(t, ok, s)
	}
}

func TestLocationsAreReadInEveryUsualSpelling(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]location{
		"San Francisco, CA, USA; Remote":        {"San Francisco", "California", "United States", ""},
		"Saint Paul, Minnesota":                 {"Saint Paul", "Minnesota", "United States", ""},
		"Atlanta, Georgia":                      {"Atlanta", "Georgia", "United States", ""},
		"Tbilisi, Georgia":                      {"Tbilisi", "", "Georgia", ""},
		"Dublin, Ireland":                       {"Dublin", "", "Ireland", ""},
		"Warmley, Bristol, United Kingdom":      {"Warmley", "Bristol", "United Kingdom", ""},
		"Columbus, Ohio; Detroit, Michigan":     {"Columbus", "Ohio", "United States", ""},
		"McLean, Virginia[2]":                   {"McLean", "Virginia", "United States", ""},
		"Washington, D.C.":                      {"Washington", "District of Columbia", "United States", ""},
		"Toronto, ON, Canada":                   {"Toronto", "Ontario", "Canada", ""},
		"Bengaluru, KA, India":                  {"Bengaluru", "Karnataka", "India", ""},
		"MH, India":                             {"", "Maharashtra", "India", ""},
		"Lagos, LA, Nigeria; LA, Nigeria":       {"Lagos", "", "Nigeria", ""},
		"Singapore, Singapore":                  {"Singapore", "", "Singapore", ""},
		"München":                               {"München", "", "", ""},
		"Germany":                               {"", "", "Germany", ""},
		"Deutschland":                           {"", "", "Germany", ""},
		"China; Singapore; Czechia":             {"", "", "China", ""},
		"Remote":                                {},
		"No office location":                    {},
		"none":                                  {},
		"10115 Berlin, Germany":                 {"Berlin", "", "Germany", ""},
		"1 Main St, Springfield, IL 62701":      {"Springfield", "Illinois", "United States", ""},
		"Paris, Île-de-France, France (Remote)": {"Paris", "Île-de-France", "France", ""},
		"Vilnius; Kaunas; Warsaw":               {"Vilnius", "", "", ""},
		"New York":                              {"New York", "", "", ""},
		"New York City, New York":               {"New York City", "New York", "United States", ""},
		"Sydney, NSW, Australia":                {"Sydney", "New South Wales", "Australia", ""},
	} {
		t.Run(s, func(t *testing.T) {
			got, _ := parseLocation(s, nil)
			require.Equal(t, want, got)
		})
	}
}

func TestStatesAreFoundByPostalCode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ country, code, want string }{
		{"United States", "94107", "California"},
		{"United States", "10001-1234", "New York"},
		{"United States", "2139", "Massachusetts"},
		{"Canada", "M5V 2T6", "Ontario"},
		{"Australia", "2000", "New South Wales"},
		{"Australia", "0800", "Northern Territory"},
		{"Germany", "10115", ""},
		{"United States", "abc", ""},
	} {
		t.Run(c.country+" "+c.code, func(t *testing.T) {
			require.Equal(t, c.want, stateOfPostal(c.country, c.code))
		})
	}
}

func TestOnlyCertainMojibakeIsRepaired(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"MÃ¼nchen": "München", "TaposÃ©": "Taposé", "InsideAxisâ„¢": "InsideAxis™", "cafÃƒÂ©": "café", "Reader‚Äôs": "Reader’s",
		"Johnson &amp; Johnson": "Johnson & Johnson", "SÃO PAULO": "SÃO PAULO", "Käse": "Käse", "Ångström": "Ångström", "Âme": "Âme",
		"AT&T": "AT&T", "Москва": "Москва", "東京": "東京",
	} {
		require.Equal(t, want, repair(s), s)
	}
}

func TestListsAreSplit(t *testing.T) {
	t.Parallel()
	for s, want := range map[string][]string{
		"a|b|c": {"a", "b", "c"}, "a; b": {"a", " b"}, `["a","b, c"]`: {"a", "b, c"}, "['a', 'b, c']": {"a", "b, c"}, ", php, go": {" php", " go"},
		"Hotels, Resorts": {"Hotels, Resorts"}, `{a,"b c"}`: {"a", "b c"}, "a\nb": {"a", "b"},
	} {
		require.Equal(t, want, splitTexts(s, false), s)
	}
	require.Equal(t, []string{"a", " b"}, splitTexts("a, b", true))
	require.Equal(t, []string{"Acme, Inc.", "Bolt"}, splitNames(&source.Value{Kind: source.Cell, Text: "Acme, Inc., Bolt"}))
}

func TestNullsAreRecognised(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", " ", "-", "#", "N/A", "none", "#NAME?", "NULL", "nan", "Unknown", "?", "--", `\N`} {
		require.True(t, isNull(s), s)
	}
	for _, s := range []string{"Nile", "#waywire", "A", "0", "Nan Goldin", "-1"} {
		require.False(t, isNull(s), s)
	}
	require.True(t, isNullNumber("-1"))
}

package importer

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
)

func TestCodesAfterCitiesAreStatesOrCountriesByTheCityAndTheColumn(t *testing.T) {
	t.Parallel()
	for name, column := range map[string]map[string]location{
		"countries": {
			"Berlin, DE": {"Berlin", "", "Germany", ""}, "Paris, FR": {"Paris", "", "France", ""}, "Bad Sooden, DE": {"Bad Sooden", "", "Germany", ""},
			"Kleinstadt, IN": {"Kleinstadt", "", "India", ""}, "Madrid, ES": {"Madrid", "", "Spain", ""},
		},
		"states": {
			"Dover, DE": {"Dover", "Delaware", "United States", ""}, "Smalltown, DE": {"Smalltown", "Delaware", "United States", ""},
			"Austin, TX": {"Austin", "Texas", "United States", ""}, "Moose Jaw, SK": {"Moose Jaw", "Saskatchewan", "Canada", ""},
			"Sydney, NSW": {"Sydney", "New South Wales", "Australia", ""},
		},
		"both, where only the city can say": {
			"Lyon, FR": {"Lyon", "", "France", ""}, "Porto, PT": {"Porto", "", "Portugal", ""}, "Austin, TX": {"Austin", "Texas", "United States", ""},
			"Cambridge, MA": {"Cambridge", "Massachusetts", "United States", ""}, "Rabat, MA": {"Rabat", "", "Morocco", ""},
			"Hometown, MA": {"Hometown", "", "", "MA"}, "Springfield, IL": {"Springfield", "Illinois", "United States", ""}, "Haifa, IL": {"Haifa", "", "Israel", ""},
		},
		"India and Brazil": {
			"Mumbai, MH": {"Mumbai", "Maharashtra", "India", ""}, "Curitiba, PR": {"Curitiba", "Paraná", "Brazil", ""}, "Zug, CH": {"Zug", "", "Switzerland", ""},
			"Chandigarh, CH": {"Chandigarh", "Chandigarh", "India", ""}, "Chennai, TN": {"Chennai", "Tamil Nadu", "India", ""},
		},
		"the column's other cities say it": {
			"Oslo, NO": {"Oslo", "", "Norway", ""}, "Austin, TX": {"Austin", "Texas", "United States", ""}, "Munich, DE": {"Munich", "", "Germany", ""},
			"Kiel, DE": {"Kiel", "", "Germany", ""}, "Kleinstadt, DE": {"Kleinstadt", "", "Germany", ""},
			"Fresno, CA": {"Fresno", "California", "United States", ""}, "Irvine, CA": {"Irvine", "California", "United States", ""},
			"Smalltown, CA": {"Smalltown", "California", "United States", ""},
		},
		"three parts": {
			"Cambridge, Middlesex, MA": {"Cambridge", "Massachusetts", "United States", ""}, "Kiel, Holstein, DE": {"Kiel", "Holstein", "Germany", ""},
			"Lille, Nord, FR": {"Lille", "Nord", "France", ""},
		},
		"small letters": {"wien, at": {"wien", "", "Austria", ""}, "Wien, AT": {"Wien", "", "Austria", ""}, "Graz, AT": {"Graz", "", "Austria", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &sampledColumn{name: "Location", sample: &sample{}}
			for place := range column {
				c.values = append(c.values, place)
			}
			for place, want := range column {
				got, _ := parseLocation(place, c.codeUse())
				require.Equal(t, want, got, place)
			}
		})
	}
}

func TestTheCitiesInTheTablesHaveACodeOfBothKinds(t *testing.T) {
	t.Parallel()
	require.NotEmpty(t, cities().states)
	for key := range cities().states {
		_, isCountry := company.LookupCountry(key[:2])
		require.True(t, isCountry, key)
	}
	for key := range cities().countries {
		require.NotEmpty(t, cities().states[key[:2]+" "], key)
	}
}

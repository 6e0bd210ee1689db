package companytest

import "math/rand/v2"

type place struct {
	country, code string
	share         int // companies in a thousand
	cities        []city
}

type city struct{ name, state string }

// places are sorted by share, largest first; the rest of a thousand has no known country.
var places = []place{
	{"United States", "US", 340, []city{
		{"New York", "New York"},
		{"San Francisco", "California"},
		{"Austin", "Texas"},
		{"Chicago", "Illinois"},
		{"Boston", "Massachusetts"},
		{"Seattle", "Washington"},
		{"Los Angeles", "California"},
		{"Denver", "Colorado"},
		{"Atlanta", "Georgia"},
		{"Miami", "Florida"},
		{"Portland", "Oregon"},
		{"Portland", "Maine"},
		{"Springfield", "Illinois"},
		{"Columbus", "Ohio"},
		{"Salt Lake City", "Utah"},
	}},
	{"United Kingdom", "GB", 110, []city{
		{"London", "England"}, {"Manchester", "England"}, {"Edinburgh", "Scotland"}, {"Cardiff", "Wales"},
	}},
	{"Germany", "DE", 95, []city{
		{"Berlin", "Berlin"},
		{"München", "Bavaria"},
		{"Hamburg", "Hamburg"},
		{"Köln", "North Rhine-Westphalia"},
		{"Düsseldorf", "North Rhine-Westphalia"},
	}},
	{"India", "IN", 85, []city{
		{"Bengaluru", "Karnataka"}, {"Mumbai", "Maharashtra"}, {"Hyderabad", "Telangana"}, {"Pune", "Maharashtra"},
	}},
	{"France", "FR", 55, []city{{"Paris", "Île-de-France"}, {"Lyon", "Auvergne-Rhône-Alpes"}, {"Nîmes", "Occitanie"}}},
	{"Canada", "CA", 50, []city{{"Toronto", "Ontario"}, {"Montréal", "Quebec"}, {"Vancouver", "British Columbia"}}},
	{"Japan", "JP", 35, []city{{"東京", ""}, {"Osaka", "Osaka"}, {"Tokyo", "Tokyo"}}},
	{"Brazil", "BR", 30, []city{{"São Paulo", "São Paulo"}, {"Rio de Janeiro", "Rio de Janeiro"}}},
	{"Netherlands", "NL", 28, []city{{"Amsterdam", "North Holland"}, {"Rotterdam", "South Holland"}}},
	{"Spain", "ES", 26, []city{{"Madrid", "Madrid"}, {"Barcelona", "Catalonia"}, {"A Coruña", "Galicia"}}},
	{"Switzerland", "CH", 22, []city{{"Zürich", "Zürich"}, {"Genève", "Genève"}}},
	{"Poland", "PL", 20, []city{{"Warszawa", "Mazovia"}, {"Łódź", "Łódź"}, {"Kraków", "Lesser Poland"}}},
	{"Sweden", "SE", 18, []city{{"Stockholm", "Stockholm"}, {"Malmö", "Skåne"}}},
	{"Australia", "AU", 16, []city{{"Sydney", "New South Wales"}, {"Melbourne", "Victoria"}}},
	{"Singapore", "SG", 12, []city{{"Singapore", ""}}},
	{"South Korea", "KR", 10, []city{{"Seoul", ""}, {"Busan", ""}}},
	{"Turkey", "TR", 8, []city{{"İstanbul", "İstanbul"}, {"Ankara", "Ankara"}}},
	{"Côte d'Ivoire", "CI", 4, []city{{"Abidjan", ""}}},
	{"Namibia", "NA", 2, []city{{"Windhoek", "Khomas"}}},
}

var nowhere = place{cities: []city{{}}}

func pickPlace(r *rand.Rand) place {
	at := r.IntN(1_000)
	for _, p := range places {
		if at -= p.share; at < 0 {
			return p
		}
	}
	return nowhere
}

package company

import "strings"

// states are the postal codes of the states, provinces and territories of the United States, Canada and Australia.
var states = map[string][]string{
	"AL": {"Alabama"}, "AK": {"Alaska"}, "AZ": {"Arizona"}, "AR": {"Arkansas"}, "CA": {"California"}, "CO": {"Colorado"},
	"CT": {"Connecticut"}, "DE": {"Delaware"}, "FL": {"Florida"}, "GA": {"Georgia"}, "HI": {"Hawaii"}, "ID": {"Idaho"},
	"IL": {"Illinois"}, "IN": {"Indiana"}, "IA": {"Iowa"}, "KS": {"Kansas"}, "KY": {"Kentucky"}, "LA": {"Louisiana"},
	"ME": {"Maine"}, "MD": {"Maryland"}, "MA": {"Massachusetts"}, "MI": {"Michigan"}, "MN": {"Minnesota"},
	"MS": {"Mississippi"}, "MO": {"Missouri"}, "MT": {"Montana"}, "NE": {"Nebraska"}, "NV": {"Nevada"},
	"NH": {"New Hampshire"}, "NJ": {"New Jersey"}, "NM": {"New Mexico"}, "NY": {"New York"}, "NC": {"North Carolina"},
	"ND": {"North Dakota"}, "OH": {"Ohio"}, "OK": {"Oklahoma"}, "OR": {"Oregon"}, "PA": {"Pennsylvania"},
	"RI": {"Rhode Island"}, "SC": {"South Carolina"}, "SD": {"South Dakota"}, "TN": {"Tennessee"}, "TX": {"Texas"},
	"UT": {"Utah"}, "VT": {"Vermont"}, "VA": {"Virginia"}, "WV": {"West Virginia"}, "WI": {"Wisconsin"}, "WY": {"Wyoming"},
	"DC": {"District of Columbia", "Washington, D.C."}, "PR": {"Puerto Rico"},

	"AB": {"Alberta"}, "BC": {"British Columbia"}, "MB": {"Manitoba"}, "NB": {"New Brunswick"},
	"NL": {"Newfoundland and Labrador"}, "NS": {"Nova Scotia"}, "NU": {"Nunavut"}, "ON": {"Ontario"},
	"PE": {"Prince Edward Island"}, "QC": {"Quebec"}, "SK": {"Saskatchewan"}, "YT": {"Yukon"},

	"ACT": {"Australian Capital Territory"}, "NSW": {"New South Wales"}, "QLD": {"Queensland"}, "SA": {"South Australia"},
	"TAS": {"Tasmania"}, "VIC": {"Victoria"},

	"WA": {"Washington", "Western Australia"}, "NT": {"Northwest Territories", "Northern Territory"},
}

// StatesOf returns the full names that a state's postal code may mean, most likely first; nil for any other text.
func StatesOf(code string) []string { return states[strings.ToUpper(strings.TrimSpace(code))] }

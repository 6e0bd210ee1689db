package importer

import (
	"strconv"
	"strings"
	"sync"

	"github.com/opencapi/capi/internal/text"
)

// state is a first-level division of a country whose codes are used in addresses.
type state struct{ code, name, country string }

// The states of the countries whose addresses use codes for them, with the codes of ISO 3166-2 and the post.
const stateTable = `United States|AL Alabama|AK Alaska|AZ Arizona|AR Arkansas|CA California|CO Colorado|CT Connecticut|DE Delaware|DC District of Columbia|FL Florida|GA Georgia|HI Hawaii|ID Idaho|IL Illinois|IN Indiana|IA Iowa|KS Kansas|KY Kentucky|LA Louisiana|ME Maine|MD Maryland|MA Massachusetts|MI Michigan|MN Minnesota|MS Mississippi|MO Missouri|MT Montana|NE Nebraska|NV Nevada|NH New Hampshire|NJ New Jersey|NM New Mexico|NY New York|NC North Carolina|ND North Dakota|OH Ohio|OK Oklahoma|OR Oregon|PA Pennsylvania|RI Rhode Island|SC South Carolina|SD South Dakota|TN Tennessee|TX Texas|UT Utah|VT Vermont|VA Virginia|WA Washington|WV West Virginia|WI Wisconsin|WY Wyoming
Canada|AB Alberta|BC British Columbia|MB Manitoba|NB New Brunswick|NL Newfoundland and Labrador|NS Nova Scotia|NT Northwest Territories|NU Nunavut|ON Ontario|PE Prince Edward Island|QC Quebec|SK Saskatchewan|YT Yukon
Australia|ACT Australian Capital Territory|NSW New South Wales|NT Northern Territory|QLD Queensland|SA South Australia|TAS Tasmania|VIC Victoria|WA Western Australia
India|AP Andhra Pradesh|AR Arunachal Pradesh|AS Assam|BR Bihar|CH Chandigarh|CG Chhattisgarh|DL Delhi|GA Goa|GJ Gujarat|HR Haryana|HP Himachal Pradesh|JK Jammu and Kashmir|JH Jharkhand|KA Karnataka|KL Kerala|MP Madhya Pradesh|MH Maharashtra|MN Manipur|ML Meghalaya|MZ Mizoram|NL Nagaland|OD Odisha|OR Odisha|PB Punjab|PY Puducherry|RJ Rajasthan|SK Sikkim|TN Tamil Nadu|TS Telangana|TG Telangana|TR Tripura|UP Uttar Pradesh|UK Uttarakhand|UT Uttarakhand|WB West Bengal
Brazil|AC Acre|AL Alagoas|AP Amapá|AM Amazonas|BA Bahia|CE Ceará|DF Distrito Federal|ES Espírito Santo|GO Goiás|MA Maranhão|MT Mato Grosso|MS Mato Grosso do Sul|MG Minas Gerais|PA Pará|PB Paraíba|PR Paraná|PE Pernambuco|PI Piauí|RJ Rio de Janeiro|RN Rio Grande do Norte|RS Rio Grande do Sul|RO Rondônia|RR Roraima|SC Santa Catarina|SP São Paulo|SE Sergipe|TO Tocantins`

// italianProvinces are the codes of the provinces of Italy, which have columns of their own. In a place such as "Milano (MI)" a code only says
// which town it is.
const italianProvinces = `AG Agrigento|AL Alessandria|AN Ancona|AO Aosta|AP Ascoli Piceno|AQ L'Aquila|AR Arezzo|AT Asti|AV Avellino|BA Bari|BG Bergamo|BI Biella|BL Belluno|BN Benevento|BO Bologna|BR Brindisi|BS Brescia|BT Barletta-Andria-Trani|BZ Bolzano|CA Cagliari|CB Campobasso|CE Caserta|CH Chieti|CI Carbonia-Iglesias|CL Caltanissetta|CN Cuneo|CO Como|CR Cremona|CS Cosenza|CT Catania|CZ Catanzaro|EN Enna|FC Forlì-Cesena|FE Ferrara|FG Foggia|FI Firenze|FM Fermo|FR Frosinone|GE Genova|GO Gorizia|GR Grosseto|IM Imperia|IS Isernia|KR Crotone|LC Lecco|LE Lecce|LI Livorno|LO Lodi|LT Latina|LU Lucca|MB Monza e Brianza|MC Macerata|ME Messina|MI Milano|MN Mantova|MO Modena|MS Massa-Carrara|MT Matera|NA Napoli|NO Novara|NU Nuoro|OG Ogliastra|OR Oristano|OT Olbia-Tempio|PA Palermo|PC Piacenza|PD Padova|PE Pescara|PG Perugia|PI Pisa|PN Pordenone|PO Prato|PR Parma|PT Pistoia|PU Pesaro e Urbino|PV Pavia|PZ Potenza|RA Ravenna|RC Reggio Calabria|RE Reggio Emilia|RG Ragusa|RI Rieti|RM Roma|RN Rimini|RO Rovigo|SA Salerno|SI Siena|SO Sondrio|SP La Spezia|SR Siracusa|SS Sassari|SU Sud Sardegna|SV Savona|TA Taranto|TE Teramo|TN Trento|TO Torino|TP Trapani|TR Terni|TS Trieste|TV Treviso|UD Udine|VA Varese|VB Verbano-Cusio-Ossola|VC Vercelli|VE Venezia|VI Vicenza|VR Verona|VS Medio Campidano|VT Viterbo|VV Vibo Valentia`

// regionTable has the regions of further countries that are no cities at the same time, as people write them before the country.
const regionTable = `Germany|Baden-Württemberg|Baden-Wuerttemberg|Bayern|Bavaria|Brandenburg|Hessen|Hesse|Mecklenburg-Vorpommern|Mecklenburg-Western Pomerania|Niedersachsen|Lower Saxony|Nordrhein-Westfalen|North Rhine-Westphalia|NRW|Rheinland-Pfalz|Rhineland-Palatinate|Saarland|Sachsen|Saxony|Sachsen-Anhalt|Saxony-Anhalt|Schleswig-Holstein|Thüringen|Thuringia
Austria|Burgenland|Kärnten|Carinthia|Niederösterreich|Lower Austria|Oberösterreich|Upper Austria|Steiermark|Styria|Tirol|Tyrol|Vorarlberg
Switzerland|Aargau|Appenzell Ausserrhoden|Appenzell Innerrhoden|Basel-Landschaft|Graubünden|Jura|Nidwalden|Obwalden|Thurgau|Ticino|Tessin|Uri|Valais|Wallis|Vaud|Waadt
France|Auvergne-Rhône-Alpes|Rhône-Alpes|Bourgogne-Franche-Comté|Bretagne|Brittany|Centre-Val de Loire|Corse|Corsica|Grand Est|Alsace|Hauts-de-France|Île-de-France|Ile-de-France|Normandie|Normandy|Nouvelle-Aquitaine|Aquitaine|Occitanie|Midi-Pyrénées|Languedoc-Roussillon|Pays de la Loire|Provence-Alpes-Côte d'Azur|PACA
Italy|Abruzzo|Basilicata|Calabria|Campania|Emilia-Romagna|Friuli-Venezia Giulia|Lazio|Liguria|Lombardia|Lombardy|Marche|Molise|Piemonte|Piedmont|Puglia|Apulia|Sardegna|Sardinia|Sicilia|Sicily|Toscana|Tuscany|Trentino-Alto Adige|Umbria|Valle d'Aosta|Veneto
Spain|Andalucía|Andalusia|Aragón|Aragon|Asturias|Principado de Asturias|Canarias|Canary Islands|Cantabria|Castilla-La Mancha|Castilla y León|Catalunya|Cataluña|Catalonia|Comunidad de Madrid|Comunidad Valenciana|Comunitat Valenciana|Extremadura|Galicia|Illes Balears|Islas Baleares|Balearic Islands|La Rioja|Navarra|País Vasco|Basque Country|Euskadi|Región de Murcia
United Kingdom|England|Scotland|Wales|Northern Ireland|Greater Manchester|West Midlands|West Yorkshire|South Yorkshire|North Yorkshire|Kent|Surrey|Essex|Hertfordshire|Hampshire|Berkshire|Buckinghamshire|Oxfordshire|Cambridgeshire|Devon|Cornwall|Dorset|Somerset|Lancashire|Cheshire|Norfolk|Suffolk|West Sussex|East Sussex|Merseyside|Tyne and Wear
Netherlands|Noord-Holland|North Holland|Zuid-Holland|South Holland|Noord-Brabant|North Brabant|Gelderland|Overijssel|Flevoland|Friesland|Fryslân|Drenthe|Zeeland|Limburg
Belgium|Vlaanderen|Flanders|Flemish Region|Wallonie|Wallonia|Walloon Region|Oost-Vlaanderen|West-Vlaanderen|Vlaams-Brabant|Brabant wallon|Hainaut|Limburg
Poland|dolnośląskie|kujawsko-pomorskie|lubelskie|lubuskie|łódzkie|małopolskie|mazowieckie|opolskie|podkarpackie|podlaskie|pomorskie|śląskie|świętokrzyskie|warmińsko-mazurskie|wielkopolskie|zachodniopomorskie|Mazovia|Masovia|Silesia|Lesser Poland|Greater Poland
Ireland|Leinster|Munster|Connacht|Ulster|County Dublin|County Cork|County Galway`

var regions = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for line := range strings.SplitSeq(regionTable, "\n") {
		country, rest, _ := strings.Cut(line, "|")
		for name := range strings.SplitSeq(rest, "|") {
			m[country+" "+text.Fold(name)] = true
		}
	}
	return m
})

// isRegionOf reports whether s is a part of the country rather than a city.
func isRegionOf(country, s string) bool { return regions()[country+" "+text.Fold(s)] }

var stateAliases = map[string]string{
	"d.c.": "DC", "washington d.c.": "DC", "washington dc": "DC", "calif.": "CA", "calif": "CA", "mass.": "MA", "mass": "MA",
	"penna.": "PA", "n.y.": "NY", "n.j.": "NJ", "n.c.": "NC", "s.c.": "SC", "tex.": "TX", "fla.": "FL", "ill.": "IL", "conn.": "CT",
	"wash.": "WA", "colo.": "CO", "minn.": "MN", "mich.": "MI", "ariz.": "AZ", "tenn.": "TN", "ga.": "GA", "va.": "VA", "md.": "MD",
}

type stateIndex struct {
	byCode map[string]map[string]state // by country, then code
	byName map[string][]state          // by folded name
}

var states = sync.OnceValue(func() *stateIndex {
	b := &stateIndex{byCode: map[string]map[string]state{}, byName: map[string][]state{}}
	for line := range strings.SplitSeq(stateTable, "\n") {
		country, rest, _ := strings.Cut(line, "|")
		b.byCode[country] = map[string]state{}
		for entry := range strings.SplitSeq(rest, "|") {
			code, name, _ := strings.Cut(entry, " ")
			s := state{code, name, country}
			b.byCode[country][code] = s
			b.byName[text.Fold(name)] = append(b.byName[text.Fold(name)], s)
		}
	}
	for alias, code := range stateAliases {
		b.byName[alias] = append(b.byName[alias], b.byCode["United States"][code])
	}
	return b
})

// stateIn finds the state of the country by code or name.
func stateIn(country, s string) (state, bool) {
	b := states()
	if st, ok := b.byCode[country][strings.ToUpper(strings.Trim(s, " ."))]; ok {
		return st, true
	}
	for _, st := range b.byName[text.Fold(s)] {
		if st.country == country {
			return st, true
		}
	}
	return state{}, false
}

var provinces = sync.OnceValue(func() map[string]state {
	m := map[string]state{}
	for entry := range strings.SplitSeq(italianProvinces, "|") {
		code, name, _ := strings.Cut(entry, " ")
		m[code] = state{code, name, "Italy"}
	}
	return m
})

// stateOfColumn finds the state of the country by what a column of states has: also the code of a province of Italy.
func stateOfColumn(country, s string) (state, bool) {
	if st, ok := stateIn(country, s); ok || country != "Italy" {
		return st, ok
	}
	st, ok := provinces()[strings.ToUpper(strings.Trim(s, " ()"))]
	return st, ok
}

// stateByName finds a state of any country by its name.
func stateByName(s string) (state, bool) {
	if found := states().byName[text.Fold(s)]; len(found) > 0 {
		return found[0], true
	}
	return state{}, false
}

// anyState finds a state of any country by its name, or by its code in capitals in the United States, Canada or Australia,
// in this order.
func anyState(s string) (state, bool) {
	if st, ok := stateByName(s); ok {
		return st, true
	}
	return stateOfCode(s)
}

// zipRanges are the first three digits of the postal codes of the states of the United States: from, to, state.
const zipRanges = "005-005NY 006-009PR 010-027MA 028-029RI 030-038NH 039-049ME 050-059VT 060-069CT 070-089NJ 100-149NY 150-196PA 197-199DE 200-200DC 201-201VA 202-205DC 206-219MD 220-246VA 247-268WV 270-289NC 290-299SC 300-319GA 320-349FL 350-369AL 370-385TN 386-397MS 398-399GA 400-427KY 430-459OH 460-479IN 480-499MI 500-528IA 530-549WI 550-567MN 569-569DC 570-577SD 580-588ND 590-599MT 600-629IL 630-658MO 660-679KS 680-693NE 700-714LA 716-729AR 730-749OK 750-799TX 800-816CO 820-831WY 832-838ID 840-847UT 850-865AZ 870-884NM 885-885TX 889-898NV 900-961CA 967-968HI 970-979OR 980-994WA 995-999AK"

const canadianLetters = "ANL BNS CPE ENB GQC HQC JQC KON LON MON NON PON RMB SSK TAB VBC XNT YYT"

// stateOfPostal returns the state that a postal code of the country is in; empty if it is unknown.
func stateOfPostal(country, code string) string {
	code = strings.ToUpper(strings.TrimSpace(code))
	switch country {
	case "United States":
		digits, _, _ := strings.Cut(code, "-")
		if len(digits) < 4 || len(digits) > 5 || strings.Trim(digits, "0123456789") != "" {
			return ""
		}
		digits = strings.Repeat("0", 5-len(digits)) + digits // a spreadsheet drops leading zeros
		for r := range strings.FieldsSeq(zipRanges) {
			if digits[:3] >= r[:3] && digits[:3] <= r[4:7] {
				return states().byCode[country][r[7:]].name
			}
		}
	case "Canada":
		if len(code) < 3 || code[1] < '0' || code[1] > '9' {
			return ""
		}
		for p := range strings.FieldsSeq(canadianLetters) {
			if p[0] == code[0] {
				return states().byCode[country][p[1:]].name
			}
		}
	case "Australia":
		return australianState(code)
	}
	return ""
}

func australianState(code string) string {
	n, err := strconv.Atoi(code)
	if err != nil || n < 200 || n > 9999 {
		return ""
	}
	var short string
	switch {
	case n < 300, n >= 2600 && n <= 2618, n >= 2900 && n <= 2920:
		short = "ACT"
	case n >= 800 && n < 1000:
		short = "NT"
	case n >= 1000 && n < 3000:
		short = "NSW"
	case n >= 3000 && n < 4000 || n >= 8000 && n < 9000:
		short = "VIC"
	case n >= 4000 && n < 5000 || n >= 9000:
		short = "QLD"
	case n >= 5000 && n < 6000:
		short = "SA"
	case n >= 6000 && n < 7000:
		short = "WA"
	case n >= 7000 && n < 8000:
		short = "TAS"
	default:
		return ""
	}
	return states().byCode["Australia"][short].name
}

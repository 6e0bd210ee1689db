package importer_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"cmp"
	"compress/gzip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
)

// A trait is something that files in the field have, and what must come of it.
type trait struct {
	name  string
	files []file   // loaded one after another
	want  []facts  // the companies, in order
	says  []string // each is in a note, a reason or a merge of the summary
}

type file struct{ name, content string }

func csvFile(lines ...string) []file       { return []file{{"a.csv", strings.Join(lines, "\n") + "\n"}} }
func jsonFile(content string) []file       { return []file{{"a.json", content}} }
func twoFiles(first, second string) []file { return []file{{"a.csv", first}, {"b.csv", second}} }

// facts are what must be known of a company, by the API's name of a field, @NAME for an attribute, and +CATEGORY for the
// connected companies. An empty text means that it must not be known.
type facts map[string]string

// of returns the same facts of a company.
func (f facts) of(c *company.Company) facts {
	number := func(n *int64) string {
		if n == nil {
			return ""
		}
		return strconv.FormatInt(*n, 10)
	}
	all := facts{
		"name": c.Name, "domain": c.Domain, "website": c.Website, "linkedin_url": c.LinkedInURL, "country": c.CountryCode, "state": c.State, "city": c.City,
		"employees": number(c.EmployeeCount), "founded": number(c.FoundedYear), "description": c.Description,
		"industries": strings.Join(c.Industries, "|"), "naics": strings.Join(c.NAICSCodes, "|"), "technologies": strings.Join(c.Technologies, "|"),
	}
	for _, x := range c.Connections {
		key := "+" + x.Category
		list := append(strings.FieldsFunc(all[key], func(r rune) bool { return r == '|' }), cmp.Or(x.Name, x.Domain))
		slices.Sort(list) // the catalog keeps them in an order of its own
		all[key] = strings.Join(list, "|")
	}
	for name, value := range c.Attributes {
		if s, ok := value.(string); ok {
			all["@"+name] = s
		} else {
			all["@"+name] = "set"
		}
	}
	out := facts{}
	for key := range f {
		out[key] = all[key]
	}
	return out
}

func (tr *trait) check(t *testing.T) {
	t.Helper()
	b := catalog.New(dbtest.SQLite(t))
	var said []string
	for _, f := range tr.files {
		s, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: []string{write(t, f.name, f.content)}})
		require.NoError(t, err)
		for _, n := range s.Notes {
			said = append(said, n.Text)
		}
		for _, from := range s.Sources {
			for _, c := range from.Columns {
				said = append(said, c.Column+": "+c.Note)
			}
		}
		for _, r := range s.Reasons {
			for _, sample := range r.Samples {
				said = append(said, string(r.Reason)+": line "+strconv.Itoa(sample.Line)+": "+sample.Detail)
			}
		}
		for _, m := range s.Merges.Samples {
			said = append(said, m.Name+" into "+m.Into)
		}
	}
	cs := all(t, b)
	var got []facts
	for i, c := range cs {
		want := facts{"name": ""}
		if i < len(tr.want) {
			want = tr.want[i]
		}
		got = append(got, want.of(c))
	}
	require.Equal(t, tr.want, got)
	for _, s := range tr.says {
		require.Contains(t, strings.Join(said, "\n"), s)
	}
}

func TestFilesOfTheFieldAreLoadedRight(t *testing.T) {
	t.Parallel()
	for _, traits := range [][]trait{peopleTraits, columnTraits, placeTraits, identityTraits, textTraits, jsonTraits, encodedTraits(t), binaryTraits(t)} {
		for _, tr := range traits {
			t.Run(tr.name, func(t *testing.T) {
				t.Parallel()
				tr.check(t)
			})
		}
	}
}

var peopleTraits = []trait{
	{
		"F01 the place of the person beside that of the company", csvFile("First Name,Last Name,Company,Location,Company Location,Company Employee Count Range", `Ada,Moss,Acme,"Berlin, Germany","Lyon, France",51-200`),
		[]facts{{"name": "Acme", "city": "Lyon", "country": "FR", "employees": "51", "@Location": "Berlin, Germany"}},
		nil,
	},
	{
		"F01 a person beside the company", csvFile("Nom,Poste,Entreprise", "Ada Moss,PDG,Moulin SA", "Bo Reed,Directeur,Pont SA", "Cy Hart,Responsable,Quai SA"),
		[]facts{{"name": "Moulin SA", "@Nom": "Ada Moss"}, {"name": "Pont SA"}, {"name": "Quai SA"}},
		nil,
	},
	{
		"F01b several contacts of one company", csvFile("Name,Job Title,Employer,Employer Domain,E-Mail", "Ada Moss,CEO,Acme,acme.example,ada@acme.example",
			"Bo Reed,CTO,Acme,acme.example,bo@acme.example", "Cy Hart,CFO,Bolt,bolt.example,cy@bolt.example"),
		[]facts{{"name": "Acme", "domain": "acme.example"}, {"name": "Bolt", "domain": "bolt.example"}},
		nil,
	},
	{
		"F01c a name beside an organisation", csvFile("name,organisation,website", "Ada Moss,Acme,acme.example", "Bo Reed,Bolt,bolt.example"),
		[]facts{{"name": "Acme", "domain": "acme.example"}, {"name": "Bolt", "domain": "bolt.example"}},
		nil,
	},
	{
		"F01d a contact, a name and a company", csvFile("Firma,Ansprechpartner,Name,Webseite", "Acme,Ada Moss,Ada Moss,acme.example", "Bolt,Bo Reed,Bo Reed,bolt.example"),
		[]facts{{"name": "Acme", "domain": "acme.example"}, {"name": "Bolt", "domain": "bolt.example"}},
		nil,
	},
	{
		"F01e contacts with an object of the company", jsonFile(`[{"name":"Ada Moss","email":"ada@acme.example","company":{"name":"Acme","domain":"acme.example"}},
		{"name":"Bo Reed","email":"bo@bolt.example","company":{"name":"Bolt","domain":"bolt.example"}}]`),
		[]facts{{"name": "Acme", "domain": "acme.example"}, {"name": "Bolt", "domain": "bolt.example"}},
		nil,
	},
}

var columnTraits = []trait{
	{
		"F05 dotted headers", csvFile("LEI,Entity.LegalName,Entity.LegalAddress.City,Entity.LegalAddress.Country", "529900XXXXXXXXXXXX01,Acme GmbH,Bonn,DE"),
		[]facts{{"name": "Acme GmbH", "city": "Bonn", "country": "DE", "@LEI": "529900XXXXXXXXXXXX01"}},
		nil,
	},
	{
		"F05b a postal code is no number of employees", csvFile("LEI,Entity.LegalName,Entity.LegalAddress.City,Entity.LegalAddress.PostalCode",
			"529900XXXXXXXXXXXX01,Acme GmbH,Bonn,53111", "529900XXXXXXXXXXXX02,Bolt GmbH,Ulm,89073"),
		[]facts{{"name": "Acme GmbH", "employees": "", "@Entity.LegalAddress.PostalCode": "53111"}, {"name": "Bolt GmbH", "employees": ""}},
		nil,
	},
	{
		"F07 a register", csvFile("CompanyName, CompanyNumber,RegAddress.PostTown,RegAddress.County,CompanyCategory,CountryOfOrigin,IncorporationDate,SICCode.SicText_1,SICCode.SicText_2",
			`ACME LTD,0123,HULL,YORKSHIRE,Private Limited Company,United Kingdom,01/02/1998,25110 - Manufacture of anvils,46690 - Wholesale of tools`),
		[]facts{{
			"name": "ACME LTD", "city": "HULL", "country": "GB", "founded": "1998", "@CompanyCategory": "Private Limited Company",
			"industries": "25110 - Manufacture of anvils|46690 - Wholesale of tools",
		}},
		nil,
	},
	{
		"F08 ownership is no industry", csvFile("Company,Company Type,Sector", "Acme,For Profit,Tools", "Bolt,Non-profit,Schools", "Cog,Publicly Held,Air"),
		[]facts{{"name": "Acme", "industries": "Tools", "@Company Type": "For Profit"}, {"name": "Bolt", "industries": "Schools"}, {"name": "Cog", "industries": "Air"}},
		nil,
	},
	{
		"F08b ownership in a long export", csvFile("Organization Name,Founded Date,Industries,Headquarters Location,Company Type,Website,Number of Employees",
			`Acme,2011-01-01,"Tools, Steel","Lyon, Rhone, France",For Profit,acme.example,51-100`),
		[]facts{{"name": "Acme", "industries": "Tools|Steel", "founded": "2011", "city": "Lyon", "state": "Rhone", "country": "FR", "employees": "51"}},
		nil,
	},
	{
		"F11 an incorporation date", csvFile("company,incorporation_date", "Acme,1987-04-01", "Bolt,2003-12-31"),
		[]facts{{"name": "Acme", "founded": "1987"}, {"name": "Bolt", "founded": "2003"}},
		nil,
	},
	{
		"F11b a date with the day first", csvFile("Azienda,Data di costituzione", "Acme,31/12/1987", "Bolt,05.06.2003"),
		[]facts{{"name": "Acme", "founded": "1987"}, {"name": "Bolt", "founded": "2003"}},
		nil,
	},
	{"F11c a launch year", csvFile("Startup,Launch Year", "Acme,2014", "Bolt,1999"), []facts{{"name": "Acme", "founded": "2014"}, {"name": "Bolt", "founded": "1999"}}, nil},
	{
		"F12 the bounds of employees", csvFile("name,num_employees_min,num_employees_max", "Acme,51,100", "Bolt,1,10", "Cog,10001,"),
		[]facts{{"name": "Acme", "employees": "51", "@employee_range": "51-100"}, {"name": "Bolt", "employees": "1"}, {"name": "Cog", "employees": "10001"}},
		nil,
	},
	{
		"F12b minimum and maximum", csvFile("firm,Maximum Employees,Minimum Employees", "Acme,500,100", "Bolt,,"),
		[]facts{{"name": "Acme", "employees": "100", "@employee_range": "100-500"}, {"name": "Bolt", "employees": ""}},
		nil,
	},
	{
		"F14 numbered columns", csvFile("Company,Branche 1,Branche 2,Investor_1,Investor_2,Competitor 1", "Acme,Stahl,Glas,Zeta VC,Eta VC,Theta", "Bolt,Holz,,,Eta VC,"),
		[]facts{{"name": "Acme", "industries": "Stahl|Glas", "+investor": "Eta VC|Zeta VC", "+competitor": "Theta"}, {"name": "Bolt", "industries": "Holz", "+investor": "Eta VC"}},
		nil,
	},
	{
		"F15 sales regions are no states", csvFile("Company,Region,Country", "Acme,DACH,Germany", "Bolt,LATAM,Brazil", "Cog,NAM,Canada"),
		[]facts{{"name": "Acme", "state": "", "@Region": "DACH", "country": "DE"}, {"name": "Bolt", "state": ""}, {"name": "Cog", "state": "", "country": "CA"}},
		nil,
	},
	{"F17 a country or territory", csvFile("Company,Country/Territory", "Acme,Hong Kong", "Bolt,Namibia"), []facts{{"name": "Acme", "country": "HK"}, {"name": "Bolt", "country": "NA"}}, nil},
	{
		"F18 title lines and a footer", csvFile("Search of today,,,,", ",,,,", "Companies,HQ Location,Year Founded,Employees,Website", `Acme,"Bonn, Germany",1990,12,acme.example`, ",,,,", "© 2026 Data House,,,,"),
		[]facts{{"name": "Acme", "city": "Bonn", "country": "DE", "founded": "1990", "employees": "12", "domain": "acme.example"}},
		[]string{"footer"},
	},
	{
		"F20 labels of a query service", csvFile("item,itemLabel,countryLabel,officialWebsite,inception", "http://wiki.example/entity/Q1,Acme,Norway,https://acme.example/,1971-01-01T00:00:00Z"),
		[]facts{{"name": "Acme", "country": "NO", "founded": "1971", "@item": "http://wiki.example/entity/Q1"}},
		nil,
	},
	{
		"F20b a row for each value of a list", csvFile("item,itemLabel,countryLabel,website,industryLabel", "http://wiki.example/entity/Q1,Acme,Norway,acme.example,fishing",
			"http://wiki.example/entity/Q1,Acme,Norway,acme.example,canning", "http://wiki.example/entity/Q2,Bolt,Norway,,"),
		[]facts{{"name": "Acme", "domain": "acme.example"}, {"name": "Bolt"}},
		nil,
	},
	{"F21 headers in capitals", csvFile("NAME,LAUNCH YEAR,INVESTORS NAMES", `Acme,2012,"Zeta VC; Eta VC"`), []facts{{"name": "Acme", "founded": "2012", "+investor": "Eta VC|Zeta VC"}}, nil},
	{
		"F22 a page on LinkedIn with one value", csvFile("Company name,LinkedIn Company Page,Company Domain Name", "Acme,https://www.linkedin.com/company/acme-example,acme.example", "Bolt,,bolt.example"),
		[]facts{{"name": "Acme", "linkedin_url": "https://www.linkedin.com/company/acme-example"}, {"name": "Bolt", "linkedin_url": ""}},
		nil,
	},
	{
		"F23 columns of billing", csvFile("Name,BillingCity,BillingState,BillingCountry,NumberOfEmployees,NaicsCode,YearStarted", "Acme,Austin,TX,United States,40,332216,1988"),
		[]facts{{"name": "Acme", "city": "Austin", "state": "Texas", "country": "US", "employees": "40", "naics": "332216", "founded": "1988"}},
		nil,
	},
	{
		"F24 accounts of sales", csvFile("Company,# Employees,Company Linkedin Url,Technologies,Subsidiary of", `Acme,80,http://www.linkedin.com/company/acme,"Nginx, Redis",Zeta Holdings`),
		[]facts{{"name": "Acme", "employees": "80", "linkedin_url": "http://www.linkedin.com/company/acme", "technologies": "Nginx|Redis", "+parent": "Zeta Holdings"}},
		nil,
	},
	{
		"F26 locality, region and size", csvFile("name,locality,region,country,size", "acme,houston,texas,united states,11-50"),
		[]facts{{"name": "acme", "city": "houston", "state": "Texas", "country": "US", "employees": "11", "@employee_range": "11-50"}},
		nil,
	},
	{"F27 headers with two spaces", csvFile("Startup  Name,City  Location,Investors  Name", `Acme,Pune,"Zeta, Eta"`), []facts{{"name": "Acme", "city": "Pune", "+investor": "Eta|Zeta"}}, nil},
	{"F28 repeated headers", csvFile("Firma,Firma,Land,Land", "Acme,Acme Werke,DE,Deutschland"), []facts{{"name": "Acme", "country": "DE", "@Firma_2": "Acme Werke"}}, nil},
	{
		"F44 odd names", csvFile("name,domain", "NULL GmbH,a.example", "42,b.example", "!,c.example", "True,d.example", "3-D,e.example"),
		[]facts{{"name": "NULL GmbH"}, {"name": "42"}, {"name": "!"}, {"name": "True"}, {"name": "3-D"}},
		nil,
	},
	{
		"F95 the range 0-1", csvFile("Company,Employees", "Acme,0-1", "Bolt,2-10", "Cog,11-50"),
		[]facts{{"name": "Acme", "@employee_range": "0-1"}, {"name": "Bolt", "employees": "2"}, {"name": "Cog", "employees": "11"}},
		nil,
	},
	{
		"F98 years of many shapes", csvFile("Company,Founded", "A,1905.0", "B,c. 1890", "C,2010 (as Bolt)", "D,1990-02-03", "E,Mar 1999", "F,20050401", "G,1104537600", "H,1104537600000"),
		[]facts{{"founded": "1905"}, {"founded": "1890"}, {"founded": "2010"}, {"founded": "1990"}, {"founded": "1999"}, {"founded": "2005"}, {"founded": "2005"}, {"founded": "2005"}},
		nil,
	},
	{
		"F101 leading zeros are kept", csvFile("Company,DUNS,Zip,Phone", "Acme,001234567,01234,+1 (555) 010", "Bolt,1234567890123456789,00501,0049 30"),
		[]facts{{"name": "Acme", "@DUNS": "001234567", "@Zip": "01234", "@Phone": "+1 (555) 010"}, {"@DUNS": "1234567890123456789", "@Zip": "00501"}},
		nil,
	},
}

var placeTraits = []trait{
	{
		"F04 divisions above and below", csvFile("Company,Website,Location", `Nu,nu.example,"Santa Clara, Santa Clara County, California, United States"`,
			`Xi,xi.example,"Lyon, Auvergne-Rhône-Alpes, France, Europe"`, `Rho,rho.example,"São Paulo, Brazil"`, `Tau,tau.example,Europe`),
		[]facts{
			{"name": "Nu", "city": "Santa Clara", "state": "California", "country": "US"},
			{"name": "Xi", "city": "Lyon", "state": "Auvergne-Rhône-Alpes", "country": "FR"},
			{"name": "Rho", "city": "São Paulo", "state": "", "country": "BR"},
			{"name": "Tau", "city": "", "state": "", "country": "", "@Location": "Europe"},
		},
		nil,
	},
	{
		"F04 a city, its region and country in one column", csvFile("name,locality,country", `acme,"lyon, auvergne-rhône-alpes, france",france`, `bolt,"singapore, singapore",singapore`, `cog,"austin, texas, united states",united states`),
		[]facts{{"city": "lyon", "state": "auvergne-rhône-alpes", "country": "FR"}, {"city": "singapore", "country": "SG"}, {"city": "austin", "state": "Texas", "country": "US"}},
		nil,
	},
	{"F04b a city and its state's code", csvFile("Company,City,Country", `Acme,"Denver, CO",US`, `Bolt,"Ottawa, ON",Canada`), []facts{{"city": "Denver", "state": "Colorado", "country": "US"}, {"city": "Ottawa", "state": "Ontario", "country": "CA"}}, nil},
	{
		"F92 spellings of the World Bank", csvFile("Company,Country", `A,"Congo, Dem. Rep."`, `B,"Congo, Rep."`, `C,"Korea, Dem. People's Rep."`, `D,"Korea, Rep."`, `E,"Egypt, Arab Rep."`, `F,"Venezuela, RB"`),
		[]facts{{"country": "CD"}, {"country": "CG"}, {"country": "KP"}, {"country": "KR"}, {"country": "EG"}, {"country": "VE"}},
		nil,
	},
	{"F93 Namibia's code", csvFile("Company,Country Code", "Acme,NA", "Bolt,NO", "Cog,XK", "Dent,GE"), []facts{{"country": "NA"}, {"country": "NO"}, {"country": "XK"}, {"country": "GE"}}, nil},
	{
		"F94 more spellings", csvFile("Company,Country", "A,United States of America (USA)", "B,Congo (DRC)", "C,Oesterreich", "D,West Bank and Gaza", "E,Daenemark"),
		[]facts{{"country": "US"}, {"country": "CD"}, {"country": "AT"}, {"country": "PS"}, {"country": "DK"}},
		nil,
	},
	{
		"F99 cities that are also states or countries", csvFile("company,location,country", "A,Rio de Janeiro,Brazil", "B,Luxembourg,Luxembourg", "C,Washington D.C.,United States", "D,Quebec,Canada", "E,Monaco,Monaco"),
		[]facts{{"city": "Rio de Janeiro", "country": "BR"}, {"city": "Luxembourg", "country": "LU"}, {"city": "Washington D.C.", "country": "US"}, {"city": "Quebec", "country": "CA"}, {"city": "Monaco", "country": "MC"}},
		nil,
	},
	{"F99b the same without a country", csvFile("company,location", "A,Rio de Janeiro", "B,New York", "C,Singapore"), []facts{{"city": "Rio de Janeiro"}, {"city": "New York"}, {"city": "Singapore", "country": "SG"}}, nil},
	{
		"F100 states among the codes of countries", csvFile("Company,Location", `A,"Porto, PT"`, `B,"Athens, GA"`, `C,"Wien, AT"`, `D,"Littleplace, CO"`),
		[]facts{{"city": "Porto", "country": "PT"}, {"city": "Athens", "state": "Georgia", "country": "US"}, {"country": "AT"}, {"city": "Littleplace", "state": "", "country": "", "@Location": "Littleplace, CO"}},
		nil,
	},
}

var identityTraits = []trait{
	{
		"F29 mailboxes as websites", twoFiles("Company,Website,Country\nAcme,acme@gmx.net,DE\n", "Company,Website,Country\nBolt,bolt@gmx.net,DE\n"),
		[]facts{{"name": "Acme", "domain": "", "@Website": "acme@gmx.net"}, {"name": "Bolt", "domain": ""}},
		nil,
	},
	{
		"F29b mailboxes of several countries", csvFile("Company,Website", "A,www.web.de", "B,orange.fr", "C,http://mail.ru", "D,seznam.cz", "E,own.example"),
		[]facts{{"domain": ""}, {"domain": ""}, {"domain": ""}, {"domain": ""}, {"domain": "own.example"}},
		nil,
	},
	{
		"F31 two sources that count from 1", twoFiles("id,name,domain\n1,Acme,acme.example\n2,Bolt,bolt.example\n", "id,name,country\n1,Cog,FR\n2,Dent,FR\n"),
		[]facts{{"name": "Acme"}, {"name": "Bolt"}, {"name": "Cog", "country": "FR", "domain": ""}, {"name": "Dent"}},
		nil,
	},
	{
		"F31b ranks as ids", twoFiles("id,company,Revenue\n1,Acme,100\n2,Bolt,90\n", "id,company\n1,Cog\n2,Dent\n"),
		[]facts{{"name": "Acme", "@Revenue": "100"}, {"name": "Bolt"}, {"name": "Cog", "@Revenue": ""}, {"name": "Dent"}},
		nil,
	},
	{"F31c one source twice", twoFiles("id,name,employees\n1,Acme,10\n2,Bolt,20\n", "id,name,employees\n1,Acme,11\n2,Bolt,21\n"), []facts{{"name": "Acme", "employees": "11"}, {"name": "Bolt", "employees": "21"}}, nil},
	{"F32 punctuation in two files", twoFiles("name,country,employees\n\"Acme, Inc.\",US,5\n", "name,country,employees\nACME INC,US,6\n"), []facts{{"name": "ACME INC", "employees": "6"}}, []string{"ACME INC into Acme, Inc."}},
	{"F32b punctuation in one file", csvFile("name,country", `"Acme, Inc.",US`, "Acme Inc,US", "Acme Inc.,US", "ACME  INC,US"), []facts{{"country": "US"}}, []string{"Acme Inc into Acme, Inc."}},
	{"F34 one site in many shapes", twoFiles("name,website\nAcme,http://www.acme.example/en/\n", "name,website\nAcme,HTTPS://ACME.EXAMPLE\n"), []facts{{"domain": "acme.example"}}, nil},
	{"F35 a shared domain in one file", csvFile("Company,Website,City", "Acme,shared.example,Bonn", "Bolt,shared.example,Ulm", "Cog,cog.example,Ulm"), []facts{{"name": "Acme"}, {"name": "Bolt"}, {"name": "Cog"}}, nil},
	{
		"F36 addresses of many shapes", csvFile("Company,Website", "A,//acme.example/", "B,http://user@bolt.example:8080/x", "C,köln.example", "D,https://www.facebook.com/acme", "E,http://bit.ly/x", "F,dent.example."),
		[]facts{{"domain": "acme.example"}, {"domain": "bolt.example"}, {"domain": "xn--kln-sna.example"}, {"domain": ""}, {"domain": ""}, {"domain": "dent.example"}},
		nil,
	},
	{
		"F38 two addresses in a cell", csvFile("Company,Website", "A,acme.example / acme.test", "B,bolt.example; bolt.test", "C,\"cog.example, cog.test\""),
		[]facts{{"domain": "acme.example"}, {"domain": "bolt.example", "@Website": "bolt.example; bolt.test"}, {"domain": "cog.example"}},
		nil,
	},
	{
		"F38b two addresses in a few cells", csvFile("Company,Website", "A,acme.example", "B,bolt.example", "C,cog.example cog.test", "D,dent.example"),
		[]facts{{"domain": "acme.example"}, {"domain": "bolt.example"}, {"domain": "cog.example"}, {"domain": "dent.example"}},
		nil,
	},
	{"F39 a column of domains", csvFile("Company,Domains", "A,acme.example|acme.test", "B,bolt.example"), []facts{{"domain": "acme.example", "@Domains": "acme.example|acme.test"}, {"domain": "bolt.example"}}, nil},
	{"F39b a list of domains", jsonFile(`[{"name":"A","domains":["acme.example","acme.test"]},{"name":"B","domains":["bolt.example"]}]`), []facts{{"domain": "acme.example", "@domains": "set"}, {"domain": "bolt.example"}}, nil},
	{
		"F42 unknown names with a domain", csvFile("Name,Domain", "Acme,acme.example", "N/A,none.example", "tbd,tbd.example", "-,dash.example"),
		[]facts{{"name": "Acme"}, {"name": "none.example", "domain": "none.example"}, {"domain": "tbd.example"}, {"domain": "dash.example"}},
		nil,
	},
	{"F43 domains without names", csvFile("Domain,Land", "acme.example,DE", "bolt.example,FR"), []facts{{"name": "acme.example", "domain": "acme.example", "country": "DE"}, {"name": "bolt.example", "country": "FR"}}, nil},
}

var threeFacts = []facts{{"name": "Acme", "domain": "acme.example", "employees": "1200"}, {"name": "Bolt", "domain": "bolt.example", "employees": "50"}, {"name": "Cog", "domain": "cog.example", "employees": "7"}}

const (
	threeHead = "Company,Website,Employees\n"
	threeRows = "Acme,acme.example,1200\nBolt,bolt.example,50\nCog,cog.example,7\n"
)

var textTraits = []trait{
	{"F46 spaces before quotes", csvFile(`"Firma", "Webseite", "Land"`, `"Acme, Werke", "acme.example", "DE"`), []facts{{"name": "Acme, Werke", "website": "acme.example", "country": "DE"}}, nil},
	{"F47 the header again", csvFile("Company,Website,Employees", "Acme,acme.example,1200", "Company,Website,Employees", "Bolt,bolt.example,50", "Cog,cog.example,7"), threeFacts, nil},
	{"F47b the header again with a byte order mark", csvFile("\ufeffCompany,Website,Employees", "Acme,acme.example,1200", "\ufeffCompany,Website,Employees", "Bolt,bolt.example,50", "Cog,cog.example,7"), threeFacts, nil},
	{"F49 footers", []file{{"a.csv", threeHead + threeRows + "\nSource: somewhere\n\"© 2026, all of it\"\nExported on,2026-01-01\n"}}, threeFacts, []string{"line 6"}},
	{"F50 a header in two rows", csvFile("Company,Location,,Size", ",City,Country,Employees", "Acme,Bonn,Germany,12", "Bolt,Lille,France,5"), []facts{{"name": "Acme", "city": "Bonn", "country": "DE", "employees": "12"}, {"name": "Bolt", "city": "Lille"}}, nil},
	{"F51 a line that names the delimiter", csvFile("sep=;", "Firma;Webseite", "Müller & Söhne;mueller.example"), []facts{{"name": "Müller & Söhne", "domain": "mueller.example"}}, nil},
	{"F56 text that was decoded wrongly", csvFile("Company,City", "MÃ¼ller,KÃ¶ln", "CafÃ© Noir,Lille"), []facts{{"name": "Müller", "city": "Köln"}, {"name": "Café Noir"}}, nil},
	{"F57 bytes that were written out", csvFile("Company,City", `Caf\xc3\xa9,Lille`, `Let\xe2\x80\x99s Go,Hull`), []facts{{"name": "Café"}, {"name": "Let’s Go"}}, nil},
	{"F58 backslashes before quotes", csvFile("name,description", `"Acme \"Best\" Tools","He said \"hi, there\""`, `"Bolt","x"`), []facts{{"name": `Acme "Best" Tools`, "description": `He said "hi, there"`}, {"name": "Bolt"}}, nil},
	{"F58b line breaks in quotes", csvFile("Company,Description", "Acme,\"One\nTwo, three\n\n\"\"Four\"\"\"", "Bolt,Five"), []facts{{"name": "Acme", "description": `One Two, three "Four"`}, {"name": "Bolt"}}, nil},
	{"F59 the delimiter U+0001", []file{{"a.csv", strings.ReplaceAll(threeHead+threeRows, ",", "\x01")}}, threeFacts, nil},
	{"F60 a caret", []file{{"a.txt", strings.ReplaceAll(threeHead+threeRows, ",", "^")}}, threeFacts, nil},
	{"F60 two bars", []file{{"a.txt", strings.ReplaceAll(threeHead+threeRows, ",", "||")}}, threeFacts, nil},
	{"F61 a NUL in a name", []file{{"a.csv", threeHead + strings.Replace(threeRows, "Bolt", "Bo\x00lt", 1)}}, threeFacts, []string{"NUL"}},
	{"F62 each line in quotes", csvFile(`"Company,Website,Employees"`, `"Acme,acme.example,1200"`, `"Bolt,bolt.example,50"`, `"Cog,cog.example,7"`), threeFacts, nil},
	{"F63 too few and too many cells", csvFile("Company,Website,Country,Employees,Founded", "Acme,acme.example", "Bolt,bolt.example,FR,5,1999,x", "Cog,cog.example,FR,7,2011"), []facts{{"name": "Cog"}}, []string{"line 2: 2 cells, 5 columns", "line 3: 6 cells"}},
	{"F64 comments and odd line ends", []file{{"a.csv", strings.ReplaceAll("# of today\n\n"+threeHead+threeRows, "\n", "\r\r\n")}}, threeFacts, nil},
}

var jsonTraits = []trait{
	{
		"F73 the key is the name", jsonFile(`{"Alpha GmbH":{"country":"DE","employees":4},"Beta AG":{"country":"FR","employees":5}}`),
		[]facts{{"name": "Alpha GmbH", "country": "DE"}, {"name": "Beta AG", "country": "FR"}},
		nil,
	},
	{
		"F73 the key is the domain", jsonFile(`{"alpha.example":{"name":"Alpha"},"beta.example":{"name":"Beta"}}`),
		[]facts{{"name": "Alpha", "domain": "alpha.example"}, {"name": "Beta", "domain": "beta.example"}},
		nil,
	},
	{
		"F73 features of a map", jsonFile(`{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"properties":{"name":"Alpha","website":"alpha.example"}}]}`),
		[]facts{{"name": "Alpha", "website": "alpha.example", "industries": "", "@geometry.type": "Point"}},
		nil,
	},
	{
		"F73 technologies that nobody listed here", jsonFile(`[{"name":"Alpha","tech":["google_analytics","segment"]}]`),
		[]facts{{"name": "Alpha", "industries": "", "technologies": "google analytics|segment"}},
		nil,
	},
	{
		"F73 an address inside an object", jsonFile(`[{"name":"Alpha","addr":{"city":"Ulm","country":"DE"},"web":{"url":"https://alpha.example/"}}]`),
		[]facts{{"name": "Alpha", "city": "Ulm", "country": "DE", "domain": "alpha.example"}},
		nil,
	},
	{"F70 numbered objects", jsonFile(`{"0":{"cik_str":1,"title":"Acme Corp","ticker":"ACME"},"1":{"cik_str":2,"title":"Bolt Corp","ticker":"BLT"}}`), []facts{{"name": "Acme Corp", "@ticker": "ACME"}, {"name": "Bolt Corp"}}, nil},
	{"F72 columns of values", jsonFile(`{"name":{"0":"Acme","1":"Bolt"},"domain":{"0":"acme.example","1":"bolt.example"},"employees":{"0":5,"1":9}}`), []facts{{"name": "Acme", "employees": "5"}, {"name": "Bolt", "domain": "bolt.example"}}, nil},
	{"F73 records by domain", jsonFile(`{"acme.com":{"name":"Acme","employees":5},"bolt.com":{"name":"Bolt","employees":9}}`), []facts{{"name": "Acme", "employees": "5"}, {"name": "Bolt", "employees": "9"}}, nil},
	{"F73b arrays of arrays", jsonFile(`[["nombre","pais"],["Acme","España"],["Bolt","Perú"]]`), []facts{{"name": "Acme", "country": "ES"}, {"name": "Bolt", "country": "PE"}}, nil},
	{"F74 NaN", jsonFile(`[{"name":"Acme","employees":NaN},{"name":"Bolt","employees":12}]`), []facts{{"name": "Acme", "employees": ""}, {"name": "Bolt", "employees": "12"}}, nil},
	{"F76 a byte order mark", jsonFile("\ufeff" + `[{"name":"Acme"},{"name":"Bolt"}]`), []facts{{"name": "Acme"}, {"name": "Bolt"}}, nil},
	{"F76 objects without commas", jsonFile(`{"name":"Acme"} {"name":"Bolt"}` + "\n" + `{"name":"Cog"}`), []facts{{"name": "Acme"}, {"name": "Bolt"}, {"name": "Cog"}}, nil},
	{"F77 an envelope", []file{{"a.jsonl", `{"_airbyte_ab_id":"1","_airbyte_data":{"name":"Acme","domain":"acme.example"}}` + "\n" + `{"_airbyte_ab_id":"2","_airbyte_data":{"name":"Bolt"}}` + "\n"}}, []facts{{"name": "Acme", "domain": "acme.example"}, {"name": "Bolt"}}, nil},
	{"F77b messages", []file{{"a.jsonl", `{"type":"SCHEMA","stream":"x","schema":{}}` + "\n" + `{"type":"RECORD","stream":"x","record":{"name":"Acme"}}` + "\n" + `{"type":"STATE","value":{}}` + "\n"}}, []facts{{"name": "Acme"}}, nil},
	{"F77c the answer of a search", jsonFile(`{"took":1,"hits":{"total":{"value":1},"hits":[{"_index":"c","_id":"1","_source":{"name":"Acme","domain":"acme.example"}}]}}`), []facts{{"name": "Acme", "domain": "acme.example"}}, nil},
	{"F78 bulk lines", []file{{"a.ndjson", `{"index":{"_id":"1"}}` + "\n" + `{"name":"Acme"}` + "\n" + `{"index":{"_id":"2"}}` + "\n" + `{"name":"Bolt"}` + "\n"}}, []facts{{"name": "Acme"}, {"name": "Bolt"}}, []string{"line 1"}},
	{"F79 types of a document database", jsonFile(`{"_id":{"$oid":"52cdef7c4bab8bd675297d8a"},"name":"Acme","number_of_employees":{"$numberInt":"47"},"founded_year":{"$numberLong":"2005"}}`), []facts{{"name": "Acme", "employees": "47", "founded": "2005"}}, nil},
	{
		"F80 the answer of a CRM", jsonFile(`{"results":[{"id":"1","properties":{"name":"Acme","domain":"acme.example","numberofemployees":"12","country":"Germany"}},{"id":"2","properties":{"name":"Bolt","country":"France"}}],"paging":{}}`),
		[]facts{{"name": "Acme", "employees": "12", "country": "DE"}, {"name": "Bolt", "country": "FR"}},
		nil,
	},
}

func encoded(t *testing.T, e encoding.Encoding, text string) string {
	t.Helper()
	out, err := e.NewEncoder().String(text)
	require.NoError(t, err)
	return out
}

func encodedTraits(t *testing.T) []trait {
	t.Helper()
	guess := []string{"which is a guess", "--encoding"}
	return []trait{
		{
			"F52 Windows-1252 with semicolons",
			[]file{{"a.csv", encoded(t, charmap.Windows1252, "Firma;Ort;Mitarbeiter\nMüller & Söhne;Köln;1.234\nÖko;Wien;7\n")}},
			[]facts{{"name": "Müller & Söhne", "city": "Köln", "employees": "1234"}, {"name": "Öko"}},
			nil,
		},
		{"F53 UTF-16 without a mark", []file{{"a.txt", encoded(t, unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), strings.ReplaceAll(threeHead+threeRows, ",", "\t"))}}, threeFacts, nil},
		{"F54 Shift_JIS", []file{{"a.csv", encoded(t, japanese.ShiftJIS, "会社名,都市\n山田製作所,大阪\nテクノ商事,東京\n")}}, []facts{{"name": "山田製作所", "city": "大阪"}, {"name": "テクノ商事"}}, guess},
		{"F54b GB18030", []file{{"a.csv", encoded(t, simplifiedchinese.GB18030, "公司名称,城市\n北京软件公司,北京\n上海贸易公司,上海\n")}}, []facts{{"name": "北京软件公司", "city": "北京"}, {"name": "上海贸易公司"}}, guess},
		{"F54c Windows-1251 below English headers", []file{{"a.csv", encoded(t, charmap.Windows1251, "Company,City\nСтальной завод,Казань\nТехника,Москва\n")}}, []facts{{"name": "Стальной завод", "city": "Казань"}, {"name": "Техника"}}, guess},
		{
			"F54d Windows-1251 in the header, too",
			[]file{{"a.csv", encoded(t, charmap.Windows1251, "Компания,Website\nСтальной завод,stal.example\nТехника,tech.example\nСвязь,svyaz.example\n")}},
			[]facts{{"name": "Стальной завод", "domain": "stal.example"}, {"name": "Техника"}, {"name": "Связь"}},
			guess,
		},
	}
}

type parquetRow struct {
	Name      string           `parquet:"name,dict"`
	Founded   int32            `parquet:"founded,date"`
	Seen      time.Time        `parquet:"seen,timestamp(microsecond)"`
	Old       deprecated.Int96 `parquet:"incorporated_on"`
	Sectors   []string         `parquet:"industries,list"`
	Employees int64            `parquet:"employees,decimal(0:9)"`
	HQ        struct {
		City    string `parquet:"city"`
		Country string `parquet:"country"`
	} `parquet:"location"`
}

func binaryTraits(t *testing.T) []trait {
	t.Helper()
	acme := parquetRow{Name: "Acme", Founded: -23_741, Seen: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), Old: deprecated.Int96{0, 0, 2_438_854}, Sectors: []string{"Tools", "Steel"}, Employees: 1200}
	acme.HQ.City, acme.HQ.Country = "Bonn", "DE"
	var b bytes.Buffer
	w := parquet.NewGenericWriter[parquetRow](&b, parquet.Compression(&parquet.Zstd))
	_, err := w.Write([]parquetRow{acme})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	rows := [][]any{{"Company", "Website", "Employees"}, {"Acme", "acme.example", 1200}, {"Bolt", "bolt.example", 50}, {"Cog", "cog.example", 7}}
	return []trait{
		{
			"F81 F81b F81c F83 Parquet's dates, times, lists, groups and decimals",
			[]file{{"a.parquet", b.String()}},
			[]facts{{"name": "Acme", "founded": "1905", "@seen": "2020-01-02T03:04:05Z", "@incorporated_on": "1965-04-03T00:00:00Z", "industries": "Tools|Steel", "employees": "1200", "city": "Bonn", "country": "DE"}},
			nil,
		},
		{"F84 a zip with one table", []file{{"a.zip", zipped(t, file{"a.csv", threeHead + threeRows})}}, threeFacts, nil},
		{"F84b a zip with two tables", []file{{"a.zip", zipped(t, file{"a.csv", threeHead + "Acme,acme.example,1200\n"}, file{"b.csv", "Firma,Webseite,Mitarbeiter\nBolt,bolt.example,50\nCog,cog.example,7\n"})}}, threeFacts, nil},
		{"F84c a compressed tar", []file{{"a.tar.gz", gzipped(t, tarred(t, file{"a.csv", threeHead + threeRows}))}}, threeFacts, nil},
		{"F86 gzip of several members", []file{{"a.csv.gz", gzipped(t, threeHead) + gzipped(t, threeRows)}}, threeFacts, nil},
		{"F87 two sheets of one shape", []file{{"a.xlsx", workbook(t, [][][]any{rows[:2], {rows[0], rows[2], rows[3]}})}}, threeFacts, nil},
		{
			"F89 cells merged downwards",
			[]file{{"a.xlsx", workbook(t, [][][]any{{{"Country", "Company"}, {"Peru", "Acme"}, {"", "Bolt"}, {"Chile", "Cog"}}}, "A2", "A3")}},
			[]facts{{"name": "Acme", "country": "PE"}, {"name": "Bolt", "country": "PE"}, {"name": "Cog", "country": "CL"}},
			nil,
		},
		{
			"F50b F90 titles and a header in two rows in a workbook",
			[]file{{"a.xlsx", workbook(t, [][][]any{{{"Our customers"}, {}, {"Company", "Location", "", "Size"}, {"", "City", "Country", "Employees"}, {"Acme", "Bonn", "Germany", 12}}}, "B3", "C3")}},
			[]facts{{"name": "Acme", "city": "Bonn", "country": "DE", "employees": "12"}},
			nil,
		},
		{"F90 dates in a workbook", []file{{"a.xlsx", workbook(t, [][][]any{{{"Company", "Founded"}, {"Acme", time.Date(1987, 4, 3, 0, 0, 0, 0, time.UTC)}}})}}, []facts{{"name": "Acme", "founded": "1987"}}, nil},
		{"F90b a strict workbook", []file{{"a.xlsx", strict(t, workbook(t, [][][]any{rows}))}}, threeFacts, nil},
	}
}

func zipped(t *testing.T, files ...file) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f.name)
		require.NoError(t, err)
		_, err = w.Write([]byte(f.content))
		require.NoError(t, err)
	}
	require.NoError(t, z.Close())
	return b.String()
}

func tarred(t *testing.T, files ...file) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		require.NoError(t, w.WriteHeader(&tar.Header{Name: f.name, Mode: 0o600, Size: int64(len(f.content))}))
		_, err := w.Write([]byte(f.content))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.String()
}

func gzipped(t *testing.T, s string) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(s))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.String()
}

// workbook writes the sheets; in each, the cells between merged[0] and merged[1] are merged.
func workbook(t *testing.T, sheets [][][]any, merged ...string) string {
	t.Helper()
	f := excelize.NewFile()
	defer f.Close()
	for i, rows := range sheets {
		name := "Sheet" + strconv.Itoa(i+1)
		_, err := f.NewSheet(name)
		require.NoError(t, err)
		for r, row := range rows {
			require.NoError(t, f.SetSheetRow(name, "A"+strconv.Itoa(r+1), &row))
		}
		if len(merged) == 2 {
			require.NoError(t, f.MergeCell(name, merged[0], merged[1]))
		}
	}
	b, err := f.WriteToBuffer()
	require.NoError(t, err)
	return b.String()
}

// strict gives a workbook the namespaces of the strict variant of the format.
func strict(t *testing.T, book string) string {
	t.Helper()
	z, err := zip.NewReader(strings.NewReader(book), int64(len(book)))
	require.NoError(t, err)
	var files []file
	for _, f := range z.File {
		r, err := f.Open()
		require.NoError(t, err)
		var b bytes.Buffer
		_, err = b.ReadFrom(r)
		require.NoError(t, err)
		content := strings.NewReplacer("http://schemas.openxmlformats.org/spreadsheetml/2006/main", "http://purl.oclc.org/ooxml/spreadsheetml/main",
			"http://schemas.openxmlformats.org/officeDocument/2006/relationships", "http://purl.oclc.org/ooxml/officeDocument/relationships").Replace(b.String())
		files = append(files, file{f.Name, content})
	}
	return zipped(t, files...)
}

func TestWhatIsNoTableIsRefusedByItsName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, content, says string }{
		{"F65 page.csv", "<!DOCTYPE html><html><body><table><tr><td>Company</td></tr></table></body></html>", "HTML"},
		{"F67 list.yaml", "companies:\n  - name: Acme\n    domain: acme.example\n  - name: Bolt\n", "YAML"},
		{"F69 page.json", "<html><head><title>Sign in</title></head><body></body></html>", "HTML"},
		{"F85 packed.csv.bz2", "BZh91AY&SY\x01\x02\x03\x04\x05\x06", "bunzip2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := catalog.New(dbtest.SQLite(t))
			_, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: []string{write(t, strings.Fields(c.name)[1], c.content)}})
			require.ErrorContains(t, err, c.says)
			require.Empty(t, all(t, b))
		})
	}
}

// The traits above are the cases that users complained of; the numbers that are missing are of searches, exports and lists.
func TestEveryCaseOfTheFieldHasATrait(t *testing.T) {
	t.Parallel()
	have := map[string]bool{"F65": true, "F67": true, "F69": true, "F85": true}
	for _, traits := range [][]trait{peopleTraits, columnTraits, placeTraits, identityTraits, textTraits, jsonTraits, encodedTraits(t), binaryTraits(t)} {
		for _, tr := range traits {
			for _, id := range strings.Fields(tr.name) {
				have[id] = true
			}
		}
	}
	for id := range strings.FieldsSeq(`F01 F01b F01c F01d F01e F04 F04b F05 F05b F07 F08 F08b F100 F101 F11 F11b F11c F12 F12b F14 F15 F17 F18 F20 F20b F21 F22 F23 F24
		F26 F27 F28 F29 F29b F31 F31b F31c F32 F32b F34 F35 F36 F38 F38b F39 F39b F42 F43 F44 F46 F47 F47b F49 F50 F50b F51 F52 F53 F54 F54b F54c F54d F56
		F57 F58 F58b F59 F60 F61 F62 F63 F64 F65 F67 F69 F70 F72 F73 F73b F74 F76 F77 F77b F77c F78 F79 F80 F81 F81b F81c F83 F84 F84b F84c F85 F86 F87 F89
		F90 F90b F92 F93 F94 F95 F98 F99 F99b`) {
		require.True(t, have[id], id)
	}
}

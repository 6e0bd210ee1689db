package importer_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
)

func TestNamesOfPeopleAreNotCompanies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"beside a company, an email and a job title": {
			"Full Name,Position,Employer,Work Email\nAda Moss,Head of Sales,Acme,ada@acme.example\nBo Reed,Buyer,Bolt,bo@bolt.example\n", []string{"Acme", "Bolt"},
		},
		"beside a company alone": {"nombre,empresa\nAda Moss,Acme SA\nBo Reed,Bolt SL\n", []string{"Acme SA", "Bolt SL"}},
		"several contacts of one company": {
			"Name,Title,Company,City\nAda Moss,CEO,Acme,Bonn\nBo Reed,CTO,Acme,Ulm\nCy Hart,CFO,Bolt,Ulm\n", []string{"Acme", "Bolt"},
		},
		"first and last names": {
			"First Name,Last Name,Title,Company\nAda,Moss,CEO,Acme\nBo,Reed,CTO,Acme\n", []string{"Acme"},
		},
		"without a company, by the domain": {
			"Name,Job Title,Website\nAda Moss,CEO,acme.example\nBo Reed,Sales Manager,bolt.example\n", []string{"acme.example", "bolt.example"},
		},
		"without a company, by the email address": {
			"Name,First Name,Email\nAda Moss,Ada,am@acme.example\nBo Reed,Bo,bo@gmail.com\n", []string{"acme.example"},
		},
		// No lists of people.
		"companies with a contact": {
			"Name,Contact Name,Email,Website\nAcme,Ada Moss,ada@acme.example,acme.example\nBolt,Bo Reed,bo@bolt.example,bolt.example\n", []string{"Acme", "Bolt"},
		},
		"companies with the job title of their contact": {
			"Name,Title,Website\nAcme Tools,CEO,acme.example\nBolt Foods,CTO,bolt.example\n", []string{"Acme Tools", "Bolt Foods"},
		},
		"companies with their group": {
			"Name,Company,Website\nAcme Ltd,Zeta Group,acme.example\nBolt Ltd,Zeta Group,bolt.example\n", []string{"Acme Ltd", "Bolt Ltd"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := catalog.New(dbtest.SQLite(t))
			load(t, b, write(t, "a.csv", c.file))
			require.Equal(t, c.want, names(t, b))
			load(t, b, write(t, "b.csv", c.file))
			require.Equal(t, c.want, names(t, b), "the file again adds nothing")
		})
	}
}

func TestTheProfileOfAPersonIsNotTheCompanysPage(t *testing.T) {
	t.Parallel()
	c, _ := one(t, "a.csv", "Company,LinkedIn\nAcme,https://www.linkedin.com/in/ada-moss\n", importer.Mapping{})
	require.Empty(t, c.LinkedInURL)
	require.Equal(t, "https://www.linkedin.com/in/ada-moss", c.Attributes["LinkedIn"])
}

func TestColumnsOfCodesAreNotNames(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"5299000J2N45DDNE4Y28", "DE0007164600", "DEUTDEFF500", "HRB 12345", "ACME"} {
		c, _ := one(t, "a.csv", "code,label\n"+code+",Acme Works\n"+code[:len(code)-1]+"1,Bolt Works\n"+code[:len(code)-1]+"2,Cog Works\n", importer.Mapping{})
		require.Equal(t, "Acme Works", c.Name, code)
	}
}

func TestSharedSitesAreNotDomains(t *testing.T) {
	t.Parallel()
	for site, want := range map[string]string{
		"acme@gmail.com": "", "acme@yahoo.co.jp": "", "http://www.hotmail.it": "", "info@acme.example": "acme.example", "co.uk": "", "github.io": "",
		"https://facebook.com/acme": "", "acme.github.io": "acme.github.io", "acmegmail.com": "acmegmail.com",
	} {
		for _, header := range []string{"Website", "Domain"} {
			c, _ := one(t, "a.csv", "Company,"+header+"\nAcme,"+site+"\n", importer.Mapping{})
			require.Equal(t, want, c.Domain, header+" "+site)
			if want == "" && c.Website == "" {
				require.Equal(t, site, c.Attributes[header])
			}
		}
	}
	c, _ := one(t, "a.csv", "Company,Website\n\"Yahoo, Inc.\",https://www.yahoo.com\n", importer.Mapping{})
	require.Equal(t, "yahoo.com", c.Domain, "the owner's own")
}

func TestTheFirstOfSeveralAddressesIsTheDomain(t *testing.T) {
	t.Parallel()
	for _, cell := range []string{
		"acme.example, acme.test", "https://www.acme.example http://acme.test", "acme.example | acme.test", "acme.example and acme.test", "acme.example; acme.test",
	} {
		for _, header := range []string{"Website", "Domain", "Domains", "URLs"} {
			c, _ := one(t, "a.csv", "Company,"+header+"\nAcme,\""+cell+"\"\n", importer.Mapping{})
			require.Equal(t, "acme.example", c.Domain, header+" "+cell)
			require.Equal(t, cell, c.Attributes[header])
		}
	}
}

func TestANumberAsAnIDAloneNeverMatches(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	load(t, b, write(t, "a.csv", "id,name,domain\n1,Acme,acme.example\n2,Bolt,\n"))
	load(t, b, write(t, "b.csv", "rank id,id,name,city\nx,1,Cog,Ulm\nx,2,Dent,Ulm\nx,3,Elm,Ulm\n"))
	require.Equal(t, []string{"Acme", "Bolt", "Cog", "Dent", "Elm"}, names(t, b))
	load(t, b, write(t, "c.csv", "id,name,city\n1,Acme,Bonn\n2,Bolt,Bonn\n"))
	require.Len(t, names(t, b), 5)
	require.Equal(t, "Bonn", all(t, b)[0].City)
}

func TestTwoLinkedInPagesAreTwoCompanies(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	load(t, b, write(t, "a.csv", "name,domain,linkedin\nAcme,acme.example,https://www.linkedin.com/company/acme/\nBolt,,linkedin.com/company/bolt\n"))
	load(t, b, write(t, "b.csv", "name,domain,linkedin\nAcme,acme.example,linkedin.com/company/acme-labs\nBolt,,linkedin.com/company/bolt-foods\n"))
	require.Equal(t, []string{"Acme", "Bolt", "Acme", "Bolt"}, names(t, b))
	load(t, b, write(t, "c.csv", "name,linkedin,city\nBolt,https://de.linkedin.com/company/Bolt?trk=x,Ulm\n"))
	require.Equal(t, "Ulm", all(t, b)[1].City)
}

func TestLegalFormsAndStatesAreNotIndustries(t *testing.T) {
	t.Parallel()
	for header, value := range map[string]string{
		"Company Type": "For Profit", "Organization Type": "Privately Held", "CompanyCategory": "Private Limited Company", "Business Type": "GmbH & Co KG",
		"Category": "Active", "type": "Sociedad Anónima",
	} {
		c, _ := one(t, "a.csv", "Company,"+header+",Industry\nAcme,"+value+",Tools\nBolt,"+value+",Food\n", importer.Mapping{})
		require.Equal(t, []string{"Tools"}, c.Industries, header)
		require.Equal(t, value, c.Attributes[header])
	}
	c, _ := one(t, "a.csv", "Company,Category,Industry\nAcme,Private Equity,Government\nBolt,Public Transport,Government\n", importer.Mapping{})
	require.ElementsMatch(t, []string{"Private Equity", "Government"}, c.Industries)
}

func TestSalesRegionsAreNotStates(t *testing.T) {
	t.Parallel()
	for _, region := range []string{"EMEA", "APAC", "Latam", "North America", "DACH", "Europe"} {
		c, _ := one(t, "a.csv", "Company,Region\nAcme,"+region+"\n", importer.Mapping{})
		require.Empty(t, c.State, region)
		require.Equal(t, region, c.Attributes["Region"])
	}
	c, _ := one(t, "a.csv", "Company,Region\nAcme,Bavaria\nBolt,EMEA\nCog,Saxony\n", importer.Mapping{})
	require.Equal(t, "Bavaria", c.State)
}

func TestFoundingDatesAreReadUnderEveryUsualHeader(t *testing.T) {
	t.Parallel()
	for header, value := range map[string]string{
		"Incorporation Date": "25/06/1999", "DATE OF INCORPORATION": "1999-06-25", "launchYear": "1999", "Inception": "1999-01-01T00:00:00Z",
		"Entity.EntityCreationDate": "1999-06-25T00:00:00Z", "Gründungsdatum": "25.06.1999", "fecha_de_constitucion": "25-06-1999", "設立年月日": "1999年6月25日",
	} {
		c, _ := one(t, "a.csv", "Company,"+header+"\nAcme,"+value+"\n", importer.Mapping{})
		require.NotNil(t, c.FoundedYear, header)
		require.Equal(t, int64(1999), *c.FoundedYear, header)
	}
}

func TestTheBoundsOfARangeMayHaveTwoColumns(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"employees_min,employees_max", "Min Employees,Max Employees", "Headcount Min,Headcount Max"} {
		c, _ := one(t, "a.csv", "Company,"+header+"\nAcme,51,200\n", importer.Mapping{})
		require.Equal(t, int64(51), *c.EmployeeCount, header)
		require.Equal(t, "51-200", c.Attributes["employee_range"], header)
	}
	c, _ := one(t, "a.csv", "Company,employees_min,employees_max\nAcme,10001,\n", importer.Mapping{})
	require.Equal(t, int64(10001), *c.EmployeeCount)
	c, _ = one(t, "a.csv", "Company,Employees\nAcme,0-1\n", importer.Mapping{})
	require.Equal(t, "0-1", c.Attributes["employee_range"])
}

func TestNumberedColumnsAreOneList(t *testing.T) {
	t.Parallel()
	c, _ := one(t, "a.csv", "Company,Sector 1,Sector_2,Tech3,Investor 1,Investors Names\nAcme,Tools,Steel,Go,Zeta,Eta\n", importer.Mapping{})
	require.Equal(t, []string{"Tools", "Steel"}, c.Industries)
	require.Len(t, c.Connections, 2)
}

func TestDottedAndLabelledHeadersAreMapped(t *testing.T) {
	t.Parallel()
	c, _ := one(t, "a.csv", "LEI,Entity.LegalName,Entity.LegalAddress.City,Entity.LegalAddress.Country\n"+
		"529900XXXXXXXXXXXX01,Acme GmbH,Bonn,DE\n", importer.Mapping{})
	require.Equal(t, []string{"Acme GmbH", "Bonn", "Germany"}, []string{c.Name, c.City, c.Country})
	c, _ = one(t, "a.csv", "item,itemLabel,countryLabel\nhttp://wiki.example/Q1,Acme,France\n", importer.Mapping{})
	require.Equal(t, []string{"Acme", "France", ""}, []string{c.Name, c.Country, c.Domain})
	c, _ = one(t, "a.csv", "Companies,Country/Territory,City  Location,LinkedIn Company Page\nAcme,FR,Lyon,linkedin.com/company/acme\n", importer.Mapping{})
	require.Equal(t, []string{"Acme", "France", "Lyon", "linkedin.com/company/acme"}, []string{c.Name, c.Country, c.City, c.LinkedInURL})
}

func TestACityMayBeFollowedByItsStateAndCountry(t *testing.T) {
	t.Parallel()
	for cells, want := range map[string][]string{
		`"Austin, TX",USA`: {"Austin", "Texas", "US"}, `"Lyon, Rhône, France",France`: {"Lyon", "Rhône", "FR"}, `"Bonn, Germany",`: {"Bonn", "", "DE"},
		`"Toronto, Ontario",`: {"Toronto", "Ontario", ""}, `Singapore,Singapore`: {"Singapore", "", "SG"}, `"Berlin, Mitte",DE`: {"Berlin, Mitte", "", "DE"},
	} {
		c, _ := one(t, "a.csv", "Company,City,Country\nAcme,"+cells+"\n", importer.Mapping{})
		require.Equal(t, want, []string{c.City, c.State, c.CountryCode}, cells)
	}
	for cell, want := range map[string][]string{
		"Sao Paulo": {"Sao Paulo", ""}, "Singapore": {"Singapore", "SG"}, "Washington D.C.": {"Washington D.C.", ""}, "Texas": {"", "US"}, "Germany": {"", "DE"},
	} {
		c, _ := one(t, "a.csv", "Company,Location\nAcme,"+cell+"\n", importer.Mapping{})
		require.Equal(t, want, []string{c.City, c.CountryCode}, cell)
	}
	c, _ := one(t, "a.csv", "Company,Country\nAcme,\"Congo, Dem. Rep.\"\n", importer.Mapping{})
	require.Equal(t, "CD", c.CountryCode)
}

func TestAPlaceWithoutACertainCountryIsReportedAndKept(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"Location", "City"} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			file := "Company," + header + "\nAcme,\"Lyon, FR\"\nBolt,\"Cambridge, MA\"\nCog,\"Hometown, MA\"\n"
			b, s := loadWith(t, importer.Options{Files: []string{write(t, "a.csv", file)}})
			c := all(t, b)
			require.Equal(t, []string{"Lyon", "FR"}, []string{c[0].City, c[0].CountryCode})
			require.Equal(t, []string{"Cambridge", "Massachusetts", "US"}, []string{c[1].City, c[1].State, c[1].CountryCode})
			require.Equal(t, []string{"Hometown", "", ""}, []string{c[2].City, c[2].State, c[2].CountryCode})
			require.Equal(t, "Hometown, MA", c[2].Attributes[header])
			require.Equal(t, []importer.Unparsed{{Column: header, Count: 1, Samples: []importer.Sample{{File: s.Sources[0].File, Line: 4, Detail: "Hometown, MA"}}}}, s.Unparsed)
			require.Contains(t, s.Sources[0].Columns[1].Note, `"Hometown, MA" may be a state or a country`)

			b, s = loadWith(t, importer.Options{Files: []string{write(t, "a.csv", file)}, Mapping: importer.Mapping{Set: map[string]string{"country": "US"}}})
			require.Equal(t, "Massachusetts", all(t, b)[2].State, "the country says what the code is")
			require.Empty(t, s.Unparsed)
		})
	}
}

func TestThePlaceIsThatOfOneAddress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"headquarters before the legal address":   {"Name,Legal City,Legal Region,Legal Country,HQ City,HQ Region,HQ Country\nAcme,Bonn,Hesse,DE,Lyon,,FR\n", []string{"Lyon", "", "FR"}},
		"the legal address without another":       {"Name,Legal City,Legal Region,Legal Country,HQ City,HQ Region,HQ Country\nAcme,Bonn,Hesse,DE,,,\n", []string{"Bonn", "Hesse", "DE"}},
		"without a prefix first":                  {"Name,HQ City,HQ Country,City,Country\nAcme,Bonn,DE,Lyon,FR\n", []string{"Lyon", "", "FR"}},
		"one address in two manners":              {"Name,City,HQ Country\nAcme,Lyon,FR\n", []string{"Lyon", "", "FR"}},
		"a country of origin beside an address":   {"Name,CountryOfOrigin,RegAddress.PostTown,RegAddress.Country\nAcme,Peru,Hull,England\n", []string{"Hull", "", "GB"}},
		"the same without the address's country":  {"Name,CountryOfOrigin,RegAddress.PostTown,RegAddress.Country\nAcme,United Kingdom,Hull,\n", []string{"Hull", "", "GB"}},
		"the company before its contact":          {"First Name,Company,City,Country,Company City,Company Country\nAda,Acme,Bonn,DE,Lyon,FR\n", []string{"Lyon", "", "FR"}},
		"where it is registered, if nothing else": {"Name,jurisdiction_code\nAcme,us_de\n", []string{"", "", "US"}},
		"a state as ISO 3166-2 writes it":         {"Name,City,Region,Country\nAcme,San Jose,US-CA,US\n", []string{"San Jose", "California", "US"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _ := one(t, "a.csv", c.file, importer.Mapping{})
			require.Equal(t, c.want, []string{got.City, got.State, got.CountryCode})
		})
	}
	c, _ := one(t, "a.csv", "Name,Legal City,HQ City\nAcme,Bonn,Lyon\n", importer.Mapping{})
	require.Equal(t, "Bonn", c.Attributes["Legal City"], "the other address is kept")
}

func TestCompaniesWithAMailboxAreNoContacts(t *testing.T) {
	t.Parallel()
	b, _ := loadWith(t, importer.Options{Files: []string{write(t, "a.csv", "Company,Website,Email\nAcme,shared.example,info@shared.example\nBolt,shared.example,sales@shared.example\n")}})
	require.Equal(t, []string{"Acme", "Bolt"}, names(t, b), "two companies that share a site")
}

func TestCountsOfConnectedCompaniesAreKept(t *testing.T) {
	t.Parallel()
	c, _ := one(t, "a.csv", "Company,Investors,Parent\nAcme,Zeta,77\nBolt,3,\n", importer.Mapping{})
	require.Len(t, c.Connections, 1)
	require.Equal(t, "77", c.Attributes["Parent"])
	b, _ := loadWith(t, importer.Options{Files: []string{write(t, "a.csv", "Company,Investors\nAcme,Zeta\nBolt,3\n")}})
	require.Equal(t, "3", all(t, b)[1].Attributes["Investors"])
}

func TestARangeOfSectorsIsEachOfThem(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string][]string{
		"31-33": {"31", "32", "33"}, "44–45": {"44", "45"}, "48 to 49": {"48", "49"}, "31-33 Manufacturing": {"31", "32", "33"}, "332216": {"332216"},
		"31-33; 51": {"31", "32", "33", "51"}, "11-99": {"11-99"},
	} {
		c, _ := one(t, "a.csv", "Company,NAICS Code\nAcme,"+cell+"\n", importer.Mapping{})
		require.Equal(t, want, c.NAICSCodes, cell)
	}
}

func TestColumnsOfConnectedCompaniesMayNameTheirDomainAndKind(t *testing.T) {
	t.Parallel()
	for cells, want := range map[string][]string{
		"Partners\nAcme,SAP (sap.example)":                                   {"partner SAP sap.example"},
		"Partners\nAcme,vendor: SAP (sap.example); Bolt (bolt.example)":      {"partner Bolt bolt.example", "vendor SAP sap.example"},
		"Competitors\nAcme,\"Bolt (bolt.example), Cog, Inc. (cog.example)\"": {"competitor Bolt bolt.example", "competitor Cog, Inc. cog.example"},
		"Subsidiaries\nAcme,Acme North (Region 1)|Customer: Bolt":            {"Customer Bolt ", "subsidiary Acme North (Region 1) "},
		"Main Competitors\nAcme,Star: The Company":                           {"competitor Star: The Company "},
	} {
		c, _ := one(t, "a.csv", "Company,"+cells+"\n", importer.Mapping{})
		got := []string{}
		for _, x := range c.Connections {
			got = append(got, x.Category+" "+x.Name+" "+x.Domain)
		}
		require.ElementsMatch(t, want, got, cells)
	}
}

func TestACountryThatNobodyKnowsIsReportedAndKeptAsWritten(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"Country", "Country Code"} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			b, s := loadWith(t, importer.Options{Files: []string{write(t, "a.csv", "Company,"+header+"\nAcme,Deutchland\nBolt,Chile\nCog,\nDot,n/a\n")}})
			c := all(t, b)
			require.Equal(t, []string{"Deutchland", ""}, []string{c[0].Country, c[0].CountryCode})
			require.Equal(t, "CL", c[1].CountryCode)
			require.Equal(t, []importer.Unparsed{{Column: header, Count: 1, Samples: []importer.Sample{{File: s.Sources[0].File, Line: 2, Detail: "Deutchland"}}}}, s.Unparsed)
		})
	}
}

package importer_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
)

// A product is something whose exports people load. columns has a line for each published column: its name, what it is read
// into, and a value. "attributes" means that it is kept under its own name, and "-" that it is deliberately not read. The
// values are made up.
type product struct {
	name    string
	columns string // of a table
	json    string // of a document, whose members columns names without values
	want    facts
}

// products are the columns as these documents list them.
var products = []product{
	{
		// https://docs.peopledatalabs.com/docs/company-schema and /example-company-record
		name: "People Data Labs, company schema",
		json: `{"id":"tnHcX","name":"acme tools","display_name":"Acme Tools","size":"51-200","employee_count":84,"linkedin_follower_count":7,"founded":2015,
			"inferred_revenue":"$50M-$100M","industry":"computer software","industry_v2":"software development",
			"naics":[{"naics_code":"513210","sector":"information","sub_sector":"publishing"}],"sic":[{"sic_code":"7372"}],
			"location":{"name":"austin, texas, united states","locality":"austin","region":"texas","metro":"austin, texas","country":"united states","continent":"north america",
			"street_address":"1 main street","address_line_2":null,"postal_code":"78701","geo":"30.2,-97.7"},
			"linkedin_id":"18170482","linkedin_url":"linkedin.com/company/acmetools","linkedin_slug":"acmetools","facebook_url":"facebook.com/acmetools","twitter_url":"twitter.com/acmetools",
			"profiles":["linkedin.com/company/acmetools"],"website":"acme.example","ticker":null,"mic_exchange":null,"type":"private","summary":"Tools for everybody.","headline":"Tools",
			"tags":["anvils","hammers"],"alternative_names":["acme"],"alternative_domains":["acme.test"],"affiliated_profiles":["zeta"],"total_funding_raised":45250000,
			"latest_funding_stage":"series_b","last_funding_date":"2021-11-16","number_funding_rounds":4,"funding_stages":["seed"],"employee_count_by_country":{"united states":50},
			"dataset_version":"31.0","ultimate_parent":"zeta-holdings","parent":"zeta","immediate_parent":"zeta"}`,
		columns: `id = id
			name = name
			display_name = name
			size = employee_count
			employee_count = employee_count
			linkedin_follower_count = attributes
			founded = founded_year
			inferred_revenue = attributes
			industry = industries
			industry_v2 = industries
			naics = naics_codes
			sic = attributes
			location.name = location
			location.locality = city
			location.region = state
			location.metro = attributes
			location.country = country
			location.continent = attributes
			location.street_address = attributes
			location.postal_code = postal_code
			location.geo = attributes
			linkedin_id = attributes
			linkedin_url = linkedin_url
			linkedin_slug = attributes
			facebook_url = attributes
			twitter_url = attributes
			profiles = attributes
			website = website
			type = attributes
			summary = description
			headline = attributes
			tags = industries
			alternative_names = attributes
			alternative_domains = attributes
			affiliated_profiles = attributes
			total_funding_raised = attributes
			latest_funding_stage = attributes
			last_funding_date = attributes
			number_funding_rounds = attributes
			funding_stages = attributes
			employee_count_by_country.united states = attributes
			dataset_version = attributes
			ultimate_parent = connections.parent
			parent = connections.parent
			immediate_parent = connections.parent`,
		want: facts{
			"name": "acme tools", "domain": "acme.example", "city": "austin", "state": "Texas", "country": "US", "employees": "84", "founded": "2015", "naics": "513210",
			"linkedin_url": "linkedin.com/company/acmetools", "@size": "51-200", "description": "Tools for everybody.", "+parent": "zeta|zeta-holdings", "@display_name": "Acme Tools",
		},
	},
	{
		// https://docs.peopledatalabs.com/docs/free-company-dataset
		name: "People Data Labs, free company dataset",
		columns: `country = country : united states
			founded = founded_year : 1999
			id = id : acme-tools
			industry = industries : machinery
			linkedin_url = linkedin_url : linkedin.com/company/acme-tools
			locality = city : austin
			name = name : acme tools
			region = state : texas
			size = employee_count : 11-50
			website = website : acme.example`,
		want: facts{"name": "acme tools", "country": "US", "state": "Texas", "city": "austin", "employees": "11", "founded": "1999", "domain": "acme.example"},
	},
	{
		name: "People Data Labs, dataset of 2019",
		columns: `name = name : acme tools
			domain = domain : acme.example
			year founded = founded_year : 1999.0
			industry = industries : machinery
			size range = employee_count : 10001+
			locality = city : austin, texas, united states
			country = country : united states
			linkedin url = linkedin_url : linkedin.com/company/acme-tools
			current employee estimate = employee_count : 27404
			total employee estimate = attributes : 71690`,
		want: facts{"name": "acme tools", "country": "US", "state": "Texas", "city": "austin", "employees": "27404", "@size range": "10001+", "@total employee estimate": "71690"},
	},
	{
		// https://data.crunchbase.com/docs/daily-csv-export
		name: "Crunchbase, organizations.csv of the daily export",
		columns: `uuid = id : e1393508-30ea-8a36-3f96-dd3226033abd
			name = name : Acme
			type = attributes : organization
			permalink = attributes : acme
			cb_url = attributes : https://www.crunchbase.com/organization/acme
			rank = attributes : 145154
			created_at = - : 2007-05-25 13:51:27
			updated_at = - : 2019-06-24 22:19:25
			legal_name = name : Acme Tools Inc.
			roles = attributes : company,investor
			domain = domain : acme.example
			homepage_url = website : http://www.acme.example/
			country_code = country_code : USA
			state_code = state : NY
			region = state : New York
			city = city : New York
			address = attributes : 1 Broadway
			postal_code = postal_code : 10010
			status = attributes : acquired
			short_description = description : Tools for everybody.
			category_list = industries : Tools,Steel
			category_groups_list = industries : Manufacturing
			num_funding_rounds = attributes : 3
			total_funding_usd = attributes : 39750000
			total_funding = attributes : 39750000
			total_funding_currency_code = attributes : USD
			founded_on = founded_year : 2005-10-17
			last_funding_on = attributes : 2008-05-19
			closed_on = attributes :
			employee_count = employee_count : 51-100
			email = attributes : info@acme.example
			phone = attributes : 206-555-0100
			facebook_url = attributes : https://www.facebook.com/acme
			linkedin_url = linkedin_url : https://www.linkedin.com/company/acme
			twitter_url = attributes : https://twitter.com/acme
			logo_url = attributes : https://images.example/acme.png
			alias1 = attributes : Acme Works
			alias2 = attributes :
			alias3 = attributes :
			primary_role = attributes : company
			num_exits = attributes : 1`,
		want: facts{
			"name": "Acme", "domain": "acme.example", "country": "US", "state": "New York", "city": "New York", "employees": "51", "founded": "2005",
			"industries": "Tools|Steel|Manufacturing", "@legal_name": "Acme Tools Inc.", "@alias1": "Acme Works", "@region": "New York", "description": "Tools for everybody.",
		},
	},
	{
		// https://support.crunchbase.com, export of a search
		name: "Crunchbase, export of a search",
		columns: `Organization Name = name : Acme
			Organization Name URL = attributes : https://www.crunchbase.com/organization/acme
			Industries = industries : Software, Tools
			Headquarters Location = location : Munich, Bayern, Germany
			Description = description : Tools for everybody.
			CB Rank (Company) = attributes : 252
			Founded Date = founded_year : 2005-01-01
			Founded Date Precision = attributes : year
			Operating Status = attributes : Active
			Company Type = attributes : For Profit
			Website = website : https://www.acme.example
			Twitter = attributes : https://twitter.com/acme
			Facebook = attributes : https://www.facebook.com/acme
			LinkedIn = linkedin_url : https://www.linkedin.com/company/acme
			Contact Email = attributes : info@acme.example
			Phone Number = attributes : 206-555-0100
			Number of Articles = attributes : 12
			Hub Tags = attributes : Unicorn
			Full Description = description : Anvils and hammers.
			Actively Hiring = attributes : No
			Number of Sub-Orgs = attributes : 2
			Industry Groups = industries : Manufacturing
			Number of Founders = attributes : 2
			Founders = attributes : Ada Moss, Bo Reed
			Number of Employees = employee_count : 51-100
			Number of Funding Rounds = attributes : 3
			Funding Status = attributes : Early Stage Venture
			Last Funding Date = attributes : 2021-11-16
			Last Funding Type = attributes : Series B
			Total Funding Amount = attributes : 1361500000
			Total Funding Amount Currency = attributes : EUR
			Total Funding Amount (in USD) = attributes : 1519386783
			Top 5 Investors = connections.investor : Zeta Capital, Eta Ventures
			Number of Lead Investors = attributes : 1
			Number of Investors = attributes : 2
			Number of Acquisitions = attributes : 0
			Acquired by = connections.acquirer : Omega
			Acquired by URL = attributes : https://www.crunchbase.com/organization/omega
			Headquarters Regions = attributes : European Union (EU)
			Postal Code = postal_code : 80331
			Estimated Revenue Range = attributes : $1B to $10B
			Similar Companies = attributes : 12
			Stock Symbol = attributes : ACME
			Last Leadership Hiring Date = attributes :
			Last Layoff Mention Date = attributes :
			Number of Events = attributes :
			Trend Score (7 Days) = attributes :
			Trend Score (30 Days) = attributes :
			Trend Score (90 Days) = attributes :
			SEMrush - Monthly Visits = attributes :
			SEMrush - Average Visits (6 months) = attributes :
			SEMrush - Monthly Visits Growth = attributes :
			SEMrush - Visit Duration = attributes :
			SEMrush - Visit Duration Growth = attributes :
			SEMrush - Page Views / Visit = attributes :
			SEMrush - Page Views / Visit Growth = attributes :
			SEMrush - Bounce Rate Growth = attributes :
			SEMrush - Bounce Rate = attributes :
			SEMrush - Global Traffic Rank = attributes :
			SEMrush - Monthly Rank Change (#) = attributes :
			SEMrush - Monthly Rank Growth = attributes :
			Apptopia - Number of Apps = attributes :
			Apptopia - Downloads Last 30 Days = attributes :
			IPO Date = attributes :
			IPO Status = attributes :
			Stock Symbol URL = attributes :
			Stock Exchange = attributes :
			Valuation at IPO = attributes :
			Valuation at IPO Currency = attributes :
			Valuation at IPO Currency (in USD) = attributes :
			Money Raised at IPO = attributes :
			Money Raised at IPO Currency = attributes :
			Money Raised at IPO Currency (in USD) = attributes :`,
		want: facts{
			"name": "Acme", "city": "Munich", "state": "Bayern", "country": "DE", "employees": "51", "founded": "2005", "industries": "Software|Tools|Manufacturing",
			"+investor": "Eta Ventures|Zeta Capital", "+acquirer": "Omega", "@Similar Companies": "12",
		},
	},
	{
		// https://github.com/notpeter/crunchbase-data, companies.csv
		name: "Crunchbase, companies.csv of 2015",
		columns: `permalink = attributes : /organization/acme
			name = name : Acme
			homepage_url = website : http://acme.example
			category_list = industries : Tools|Steel
			funding_total_usd = attributes : 8699999
			status = attributes : acquired
			country_code = country_code : FRA
			state_code = state : A8
			region = state : Paris
			city = city : Paris
			funding_rounds = attributes : 4
			founded_at = founded_year : 2009-01-01
			first_funding_at = attributes : 2010-02-03
			last_funding_at = attributes : 2015-02-10`,
		want: facts{"name": "Acme", "domain": "acme.example", "country": "FR", "city": "Paris", "founded": "2009", "industries": "Tools|Steel"},
	},
	{
		// https://knowledge.apollo.io, export of accounts
		name: "Apollo, accounts",
		columns: `Company = name : Acme Tools
			Company Name for Emails = attributes : Acme
			Account Stage = attributes : Cold
			Lists = attributes : fair
			# Employees = employee_count : 51
			Industry = industries : machinery
			Account Owner = attributes : ada@seller.example
			Website = website : http://www.acme.example
			Company Linkedin Url = linkedin_url : http://www.linkedin.com/company/acme
			Facebook Url = attributes : https://facebook.com/acme
			Twitter Url = attributes : https://twitter.com/acme
			Company Street = attributes : 1 St
			Company City = city : Austin
			Company State = state : Texas
			Company Country = country : United States
			Company Postal Code = postal_code : 78701
			Company Address = attributes : 1 St, Austin, Texas, United States
			Keywords = industries : anvils, hammers
			Company Phone = attributes : +1 512-555-0100
			SEO Description = attributes : Buy tools here
			Technologies = technologies : Nginx, Redis
			Total Funding = attributes : 1000000
			Latest Funding = attributes : Series A
			Latest Funding Amount = attributes : 1000000
			Last Raised At = attributes : 2020-01-01
			Annual Revenue = attributes : 5000000
			Number of Retail Locations = attributes : 3
			Apollo Account Id = attributes : 5f1
			SIC Codes = attributes : 3423
			NAICS Codes = naics_codes : 332216
			Founded Year = founded_year : 1988
			Logo Url = attributes : https://logo.example/a.png
			Short Description = description : Tools for everybody.
			Subsidiary of = connections.parent : Zeta Holdings
			Subsidiary of (Organization ID) = attributes : 5f2
			Primary Intent Topic = attributes : anvils
			Primary Intent Score = attributes : 7`,
		want: facts{
			"name": "Acme Tools", "city": "Austin", "state": "Texas", "country": "US", "employees": "51", "technologies": "Nginx|Redis", "naics": "332216", "founded": "1988",
			"+parent": "Zeta Holdings", "@Company Address": "1 St, Austin, Texas, United States",
		},
	},
	{
		// https://knowledge.apollo.io, export of contacts; City, State and Country are those of the person
		name: "Apollo, contacts",
		columns: `First Name = attributes : Ada
			Last Name = attributes : Moss
			Title = attributes : VP of Sales
			Company = name : Acme Tools
			Company Name for Emails = attributes : Acme
			Email = attributes : ada@acme.example
			Email Status = attributes : Verified
			Seniority = attributes : vp
			Departments = attributes : Sales
			Work Direct Phone = attributes : +1 512-555-0101
			Mobile Phone = attributes : +1 512-555-0102
			Corporate Phone = attributes : +1 512-555-0100
			Stage = attributes : Cold
			# Employees = employee_count : 51
			Industry = industries : machinery
			Keywords = industries : anvils, hammers
			Person Linkedin Url = attributes : http://www.linkedin.com/in/adamoss
			Website = website : http://www.acme.example
			Company Linkedin Url = linkedin_url : http://www.linkedin.com/company/acme
			Facebook Url = attributes : https://facebook.com/acme
			Twitter Url = attributes : https://twitter.com/acme
			City = attributes : Lyon
			State = attributes : Rhone
			Country = attributes : France
			Company Address = attributes : 1 St, Austin, Texas, United States
			Company City = city : Austin
			Company State = state : Texas
			Company Country = country : United States
			Company Phone = attributes : +1 512-555-0100
			Technologies = technologies : Nginx, Redis
			Annual Revenue = attributes : 5000000
			Apollo Contact Id = attributes : 5f1
			Apollo Account Id = attributes : 5f2
			Company Name = name : Acme Tools
			Primary Email Source = attributes :
			Primary Email Verification Source = attributes :
			Email Confidence = attributes :
			Primary Email Catch-all Status = attributes :
			Primary Email Last Verified At = attributes :
			Sub Departments = attributes :
			Contact Owner = attributes :
			Home Phone = attributes :
			Other Phone = attributes :
			Do Not Call = attributes :
			Lists = attributes :
			Last Contacted = attributes :
			Account Owner = attributes :
			Total Funding = attributes :
			Latest Funding = attributes :
			Latest Funding Amount = attributes :
			Last Raised At = attributes :
			Subsidiary of = connections.parent :
			Subsidiary of (Organization ID) = attributes :
			Email Sent = attributes :
			Email Open = attributes :
			Email Bounced = attributes :
			Replied = attributes :
			Demoed = attributes :
			Number of Retail Locations = attributes :
			Secondary Email = attributes :
			Secondary Email Source = attributes :
			Secondary Email Status = attributes :
			Secondary Email Verification Source = attributes :
			Tertiary Email = attributes :
			Tertiary Email Source = attributes :
			Tertiary Email Status = attributes :
			Tertiary Email Verification Source = attributes :
			Primary Intent Topic = attributes :
			Primary Intent Score = attributes :
			Secondary Intent Topic = attributes :
			Secondary Intent Score = attributes :
			Qualify Contact = attributes :`,
		want: facts{
			"name": "Acme Tools", "domain": "acme.example", "city": "Austin", "state": "Texas", "country": "US", "linkedin_url": "http://www.linkedin.com/company/acme",
			"@City": "Lyon", "@Country": "France", "@Person Linkedin Url": "http://www.linkedin.com/in/adamoss",
		},
	},
	{
		// https://knowledge.hubspot.com/properties/hubspot-crm-default-company-properties
		name: "HubSpot, export of companies",
		columns: `Record ID = attributes : 9012345678
			Company name = name : Acme Tools
			Company owner = attributes : Ada Moss
			Create Date = attributes : 2020-01-01 10:00
			Phone Number = attributes : +1 512-555-0100
			Last Activity Date = attributes : 2020-02-01 10:00
			City = city : Austin
			State/Region = state : TX
			Postal Code = postal_code : 78701
			Country/Region = country : United States
			Street Address = attributes : 1 St
			Street Address 2 = attributes : Suite 2
			Time Zone = attributes : America/Chicago
			Industry = industries : COMPUTER_SOFTWARE
			Type = attributes : PROSPECT
			Company Domain Name = domain : acme.example
			Website URL = website : https://www.acme.example
			Number of Employees = employee_count : 51
			Annual Revenue = attributes : 5000000
			Description = description : Tools for everybody.
			About Us = description : We make anvils.
			Year Founded = founded_year : 1988
			LinkedIn Company Page = linkedin_url : https://www.linkedin.com/company/acme
			LinkedIn Bio = attributes : Tools
			Facebook Company Page = attributes : https://facebook.com/acme
			Twitter Handle = attributes : acme
			Web Technologies = technologies : Nginx;Redis
			Is Public = attributes : false
			Total Money Raised = attributes : 100
			Lifecycle Stage = attributes : Lead
			Lead Status = attributes : New
			Parent Company = connections.parent : Zeta Holdings
			Number of child companies = attributes : 0
			Number of Associated Contacts = attributes : 3
			HubSpot Team = attributes : North
			Close Date = attributes : 2021-01-01`,
		want: facts{
			"name": "Acme Tools", "domain": "acme.example", "state": "Texas", "country": "US", "industries": "COMPUTER SOFTWARE", "technologies": "Nginx|Redis",
			"founded": "1988", "+parent": "Zeta Holdings", "@Type": "PROSPECT",
		},
	},
	{
		// https://developers.hubspot.com/docs/api-reference/crm-companies-v3
		name: "HubSpot, properties of the API",
		json: `{"results":[{"id":"101","properties":{"name":"Acme","domain":"acme.example","hs_additional_domains":"acme.test;acme.org","website":"www.acme.example","phone":"1","address":"1 St","city":"Austin",
			"state":"Texas","zip":"78701","country":"United States","industry":"MACHINERY","numberofemployees":"51","annualrevenue":"5","description":"Tools for everybody.","founded_year":"1988",
			"linkedin_company_page":"https://www.linkedin.com/company/acme","linkedinbio":"Tools","web_technologies":"nginx;redis","hs_parent_company_id":"77","hs_object_id":"101","type":"PROSPECT",
			"lifecyclestage":"lead","createdate":"2020-01-01","hs_num_child_companies":"0","is_public":"false","timezone":"America/Chicago"},"createdAt":"2020-01-01T00:00:00Z","archived":false}]}`,
		columns: `id = id
			properties.name = name
			properties.domain = domain
			properties.hs_additional_domains = attributes
			properties.website = website
			properties.phone = attributes
			properties.address = attributes
			properties.city = city
			properties.state = state
			properties.zip = postal_code
			properties.country = country
			properties.industry = industries
			properties.numberofemployees = employee_count
			properties.annualrevenue = attributes
			properties.description = description
			properties.founded_year = founded_year
			properties.linkedin_company_page = linkedin_url
			properties.linkedinbio = attributes
			properties.web_technologies = technologies
			properties.hs_parent_company_id = attributes
			properties.hs_object_id = attributes
			properties.type = attributes
			properties.lifecyclestage = attributes
			properties.createdate = attributes
			properties.hs_num_child_companies = attributes
			properties.is_public = attributes
			properties.timezone = attributes
			createdAt = -
			archived = attributes`,
		want: facts{"name": "Acme", "domain": "acme.example", "employees": "51", "technologies": "nginx|redis", "country": "US", "founded": "1988"},
	},
	{
		// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_account.htm
		name: "Salesforce, fields of Account in the API",
		columns: `Id = id : 001xx000003DGb1AAG
			IsDeleted = attributes : false
			MasterRecordId = attributes :
			Name = name : Acme Tools
			Type = attributes : Customer - Direct
			ParentId = attributes : 001xx000003DGb2AAG
			BillingStreet = attributes : 1 St
			BillingCity = city : Austin
			BillingState = state : TX
			BillingPostalCode = postal_code : 78701
			BillingCountry = country : USA
			BillingLatitude = attributes : 30.2
			BillingLongitude = attributes : -97.7
			ShippingStreet = attributes : 2 Rue
			ShippingCity = attributes : Lyon
			ShippingState = attributes :
			ShippingPostalCode = attributes : 69001
			ShippingCountry = attributes : France
			Phone = attributes : 512-555-0100
			Fax = attributes : 512-555-0101
			AccountNumber = attributes : CC97
			Website = website : www.acme.example
			PhotoUrl = attributes : /services/images/photo/001
			Sic = attributes : 3423
			SicDesc = industries : Hand tools
			NaicsCode = naics_codes : 332216
			NaicsDesc = industries : Saw blades
			Industry = industries : Manufacturing
			AnnualRevenue = attributes : 5000000
			NumberOfEmployees = employee_count : 51
			Ownership = attributes : Private
			TickerSymbol = attributes : ACME
			Description = description : Tools for everybody.
			Rating = attributes : Hot
			Site = attributes : Main plant
			OwnerId = attributes : 005xx
			CreatedDate = attributes : 2020-01-01T00:00:00.000Z
			LastModifiedDate = attributes : 2020-01-01T00:00:00.000Z
			AccountSource = attributes : Web
			DunsNumber = attributes : 001234567
			Tradestyle = attributes : Acme
			YearStarted = founded_year : 1988
			CleanStatus = attributes : Matched
			Jigsaw = attributes : 5`,
		want: facts{
			"name": "Acme Tools", "domain": "acme.example", "city": "Austin", "state": "Texas", "country": "US", "employees": "51", "naics": "332216", "founded": "1988",
			"@ShippingCity": "Lyon", "@ShippingCountry": "France", "@DunsNumber": "001234567", "@Type": "Customer - Direct", "industries": "Manufacturing|Hand tools|Saw blades",
		},
	},
	{
		// https://developer.salesforce.com/docs/platform/field-reference (labels of the fields, as reports have them)
		name: "Salesforce, labels of a report",
		columns: `Account Name = name : Acme Tools
			Account ID = attributes : 001xx000003DGb1AAG
			Account Owner = attributes : Ada Moss
			Account Number = attributes : CC97
			Account Site = attributes : Main plant
			Account Source = attributes : Web
			Type = attributes : Prospect
			Parent Account = connections.parent : Zeta Holdings
			Parent Account ID = attributes : 001xx000003DGb2AAG
			Billing Street = attributes : 1 St
			Billing City = city : Austin
			Billing State/Province = state : Texas
			Billing Zip/Postal Code = postal_code : 78701
			Billing Country = country : United States
			Shipping Street = attributes : 2 Rue
			Shipping City = attributes : Lyon
			Shipping State/Province = attributes :
			Shipping Zip/Postal Code = attributes : 69001
			Shipping Country = attributes : France
			Phone = attributes : 512-555-0100
			Website = website : www.acme.example
			Industry = industries : Manufacturing
			Annual Revenue = attributes : 5000000
			Employees = employee_count : 51
			Ownership = attributes : Private
			Ticker Symbol = attributes : ACME
			Account Description = description : Tools for everybody.
			SIC Code = attributes : 3423
			SIC Description = industries : Hand tools
			NAICS Code = naics_codes : 332216
			NAICS Description = industries : Saw blades
			D-U-N-S Number = attributes : 001234567
			Tradestyle = attributes : Acme
			Year Started = founded_year : 1988
			Last Activity = attributes : 2020-01-01
			Last Modified Date = attributes : 2020-01-01`,
		want: facts{
			"name": "Acme Tools", "city": "Austin", "state": "Texas", "country": "US", "employees": "51", "founded": "1988", "+parent": "Zeta Holdings", "@Shipping City": "Lyon",
			"@Account ID": "001xx000003DGb1AAG",
		},
	},
	{
		// https://docs.coresignal.com/source-documentation/professional-network-companies-data-dictionary
		name: "LinkedIn, company pages",
		columns: `url = linkedin_url : https://www.linkedin.com/company/acme
			hash = attributes : 8a1f
			name = name : Acme Tools
			website = website : http://acme.example
			size = employee_count : 51-200 employees
			industry = industries : Machinery
			description = description : Tools for everybody.
			followers = attributes : 1200
			founded = founded_year : 1988
			headquarters_city = city : Austin
			headquarters_country = country : United States
			headquarters_state = state : Texas
			headquarters_street1 = attributes : 1 St
			headquarters_zip = postal_code : 78701
			logo_url = attributes : https://logo.example/a.png
			type = attributes : Privately Held
			headquarters_new_address = attributes : Austin, Texas
			employees_count = employee_count : 120
			headquarters_country_parsed = attributes : United States
			company_shorthand_name = attributes : acme
			specialities = industries : anvils, hammers
			last_response_code = attributes : 200`,
		want: facts{
			"name": "Acme Tools", "domain": "acme.example", "linkedin_url": "https://www.linkedin.com/company/acme", "employees": "120", "city": "Austin", "state": "Texas", "country": "US",
			"@size": "51-200 employees",
		},
	},
	{
		// https://learn.microsoft.com/linkedin/marketing/community-management/organizations/organization-lookup-api
		name: "LinkedIn, organizations of the API",
		json: `{"elements":[{"id":2414183,"localizedName":"Acme Tools","vanityName":"acme","localizedWebsite":"https://www.acme.example","staffCountRange":"SIZE_51_TO_200","organizationType":"PRIVATELY_HELD",
			"foundedOn":{"year":1988},"localizedDescription":"Tools for everybody.","primaryOrganizationType":"NONE","localizedSpecialties":["anvils","hammers"],"versionTag":"9",
			"locations":[{"address":{"city":"Austin","country":"US","geographicArea":"TX","postalCode":"78701"},"locationType":"HEADQUARTERS"}]}]}`,
		columns: `id = id
			localizedName = name
			vanityName = attributes
			localizedWebsite = website
			staffCountRange = employee_count
			organizationType = attributes
			foundedOn.year = founded_year
			localizedDescription = description
			primaryOrganizationType = attributes
			localizedSpecialties = industries
			versionTag = attributes
			locations = location`,
		want: facts{"name": "Acme Tools", "domain": "acme.example", "employees": "51", "founded": "1988", "industries": "anvils|hammers", "city": "Austin", "country": "US"},
	},
	{
		// https://apify.com/rayackery/linkedin-sales-navigator-scraper, the columns of an account search
		name: "LinkedIn Sales Navigator, accounts",
		columns: `Type = attributes : Account
			Company Name = name : Acme Tools
			Industry = industries : Machinery
			Company Type = attributes : Privately Held
			Employees = employee_count : 120
			Headcount Range = employee_count : 51-200
			Founded = founded_year : 1988
			Revenue Range = attributes : $1M - $5M
			Headcount Growth 6 Months (%) = attributes : 4
			Headcount Growth 1 Year (%) = attributes : 9
			Funding Events = attributes : 2
			Location = location : Austin, Texas, United States
			HQ Street = attributes : 1 St
			HQ City = city : Austin
			HQ State/Region = state : Texas
			HQ Postal Code = postal_code : 78701
			HQ Country = country : United States
			Website = website : http://acme.example
			LinkedIn URL = linkedin_url : https://www.linkedin.com/company/acme
			Sales Navigator URL = attributes : https://www.linkedin.com/sales/company/2414183
			Description = description : Tools for everybody.
			Saved = attributes : false
			Notes = attributes : call
			LinkedIn Company ID = attributes : 2414183
			Fetched Date = attributes : 2026-01-01
			Search URL = attributes : https://www.linkedin.com/sales/search/company?query=x`,
		want: facts{"name": "Acme Tools", "domain": "acme.example", "employees": "120", "@Headcount Range": "51-200", "city": "Austin", "country": "US", "linkedin_url": "https://www.linkedin.com/company/acme"},
	},
	{
		// The data dictionary of PitchBook's table Company
		name: "PitchBook, data feed",
		columns: `CompanyID = id : 55780-93
			CompanyName = name : Acme Tools
			CompanyAlsoKnownAs = attributes : Acme
			CompanyFormerName = attributes : Old Acme
			CompanyLegalName = name : Acme Tools, Inc.
			Description = description : Makes anvils and hammers.
			Keywords = industries : anvils, hammers
			CompanyFinancingStatus = attributes : Venture Capital-Backed
			TotalRaised = attributes : 12.5
			BusinessStatus = attributes : Generating Revenue
			OwnershipStatus = attributes : Privately Held (backing)
			Universe = attributes : Venture Capital
			Website = website : www.acme.example
			Employees = employee_count : 120
			EmployeeAsOfDate = attributes : 2026-01-01
			DescriptionShort = description : Makes anvils.
			Exchange = attributes :
			Ticker = attributes :
			YearFounded = founded_year : 1988
			ParentCompany = connections.parent : Zeta Holdings
			ParentCompanyID = attributes : 1-1
			TopLevelParent = connections.parent : Zeta Group
			TopLevelParentID = attributes : 1-2
			CikCode = attributes : 1234
			PrimaryIndustrySector = industries : Manufacturing
			PrimaryIndustryGroup = industries : Machinery
			PrimaryIndustryCode = industries : Hand Tools
			AllIndustries = industries : Hand Tools*, Steel
			Verticals = industries : Industrials
			EmergingSpaces = attributes : 3D
			HQLocation = location : Austin, TX
			HQAddressLine1 = attributes : 1 St
			HQCity = city : Austin
			HQState_Province = state : Texas
			HQPostCode = postal_code : 78701
			HQCountry = country : United States
			HQPhone = attributes : 512-555-0100
			HQEmail = attributes : info@acme.example
			HQGlobalRegion = attributes : Americas
			HQGlobalSubRegion = attributes : North America
			AlternateOfficeCount = attributes : 2
			PrimaryContactFirstName = attributes : Ada
			PrimaryContactLastName = attributes : Moss
			PrimaryContact = attributes : Ada Moss
			PrimaryContactTitle = attributes : CEO
			PrimaryContactEmail = attributes : ada@acme.example
			ActiveInvestors = attributes : 3
			FormerInvestors = attributes : 1
			Revenue = attributes : 5.5
			EBITDA = attributes : 1.5
			FirstFinancingDate = attributes : 2001-01-01
			LastFinancingSize = attributes : 5
			FacebookProfileURL = attributes : https://facebook.com/acme
			TwitterProfileURL = attributes : https://twitter.com/acme
			LinkedInProfileURL = linkedin_url : https://www.linkedin.com/company/acme
			GrowthRate = attributes : 0.5
			MarketInformation = attributes : Serves Texas
			PitchBookProfileLink = attributes : https://my.pitchbook.com?c=55780-93
			RowID = attributes : 77
			LastUpdated = attributes : 2026-01-01`,
		want: facts{
			"name": "Acme Tools", "domain": "acme.example", "city": "Austin", "state": "Texas", "country": "US", "employees": "120", "founded": "1988",
			"+parent": "Zeta Group|Zeta Holdings", "@ActiveInvestors": "3", "@CompanyLegalName": "Acme Tools, Inc.",
		},
	},
	{
		name: "PitchBook, export of a search",
		columns: `Company ID = id : 55780-93
			Companies = name : Acme Tools
			Company Former Name = attributes : Old Acme
			Company Also Known As = attributes : Acme
			Company Legal Name = name : Acme Tools, Inc.
			Description = description : Makes anvils and hammers.
			Primary Industry Sector = industries : Manufacturing
			Primary Industry Group = industries : Machinery
			Primary Industry Code = industries : Hand Tools
			All Industries = industries : Hand Tools, Steel
			Verticals = industries : Industrials
			Keywords = industries : anvils, hammers
			Company Financing Status = attributes : Venture Capital-Backed
			Business Status = attributes : Generating Revenue
			Ownership Status = attributes : Privately Held (backing)
			Universe = attributes : Venture Capital
			Year Founded = founded_year : 1988
			Employees = employee_count : 120
			Website = website : www.acme.example
			HQ Location = location : Austin, TX
			HQ City = city : Austin
			HQ State/Province = state : Texas
			HQ Post Code = postal_code : 78701
			HQ Country/Territory/Region = country : United States
			HQ Global Region = attributes : Americas
			HQ Global Sub Region = attributes : North America
			Primary Contact = attributes : Ada Moss
			Primary Contact Title = attributes : CEO
			Parent Company = connections.parent : Zeta Holdings
			Active Investors = connections.investor : Zeta Capital, Eta Ventures
			Former Investors = attributes : Theta
			Competitors = connections.competitor : Bolt, Cog
			Total Raised = attributes : 12.5
			Last Known Valuation = attributes : 40
			View Company Online = attributes : https://my.pitchbook.com?c=55780-93`,
		want: facts{
			"name": "Acme Tools", "country": "US", "state": "Texas", "+investor": "Eta Ventures|Zeta Capital", "+competitor": "Bolt|Cog", "+parent": "Zeta Holdings",
			"@Former Investors": "Theta",
		},
	},
	{
		// https://help.dealroom.co, export of companies
		name: "Dealroom, export of companies",
		columns: `ID = id : 1234567
			Name = name : Acme Tools
			Dealroom URL = attributes : https://app.dealroom.co/companies/acme
			Website = website : https://acme.example
			Tagline = description : Tools for everybody
			Long description = description : Makes anvils and hammers.
			Address = attributes : 1 St, Lyon, France
			Street = attributes : St
			Zipcode = postal_code : 69001
			HQ region = attributes : Europe
			HQ country = country : France
			HQ state = state : Rhône
			HQ city = city : Lyon
			Latitude = attributes : 45.7
			Longitude = attributes : 4.8
			World locations = attributes : France, Spain
			Custom HQ regions = attributes : EU
			Founding location = attributes : Paris
			Team (Dealroom) = attributes : Ada Moss
			Investors names = connections.investor : Zeta Capital; Eta Ventures
			Each investor type = attributes : VC; VC
			Lead investors = connections.investor : Zeta Capital
			Total funding (USD M) = attributes : 12.5
			Last round = attributes : SERIES A
			Last funding date = attributes : jan/2020
			First funding date = attributes : jan/2015
			Ownerships = attributes : venture capital
			Tags = industries : anvils;hammers
			Client focus = attributes : business
			Revenue model = attributes : saas
			Launch year = founded_year : 2011
			Launch month = attributes : 4
			Launch date = founded_year : apr/2011
			Closing year = attributes :
			Industries = industries : industrials
			Sub industries = industries : tools
			Growth stage = attributes : early growth
			Employees Range = employee_count : 51-200
			Employees latest number = employee_count : 120
			Facebook = attributes : https://facebook.com/acme
			LinkedIn = linkedin_url : https://www.linkedin.com/company/acme
			Each round investors = attributes : Zeta Capital
			Founders = attributes : Ada Moss
			Founders linkedin = attributes : https://www.linkedin.com/in/adamoss
			Public lists = attributes : fair
			Company status = attributes : operational
			All tags = industries : anvils;steel
			Technologies = technologies : machine learning
			Tech stack data (by PredictLeads) = attributes : nginx
			Trade register number = attributes : 123
			Trade register name = attributes : Acme Tools SAS
			SDGs = attributes : 9
			Street number = attributes :
			Street and street number = attributes :
			Team (Editorial) = attributes :
			Last funding amount = attributes :
			Seed year = attributes :
			Closing month = attributes :
			Closing date = attributes :
			Website traffic estimate yearly growth = attributes :
			Employees (2016,2017,2018,2019,2020,2021,2022,2023,2024,2025,2026) = attributes :
			Employees in HQ country (2016,2017,2018,2019,2020,2021,2022,2023,2024,2025,2026) = attributes :
			Employee growth % (last 3 months) = attributes :
			Employee growth % (last 6 months) = attributes :
			Employee growth % (last 12 months) = attributes :
			Profit (USD) (2016,2017,2018,2019,2020,2021,2022,2023,2024,2025,2026,2027) = attributes :
			Profit margin (2015,2016,2017,2018,2019,2020,2021,2022,2023,2024,2025,2026,2027) = attributes :
			Revenue (USD) (2016,2017,2018,2019,2020,2021,2022,2023,2024,2025,2026,2027) = attributes :
			Revenue growth (2015,2016,2017,2018,2019,2020,2021,2022,2023,2024,2025,2026,2027) = attributes :
			KPI currency = attributes :
			Valuation = attributes :
			Valuation currency = attributes :
			Valuation (USD) = attributes :
			Valuation date = attributes :
			EV/EBITDA (2017,2018,2019,2020,2021,2022,2023,2024,2025,2026,2027) = attributes :
			Website traffic estimate 6 months = attributes :
			Employees dates = attributes :
			Employees values = attributes :
			Twitter = attributes :
			Google Play link = attributes :
			iTunes = attributes :
			Each round type = attributes :
			Each round amount = attributes :
			Each round currency = attributes :
			Each round date = attributes :
			Total rounds number = attributes :
			Logo = attributes :
			Founders statuses = attributes :
			Founders genders = attributes :
			Is serial founder (yes/no) = attributes :
			Founders backgrounds = attributes :
			Founders universities = attributes :
			Founders company experience = attributes :
			Founders first degree = attributes :
			Founders first degree year = attributes :
			Is top past founder (yes/no) = attributes :
			Founder is from top university (yes/no) = attributes :
			Founders founded companies total funding = attributes :
			Founders years of education = attributes :
			Is founders first company = attributes :
			Founders strength = attributes :
			App downloads latest estimate (iOS) = attributes :
			Website traffic rank 3/6/12 months = attributes :
			Employee rank 3/6/12 months = attributes :
			App rank 3/6/12 months = attributes :
			Number of alumni founders that raised > 10M = attributes :
			Income streams = attributes :
			Trade register URL = attributes :
			SDG core or side value = attributes :
			Year company became unicorn = attributes :
			PIC number = attributes :
			Dealroom Signal - Rating = attributes :
			Dealroom Signal - Completeness = attributes :
			Dealroom Signal - Team strength = attributes :
			Dealroom Signal - Growth rate = attributes :
			Dealroom Signal - Timing = attributes :
			Innovation corporate rank = attributes :
			Number of patents = attributes :`,
		want: facts{
			"name": "Acme Tools", "domain": "acme.example", "city": "Lyon", "state": "Rhône", "country": "FR", "employees": "120", "@Employees Range": "51-200", "founded": "2011",
			"+investor": "Eta Ventures|Zeta Capital", "@HQ region": "Europe", "@Trade register name": "Acme Tools SAS",
		},
	},
	{
		// https://help.bvdinfo.com, columns of an export
		name: "Orbis, export",
		columns: `Company name Latin alphabet = name : ACME TOOLS GMBH
			BvD ID number = id : DE2010000581
			Country ISO code = country_code : DE
			City\nLatin Alphabet = city : Bonn
			Postcode\nLatin Alphabet = postal_code : 53111
			Website address = website : www.acme.example
			E-mail address = attributes : info@acme.example
			Phone number = attributes : +49 228 555
			National ID = attributes : HRB 123
			NACE Rev. 2, core code (4 digits) = attributes : 2573
			NACE Rev. 2, core code - description = industries : Manufacture of tools
			NAICS 2017, core code (4 digits) = naics_codes : 3322
			Consolidation code = attributes : U1
			Last avail. year = attributes : 2024
			Status = attributes : Active
			Date of incorporation = founded_year : 01/02/1988
			Standardised legal form = attributes : Private limited companies
			Operating revenue (Turnover)\nth USD Last avail. yr = attributes : 5000
			Number of employees\nLast avail. yr = employee_count : 120
			Trade description (English) = description : Makes anvils and hammers.
			Trade description (Original language) = attributes : Macht Ambosse.
			GUO - Name = connections.parent : ZETA HOLDING AG
			GUO - BvD ID number = attributes : DE5050
			GUO - Country ISO code = attributes : DE
			GUO - City = attributes : Köln
			GUO - Type = attributes : C
			DUO - Name = connections.parent : ZETA AG
			ISH - Name = connections.shareholder : ETA BETEILIGUNGS GMBH
			CSH - Name = connections.shareholder : ETA BETEILIGUNGS GMBH
			SUB - Name = connections.subsidiary : BOLT GMBH
			No of subsidiaries = attributes : 1
			Legal Entity Identifier (LEI) = id : 529900XXXXXXXXXXXX01`,
		want: facts{
			"name": "ACME TOOLS GMBH", "domain": "acme.example", "city": "Bonn", "country": "DE", "employees": "120", "founded": "1988", "naics": "3322", "@BvD ID number": "DE2010000581",
			"+parent": "ZETA AG|ZETA HOLDING AG", "+subsidiary": "BOLT GMBH", "+shareholder": "ETA BETEILIGUNGS GMBH", "@Legal Entity Identifier (LEI)": "529900XXXXXXXXXXXX01",
		},
	},
	{
		// https://knowledge.opencorporates.com, bulk data: companies.csv
		name: "OpenCorporates, companies.csv",
		columns: `company_number = attributes : 801234567
			jurisdiction_code = country_code : us_mi
			name = name : ACME TOOLS LLC
			normalised_name = attributes : acme tools limited liability company
			company_type = attributes : DOMESTIC LIMITED LIABILITY COMPANY
			nonprofit = attributes :
			current_status = attributes : Active
			incorporation_date = founded_year : 1988-02-01
			dissolution_date = attributes :
			branch = attributes :
			business_number = attributes : 77
			current_alternative_legal_name = attributes :
			home_jurisdiction_text = attributes :
			native_company_number = attributes :
			previous_names = attributes : OLD ACME LLC
			retrieved_at = attributes : 2026-01-01T00:00:00Z
			registry_url = attributes : https://cofs.lara.state.mi.us/x
			restricted_for_marketing = attributes :
			inactive = attributes : false
			accounts_next_due = attributes :
			has_charges = attributes :
			number_of_employees = employee_count : 120
			registered_address.street_address = attributes : 1 ST
			registered_address.locality = city : LANSING
			registered_address.region = state : MI
			registered_address.postal_code = postal_code : 48901
			registered_address.country = country : United States
			registered_address.in_full = attributes : 1 ST, LANSING, MI, 48901
			home_jurisdiction_code = attributes : us_de
			industry_code_uids = attributes : us_naics_2007-332216
			latest_accounts_date = attributes :`,
		want: facts{"name": "ACME TOOLS LLC", "city": "LANSING", "state": "Michigan", "country": "US", "employees": "120", "founded": "1988", "@previous_names": "OLD ACME LLC", "@jurisdiction_code": "us_mi"},
	},
	{
		// https://resources.companieshouse.gov.uk/infoAndGuide/faq/publicDataProduct.shtml; some headers begin with a space
		name: "Companies House, BasicCompanyData",
		columns: `CompanyName = name : ACME TOOLS LIMITED
			 CompanyNumber = attributes : 08209999
			RegAddress.CareOf = attributes :
			RegAddress.POBox = attributes :
			RegAddress.AddressLine1 = attributes : 1 HIGH STREET
			 RegAddress.AddressLine2 = attributes :
			RegAddress.PostTown = city : HULL
			RegAddress.County = attributes : EAST YORKSHIRE
			RegAddress.Country = country : ENGLAND
			RegAddress.PostCode = postal_code : HU1 1AA
			CompanyCategory = attributes : Private Limited Company
			CompanyStatus = attributes : Active
			CountryOfOrigin = country : United Kingdom
			DissolutionDate = attributes :
			IncorporationDate = founded_year : 11/09/1988
			Accounts.AccountRefDay = attributes : 30
			Accounts.AccountRefMonth = attributes : 9
			Accounts.NextDueDate = attributes : 30/06/2026
			Accounts.AccountCategory = attributes : TOTAL EXEMPTION FULL
			Returns.NextDueDate = attributes : 01/10/2026
			Mortgages.NumMortCharges = attributes : 0
			SICCode.SicText_1 = industries : 25730 - Manufacture of tools
			SICCode.SicText_2 = industries : 46690 - Wholesale of tools
			LimitedPartnerships.NumGenPartners = attributes : 0
			URI = attributes : http://business.data.gov.uk/id/company/08209999
			PreviousName_1.CONDATE = attributes : 01/01/2000
			 PreviousName_1.CompanyName = attributes : OLD ACME LIMITED
			ConfStmtNextDueDate = attributes : 25/09/2026
			 ConfStmtLastMadeUpDate = attributes : 11/09/2025
			Accounts.LastMadeUpDate = attributes :
			Returns.LastMadeUpDate = attributes :
			Mortgages.NumMortOutstanding = attributes :
			Mortgages.NumMortPartSatisfied = attributes :
			Mortgages.NumMortSatisfied = attributes :
			SICCode.SicText_3 = industries :
			SICCode.SicText_4 = industries :
			LimitedPartnerships.NumLimPartners = attributes :
			PreviousName_2.CONDATE = attributes :
			PreviousName_2.CompanyName = attributes :
			PreviousName_3.CONDATE = attributes :
			PreviousName_3.CompanyName = attributes :
			PreviousName_4.CONDATE = attributes :
			PreviousName_4.CompanyName = attributes :
			PreviousName_5.CONDATE = attributes :
			PreviousName_5.CompanyName = attributes :
			PreviousName_6.CONDATE = attributes :
			PreviousName_6.CompanyName = attributes :
			PreviousName_7.CONDATE = attributes :
			PreviousName_7.CompanyName = attributes :
			PreviousName_8.CONDATE = attributes :
			PreviousName_8.CompanyName = attributes :
			PreviousName_9.CONDATE = attributes :
			PreviousName_9.CompanyName = attributes :
			PreviousName_10.CONDATE = attributes :
			PreviousName_10.CompanyName = attributes :`,
		want: facts{
			"name": "ACME TOOLS LIMITED", "city": "HULL", "state": "", "@RegAddress.County": "EAST YORKSHIRE", "country": "GB", "founded": "1988", "domain": "",
			"industries": "25730 - Manufacture of tools|46690 - Wholesale of tools", "@PreviousName_1.CompanyName": "OLD ACME LIMITED", "@CompanyNumber": "08209999",
		},
	},
	{
		// https://www.gleif.org/en/about-lei/common-data-file-format/current-versions/level-1-data-lei-cdf-3-1-format
		name: "GLEIF, level 1",
		columns: `LEI = id : 529900XXXXXXXXXXXX01
			Entity.LegalName = name : Acme Tools GmbH
			Entity.LegalName.xmllang = attributes : de
			Entity.OtherEntityNames.OtherEntityName.1 = attributes : Acme
			Entity.OtherEntityNames.OtherEntityName.1.type = attributes : TRADING_OR_OPERATING_NAME
			Entity.TransliteratedOtherEntityNames.TransliteratedOtherEntityName.1 = attributes :
			Entity.LegalAddress.FirstAddressLine = attributes : Am Tor 1
			Entity.LegalAddress.AdditionalAddressLine.1 = attributes :
			Entity.LegalAddress.City = city : Bonn
			Entity.LegalAddress.Region = state : DE-NW
			Entity.LegalAddress.Country = country : DE
			Entity.LegalAddress.PostalCode = postal_code : 53111
			Entity.HeadquartersAddress.FirstAddressLine = attributes : 1 Rue
			Entity.HeadquartersAddress.City = city : Lyon
			Entity.HeadquartersAddress.Region = state :
			Entity.HeadquartersAddress.Country = country : FR
			Entity.HeadquartersAddress.PostalCode = postal_code : 69001
			Entity.RegistrationAuthority.RegistrationAuthorityID = attributes : RA000242
			Entity.RegistrationAuthority.RegistrationAuthorityEntityID = attributes : HRB 123
			Entity.LegalJurisdiction = country_code : DE
			Entity.EntityCategory = attributes : GENERAL
			Entity.LegalForm.EntityLegalFormCode = attributes : 2HBR
			Entity.LegalForm.OtherLegalForm = attributes :
			Entity.EntityStatus = attributes : ACTIVE
			Entity.EntityCreationDate = founded_year : 1988-02-01T00:00:00Z
			Entity.EntityExpirationDate = attributes :
			Entity.SuccessorEntity.1.SuccessorLEI = attributes :
			Registration.InitialRegistrationDate = attributes : 2014-01-01T00:00:00Z
			Registration.LastUpdateDate = attributes : 2026-01-01T00:00:00Z
			Registration.RegistrationStatus = attributes : ISSUED
			Registration.NextRenewalDate = attributes : 2027-01-01T00:00:00Z
			Registration.ManagingLOU = attributes : 5299000J2N45DDNE4Y28
			Registration.ValidationSources = attributes : FULLY_CORROBORATED
			ConformityFlag = attributes : CONFORMING`,
		want: facts{
			"name": "Acme Tools GmbH", "city": "Lyon", "state": "", "country": "FR", "founded": "1988", "@LEI": "529900XXXXXXXXXXXX01",
			"@Entity.LegalAddress.City": "Bonn", "@Entity.LegalAddress.Region": "DE-NW",
		},
	},
	{
		// https://www.sec.gov/search-filings/edgar-application-programming-interfaces, company_tickers.json
		name: "SEC, company_tickers.json",
		json: `{"0":{"cik_str":1000001,"ticker":"ACME","title":"Acme Tools Inc."},"1":{"cik_str":1000002,"ticker":"BLT","title":"BOLT CORP"}}`,
		columns: `cik_str = attributes
			ticker = attributes
			title = name`,
		want: facts{"name": "Acme Tools Inc.", "@ticker": "ACME"},
	},
	{
		// the same page, company_tickers_exchange.json
		name: "SEC, company_tickers_exchange.json",
		json: `{"fields":["cik","name","ticker","exchange"],"data":[[1000001,"Acme Tools Inc.","ACME","Nasdaq"],[1000002,"BOLT CORP","BLT","NYSE"]]}`,
		columns: `cik = attributes
			name = name
			ticker = attributes
			exchange = attributes`,
		want: facts{"name": "Acme Tools Inc.", "@ticker": "ACME", "@exchange": "Nasdaq"},
	},
	{
		// https://www.w3.org/TR/sparql11-results-json/, as query.wikidata.org answers
		name: "Wikidata, results of SPARQL as JSON",
		json: `{"head":{"vars":["item","itemLabel","countryLabel","website","inception","employees","industryLabel","hqLabel"]},"results":{"bindings":[
			{"item":{"type":"uri","value":"http://www.wikidata.org/entity/Q1"},"itemLabel":{"xml:lang":"en","type":"literal","value":"Acme Tools"},"countryLabel":{"xml:lang":"en","type":"literal","value":"Germany"},
			"website":{"type":"uri","value":"https://www.acme.example/"},"inception":{"datatype":"http://www.w3.org/2001/XMLSchema#dateTime","type":"literal","value":"1988-01-01T00:00:00Z"},
			"employees":{"datatype":"http://www.w3.org/2001/XMLSchema#decimal","type":"literal","value":"1234"},"industryLabel":{"xml:lang":"en","type":"literal","value":"machinery"},
			"hqLabel":{"xml:lang":"en","type":"literal","value":"Bonn"}}]}}`,
		columns: `item = attributes
			itemLabel = name
			countryLabel = country
			website = website
			inception = founded_year
			employees = employee_count
			industryLabel = industries
			hqLabel = location`,
		want: facts{"name": "Acme Tools", "domain": "acme.example", "country": "DE", "city": "Bonn", "employees": "1234", "founded": "1988", "industries": "machinery", "@item": "http://www.wikidata.org/entity/Q1"},
	},
	{
		name: "Wikidata, results of SPARQL as CSV",
		columns: `company = attributes : http://www.wikidata.org/entity/Q1
			companyLabel = name : Acme Tools
			countryLabel = country : Germany
			officialWebsite = website : https://www.acme.example/
			inception = founded_year : 1988-01-01T00:00:00Z
			industryLabel = industries : machinery
			headquartersLabel = location : Bonn
			parentLabel = connections.parent : Zeta`,
		want: facts{"name": "Acme Tools", "domain": "acme.example", "country": "DE", "city": "Bonn", "founded": "1988", "+parent": "Zeta", "@company": "http://www.wikidata.org/entity/Q1"},
	},
	{
		// https://clearbit.com/docs, Company; https://hunter.io/api-documentation/v2#company-enrichment answers the same
		name: "Clearbit",
		json: `{"id":"95ca56a8-a019-5c41-881e-293d9ca4741a","name":"Acme","legalName":"Acme Tools, Inc.","domain":"acme.example","domainAliases":["acme.test"],
			"site":{"phoneNumbers":["+1 512-555-0100"],"emailAddresses":["info@acme.example"]},
			"category":{"sector":"Industrials","industryGroup":"Capital Goods","industry":"Machinery","subIndustry":"Hand Tools","gicsCode":"20106020","sicCode":"34","sic4Codes":["3423"],"naicsCode":"33","naics6Codes":["332216"],"naics6Codes2022":["332216"]},
			"tags":["anvils","hammers"],"description":"Tools for everybody.","foundedYear":1988,"location":"1 St, Austin, TX 78701, USA","timeZone":"America/Chicago","utcOffset":-6,
			"geo":{"streetNumber":"1","streetName":"St","subPremise":null,"streetAddress":"1 St","city":"Austin","postalCode":"78701","state":"Texas","stateCode":"TX","country":"United States","countryCode":"US","lat":30.2,"lng":-97.7},
			"logo":"https://logo.example/acme","facebook":{"handle":"acme","likes":7},"linkedin":{"handle":"company/acme-tools"},"twitter":{"handle":"acme","id":"1","bio":"Tools","followers":5,"following":1,"location":"Austin","site":"https://t.example","avatar":"https://a.example/x.png"},
			"crunchbase":{"handle":"organization/acme"},"emailProvider":false,"type":"private","ticker":null,"identifiers":{"usEIN":"00-1","usCIK":"5"},"phone":"+1 512-555-0100",
			"metrics":{"alexaUsRank":1,"alexaGlobalRank":2,"trafficRank":"low","employees":120,"employeesRange":"51-250","marketCap":null,"raised":1,"annualRevenue":5,"estimatedAnnualRevenue":"$1M-$10M","fiscalYearEnd":12},
			"indexedAt":"2026-01-01T00:00:00Z","tech":["nginx","redis"],"techCategories":["web_servers"],"parent":{"domain":"zeta.example"},"ultimateParent":{"domain":"omega.example"}}`,
		columns: `id = id
			name = name
			legalName = name
			domain = domain
			domainAliases = attributes
			site.phoneNumbers = attributes
			site.emailAddresses = attributes
			category.sector = industries
			category.industryGroup = industries
			category.industry = industries
			category.subIndustry = industries
			category.gicsCode = attributes
			category.sicCode = attributes
			category.sic4Codes = attributes
			category.naicsCode = naics_codes
			category.naics6Codes = naics_codes
			category.naics6Codes2022 = naics_codes
			tags = industries
			description = description
			foundedYear = founded_year
			location = location
			timeZone = attributes
			utcOffset = attributes
			geo.streetAddress = attributes
			geo.city = city
			geo.postalCode = postal_code
			geo.state = state
			geo.stateCode = state
			geo.country = country
			geo.countryCode = country_code
			geo.lat = attributes
			logo = attributes
			facebook.handle = attributes
			facebook.likes = attributes
			linkedin.handle = linkedin_url
			twitter.handle = attributes
			twitter.location = attributes
			twitter.site = attributes
			crunchbase.handle = attributes
			emailProvider = attributes
			type = attributes
			identifiers.usEIN = attributes
			phone = attributes
			metrics.alexaUsRank = attributes
			metrics.employees = employee_count
			metrics.employeesRange = employee_count
			metrics.annualRevenue = attributes
			indexedAt = attributes
			tech = technologies
			techCategories = technology_categories
			parent = connections.parent
			ultimateParent = connections.parent`,
		want: facts{
			"name": "Acme", "domain": "acme.example", "city": "Austin", "state": "Texas", "country": "US", "employees": "120", "founded": "1988", "technologies": "nginx|redis",
			"linkedin_url": "https://www.linkedin.com/company/acme-tools", "naics": "33|332216", "+parent": "omega.example|zeta.example", "@legalName": "Acme Tools, Inc.",
			"@twitter.location": "Austin",
		},
	},
	{
		// https://knowledge.hubspot.com/properties/hubspot-crm-default-company-properties; Parent Company is an id
		name: "HubSpot, companies with the labels of older portals",
		columns: `Company ID = id : 900001
			Name = name : Acme
			Last Modified Date = attributes :
			Lead Status = attributes : New
			Total Revenue = attributes :
			Postal Code = postal_code : 78701
			Twitter Followers = attributes :
			Company Domain Name = domain : acme.example
			Last Touch Converting Campaign = attributes :
			Recent Deal Close Date = attributes :
			Number of Pageviews = attributes : 7
			Number of Employees = employee_count : 51
			Time of Last Session = attributes :
			Close Date = attributes :
			Facebook Fans = attributes :
			Associated Deals = attributes :
			Recent Deal Amount = attributes :
			Number of times contacted = attributes :
			First Conversion Date = attributes :
			Original Source Type = attributes :
			Number of Form Submissions = attributes :
			Facebook Company Page = attributes :
			Create Date = attributes : 2020-01-01 10:00
			LinkedIn Bio = attributes :
			City = city : Austin
			Number of child companies = attributes : 0
			Number of Sessions = attributes :
			Phone Number = attributes : +1
			Company owner = attributes : Ada Moss
			About Us = description : We make things.
			Last Activity Date = attributes :
			State/Region = state : TX
			Email address = attributes :
			LinkedIn Company Page = linkedin_url : https://www.linkedin.com/company/acme
			Total Money Raised = attributes :
			Associated Contacts = attributes :
			Target Account = attributes :
			Lifecycle Stage = attributes : Lead
			Street Address = attributes : 1 St
			HubSpot Team = attributes :
			Twitter Bio = attributes :
			Web Technologies = technologies : nginx;redis
			Country = country : United States
			Time Zone = attributes : America/Chicago
			Type = attributes : PROSPECT
			Website URL = website : acme.example
			Year Founded = founded_year : 1988
			Twitter Handle = attributes :
			Google Plus Page = attributes :
			Days to Close = attributes :
			Description = description : Tools.
			Annual Revenue = attributes : 5000000
			Parent Company = attributes : 900009
			Category = industries :
			Industry = industries : COMPUTER_SOFTWARE
			Street Address 2 = attributes :
			Is Public = attributes : false
			Associated Company ID = attributes :`,
		want: facts{"name": "Acme", "domain": "acme.example", "state": "Texas", "industries": "COMPUTER SOFTWARE", "+parent": "", "@Parent Company": "900009", "@Type": "PROSPECT"},
	},
	{
		// https://knowledge.hubspot.com/import-and-export/export-records, contacts with their companies
		name: "HubSpot, contacts",
		columns: `Record ID - Contact = attributes : 801
			First Name = attributes : Ada
			Last Name = attributes : Moss
			Email = attributes : ada@acme.example
			Phone Number = attributes : +1
			Contact owner = attributes : Me
			Last Activity Date = attributes : 2020-01-01 10:00
			Lead Status = attributes : New
			Job Title = attributes : CEO
			City = city : Lyon
			Country/Region = country : France
			Associated Company = name : Acme Inc
			Associated Company IDs = attributes : 900001
			Primary Associated Company ID = attributes : 900001`,
		want: facts{"name": "Acme Inc", "@First Name": "Ada", "@Job Title": "CEO", "@Associated Company IDs": "900001"},
	},
	{
		// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_lead.htm
		name: "Salesforce, fields of Lead in the API",
		columns: `Id = id : 00Qxx1
			IsDeleted = attributes : 0
			LastName = attributes : Moss
			FirstName = attributes : Ada
			Salutation = attributes : Ms
			Name = attributes : Ada Moss
			Title = attributes : CEO
			Company = name : Acme Inc
			Street = attributes : 1 St
			City = city : Austin
			State = state : TX
			PostalCode = postal_code : 78701
			Country = country : USA
			Phone = attributes : 1
			MobilePhone = attributes :
			Fax = attributes :
			Email = attributes : ada@acme.example
			Website = website : www.acme.example
			PhotoUrl = attributes : /services/x
			Description = description : Wants anvils
			LeadSource = attributes : Web
			Status = attributes : Open - Not Contacted
			Industry = industries : Manufacturing
			Rating = attributes : Hot
			AnnualRevenue = attributes : 5000000
			NumberOfEmployees = employee_count : 51
			OwnerId = attributes : 005
			HasOptedOutOfEmail = attributes : 0
			IsConverted = attributes : 0
			ConvertedDate = attributes :
			ConvertedAccountId = attributes :
			IsUnreadByOwner = attributes : 1
			CreatedDate = attributes : 2020-01-01T00:00:00.000Z
			CompanyDunsNumber = attributes : 001234567
			DandbCompanyId = attributes :`,
		want: facts{"name": "Acme Inc", "domain": "acme.example", "city": "Austin", "state": "Texas", "country": "US", "employees": "51", "@Name": "Ada Moss", "@Title": "CEO"},
	},
	{
		// The columns of the search export that public loaders of such files list
		name: "LinkedIn Sales Navigator, leads that a program exports",
		columns: `profileUrl = attributes : https://www.linkedin.com/sales/lead/ACw17412,NAME_SEARCH,x
			fullName = attributes : Ada Moss
			firstName = attributes : Ada
			lastName = attributes : Moss
			companyName = name : Acme Partners
			title = attributes : Partner
			companyId = id : 17412
			companyUrl = linkedin_url : https://www.linkedin.com/sales/company/17412
			regularCompanyUrl = attributes : https://www.linkedin.com/company/17412
			summary = attributes :
			titleDescription = attributes : I invest.
			industry = industries : Venture Capital and Private Equity Principals
			companyLocation = location : Palo Alto, California, United States
			location = attributes : Lyon, Auvergne-Rhône-Alpes, France
			durationInRole = attributes : 10 months in role
			durationInCompany = attributes : 10 months in company
			pastExperienceCompanyName = attributes : Old Co
			pastExperienceCompanyUrl = attributes : https://www.linkedin.com/sales/company/9
			pastExperienceCompanyTitle = attributes : Analyst
			pastExperienceDate = attributes : Jan 2010–Jan 2015
			pastExperienceDuration = attributes : 5 yrs
			connectionDegree = attributes : 3rd
			profileImageUrl = attributes : https://media.licdn.com/x
			sharedConnectionsCount = attributes : 0
			name = attributes : Ada Moss
			vmid = attributes : ACw17412
			linkedInProfileUrl = attributes : https://www.linkedin.com/in/ACw17412
			isPremium = attributes : TRUE
			isOpenLink = attributes : FALSE
			query = attributes : https://www.linkedin.com/sales/search/people?query=x
			timestamp = attributes : 2024-07-11T18:03:01.973Z
			defaultProfileUrl = attributes : https://linkedin.com/in/ada`,
		want: facts{"name": "Acme Partners", "domain": "", "website": "", "linkedin_url": "https://www.linkedin.com/company/17412", "city": "Palo Alto", "state": "California", "country": "US", "@location": "Lyon, Auvergne-Rhône-Alpes, France", "@name": "Ada Moss"},
	},
	{
		// The same
		name: "LinkedIn Sales Navigator, accounts that a program exports",
		columns: `companyUrl = linkedin_url : https://www.linkedin.com/sales/company/17412
			companyName = name : Acme Partners
			description = description : We invest.
			companyId = id : 17412
			regularCompanyUrl = attributes : https://www.linkedin.com/company/17412
			industry = industries : Venture Capital
			employeesCount = employee_count : 120
			employeesCountUrl = attributes : https://www.linkedin.com/sales/search/people?x
			employeeCountRange = employee_count : 51-200
			isHiring = attributes : true
			logoUrl = attributes : https://media.licdn.com/x
			query = attributes : https://www.linkedin.com/sales/search/company?q
			timestamp = attributes : 2024-07-11T18:03:01.973Z`,
		want: facts{"name": "Acme Partners", "domain": "", "linkedin_url": "https://www.linkedin.com/company/17412", "employees": "120", "@employeeCountRange": "51-200"},
	},
	{
		// The columns of an export of investors that public loaders of such files list
		name: "PitchBook, investors",
		columns: `Investor ID = attributes : 10-1
			Investors = name : Zeta Capital
			Investor Legal Name = attributes : Zeta Capital LP
			Investor Former Name = attributes :
			Description = description : Invests.
			Primary Investor Type = attributes : Venture Capital
			Other Investor Types = attributes : Growth
			AUM = attributes : 100
			Dry Powder = attributes : 10
			# of Investment Professionals = attributes : 12
			Year Founded = founded_year : 1999
			HQ Location = location : Austin, TX
			HQ City = city : Austin
			HQ State/Province = state : Texas
			HQ Country/Territory/Region = country : United States
			HQ Global Region = attributes : Americas
			HQ Email = attributes : info@zeta.example
			HQ Phone = attributes : 1
			Website = website : www.zeta.example
			Parent Company = connections.parent :
			Ownership Status = attributes : Privately Held
			Primary Contact = attributes : Ada Moss
			Primary Contact Title = attributes : Partner
			Primary Contact Email = attributes : ada@zeta.example
			Preferred Industry = attributes : Software
			Preferred Verticals = attributes : SaaS
			Preferred Geography = attributes : Texas
			Investments = attributes : 30
			Exits = attributes : 5`,
		want: facts{"name": "Zeta Capital", "domain": "zeta.example", "city": "Austin", "state": "Texas", "country": "US", "founded": "1999", "+investor": "", "@Investor ID": "10-1", "@Primary Contact": "Ada Moss"},
	},
	{
		// https://support.crunchbase.com, export of a search of acquisitions
		name: "Crunchbase, acquisitions",
		columns: `Transaction Name = attributes : Bolt acquired by Acme
			Transaction Name URL = attributes : https://www.crunchbase.com/acquisition/x
			Acquiree Name = acquiree.name : Bolt
			Acquiree Name URL = attributes.name_url : https://www.crunchbase.com/organization/bolt
			Announced Date = attributes : 2020-01-01
			Announced Date Precision = attributes : day
			Acquirer Name = acquirer.name : Acme
			Acquirer Name URL = attributes.name_url : https://www.crunchbase.com/organization/acme
			Acquirer's Website = acquirer.website : https://acme.example
			Acquirer Headquarters Location = acquirer.location : Austin, Texas, United States
			Acquiree's Website = acquiree.website : https://bolt.example
			Price = attributes : 100
			Price Currency = attributes : USD
			Price Currency (in USD) = attributes : 100
			Acquisition Type = attributes : Acquisition
			Acquisition Terms = attributes : Cash
			Acquiree's Number of Funding Rounds = attributes.number_of_funding_rounds : 3
			Acquiree Funding Status = attributes.funding_status : M&A
			Acquiree's Total Funding Amount = attributes.total_funding_amount : 10
			Acquiree's Estimated Revenue Range = attributes.estimated_revenue_range : $1M to $10M
			Acquiree Headquarters Location = acquiree.location : Hull, Hull, United Kingdom
			Acquiree Last Funding Type = attributes.last_funding_type : Seed
			Acquiree Description = acquiree.description : Steel.
			Acquiree Industries = acquiree.industries : Steel, Tools
			CB Rank (Acquisition) = attributes : 9
			Acquirer's Description = acquirer.description : Tools.
			Acquirer Industries = acquirer.industries : Machinery
			Acquirer's Estimated Revenue Range = attributes.estimated_revenue_range : $1B to $10B`,
		want: facts{"name": "Bolt", "domain": "bolt.example", "city": "Hull", "country": "GB", "industries": "Steel|Tools", "+acquirer": "Acme"},
	},
	{
		// The columns of a search of funding rounds that public loaders of such files list
		name: "Crunchbase, funding rounds",
		columns: `Transaction Name = attributes : Series A - Acme
			Transaction Name URL = attributes : https://x
			Organization Name = name : Acme
			Organization Name URL = attributes : https://www.crunchbase.com/organization/acme
			Funding Type = attributes : Series A
			Money Raised = attributes : 100
			Money Raised Currency = attributes : USD
			Money Raised Currency (in USD) = attributes : 100
			Announced Date = attributes : 2020-01-01
			Funding Stage = attributes : Early Stage Venture
			Pre-Money Valuation = attributes :
			Equity Only Funding = attributes : No
			Organization Description = description : Tools.
			Organization Industries = industries : Machinery, Steel
			Organization Location = location : Austin, Texas, United States, North America
			Organization Website = website : https://acme.example
			Total Funding Amount = attributes : 100
			Lead Investors = connections.investor : Zeta Capital
			Investor Names = connections.investor : Zeta Capital, Eta Ventures
			Number of Investors = attributes : 2
			Number of Funding Rounds = attributes : 3
			Organization Revenue Range = attributes : $1M to $10M
			Funding Status = attributes : Early Stage Venture`,
		want: facts{"name": "Acme", "domain": "acme.example", "city": "Austin", "state": "Texas", "country": "US", "industries": "Machinery|Steel", "+investor": "Eta Ventures|Zeta Capital", "@Money Raised": "100"},
	},
}

func TestExportsOfProductsAreReadColumnByColumn(t *testing.T) {
	t.Parallel()
	for _, p := range products {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			columns, fields, table := p.table(t)
			name, content := "a.json", p.json
			if p.json == "" {
				name, content = "a.csv", table
			}
			b := catalog.New(dbtest.SQLite(t))
			s, err := importer.Import(t.Context(), importer.Options{Catalog: b, Files: []string{write(t, name, content)}})
			require.NoError(t, err)
			require.Len(t, s.Sources, 1)
			got := map[string]string{}
			for _, c := range s.Sources[0].Columns {
				got[c.Column] = c.Field
			}
			want := map[string]string{}
			for i, column := range columns {
				want[column] = fields[i]
				_, ok := got[column]
				require.True(t, ok, "the plan does not name %q", column)
			}
			for column := range got {
				if _, ok := want[column]; !ok {
					delete(got, column) // of a nested object, of which only some members are listed
				}
			}
			require.Equal(t, want, got)
			require.Equal(t, p.want, p.want.of(all(t, b)[0]))
		})
	}
}

// table parses the columns, and returns them as CSV with one row.
func (p *product) table(t *testing.T) (columns, fields []string, table string) {
	t.Helper()
	var values []string
	for line := range strings.SplitSeq(p.columns, "\n") {
		name, rest, ok := strings.Cut(line, " = ")
		require.True(t, ok, line)
		field, value, _ := strings.Cut(rest, " :")
		if field == "-" {
			field = ""
		}
		columns = append(columns, strings.Join(strings.Fields(strings.ReplaceAll(name, `\n`, "\n")), " "))
		fields, values = append(fields, field), append(values, strings.TrimSpace(value))
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	require.NoError(t, w.Write(columns))
	require.NoError(t, w.Write(values))
	w.Flush()
	return columns, fields, b.String()
}

// https://www.gleif.org/en/about-lei/common-data-file-format/current-versions/level-2-data-relationship-record-rr-cdf-2-1-format
func TestRelationshipRecordsAreConnections(t *testing.T) {
	t.Parallel()
	b := catalog.New(dbtest.SQLite(t))
	load(t, b, write(t, "lei.csv", "LEI,Entity.LegalName\n529900XXXXXXXXXXXX01,Acme\n529900XXXXXXXXXXXX02,Bolt\n529900XXXXXXXXXXXX03,Cog\n"))
	records := "Relationship.StartNode.NodeID,Relationship.StartNode.NodeIDType,Relationship.EndNode.NodeID,Relationship.EndNode.NodeIDType,Relationship.RelationshipType," +
		"Relationship.RelationshipStatus,Relationship.Period.1.startDate,Registration.InitialRegistrationDate,Registration.RegistrationStatus\n" +
		"529900XXXXXXXXXXXX01,LEI,529900XXXXXXXXXXXX02,LEI,IS_DIRECTLY_CONSOLIDATED_BY,ACTIVE,2012-11-29T00:00:00.000Z,2022-11-14,PUBLISHED\n" +
		"529900XXXXXXXXXXXX01,LEI,529900XXXXXXXXXXXX03,LEI,IS_ULTIMATELY_CONSOLIDATED_BY,ACTIVE,2012-11-29T00:00:00.000Z,2022-11-14,PUBLISHED\n" +
		"529900XXXXXXXXXXXX02,LEI,529900XXXXXXXXXXXX01,LEI,IS_DIRECTLY_CONSOLIDATED_BY,INACTIVE,2012-11-29T00:00:00.000Z,2022-11-14,LAPSED\n" +
		"529900XXXXXXXXXXXX02,LEI,529900XXXXXXXXXXXX09,LEI,IS_FUND-MANAGED_BY,ACTIVE,2012-11-29T00:00:00.000Z,2022-11-14,PUBLISHED\n"
	s := load(t, b, write(t, "rr.csv", records))
	require.Equal(t, importer.Connections{Read: 4, Added: 3, Rejected: 1}, s.Connections)
	require.Equal(t, []importer.Rejects{{Reason: importer.ReasonEnded, Count: 1, Samples: []importer.Sample{{File: s.Sources[0].File, Line: 4, Detail: "parent"}}}}, s.Reasons)
	require.Equal(t, facts{"+parent": "Bolt", "+ultimate_parent": "Cog"}, facts{"+parent": "", "+ultimate_parent": ""}.of(all(t, b)[0]))
	require.Zero(t, s.Read, "no record is a company")
	require.Equal(t, 3, load(t, b, write(t, "rr.csv", records)).Connections.Unchanged)
}

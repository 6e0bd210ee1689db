package importer

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unicode"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/importer/source"
	"github.com/opencapi/capi/internal/text"
)

// column is a field of a company or connection that a column of a source is read into.
type column uint8

const (
	colAttribute column = iota // no field of its own
	colIgnored                 // not read: skipped, or set by the catalog alone
	colID
	colKey // the source's own key, if --key names it
	colName
	colDomain
	colWebsite
	colLinkedIn
	colDescription
	colCountry
	colCountryCode
	colState
	colCity
	colLocation // country, state and city in one text
	colPostal
	colIndustries
	colNAICS
	colTechnologies
	colTechnologyCategories
	colEmployees
	colEmployeesMax // the upper bound, beside a column of the lower one
	colFounded
	colConnections
	colAttributes
	colRelation // connected companies; alias.category says how

	// Only in a record that is a connection.
	colTargetID
	colTargetName
	colTargetDomain
	colCategory
	colStatus // whether it has ended
)

const columns = int(colStatus) + 1

// fieldNames are the names of the columns for --map, --set and messages: the API's name of the field if it has one.
var fieldNames = map[column]string{
	colID: "id", colKey: "key", colName: "name", colDomain: "domain", colWebsite: "website", colLinkedIn: "linkedin_url",
	colDescription: "description", colCountry: "country", colCountryCode: "country_code", colState: "state", colCity: "city",
	colLocation: "location", colPostal: "postal_code", colIndustries: "industries", colNAICS: "naics_codes",
	colTechnologies: "technologies", colTechnologyCategories: "technology_categories", colEmployees: "employee_count", colEmployeesMax: "employee_count_max",
	colFounded: "founded_year", colConnections: "connections", colAttributes: "attributes",
}

// fieldByName finds the column that --map or --set names.
func fieldByName(name string) (column, bool) {
	for c, have := range fieldNames {
		if have == name && c != colKey {
			return c, true
		}
	}
	return 0, false
}

// isList reports whether a field can be read from several columns, whose values are joined.
func (c column) isList() bool {
	switch c {
	case colIndustries, colNAICS, colTechnologies, colTechnologyCategories, colRelation:
		return true
	default:
		return false
	}
}

// aliases are the names of each column. The first is the field's own. If a record has several, the first in this order wins.
// Names in German, French, Spanish, Portuguese, Italian and Dutch come last; moreAliases has other languages.
var aliases = map[column]string{
	colIgnored: "created_at updated_at unlocked match_key",
	colID:      "id company_id uuid company_uuid external_id bvd_id_number bvd_id lei lei_code legal_entity_identifier legal_entity_identifier_lei",
	colName: `name company_name company organization organization_name organisation organisation_name business_name
		trade_name brand_name firm_name firm employer employer_name account_name
		startup startup_name vendor_name entity_name corporation_name companies organizations organisations
		company_name_latin_alphabet legal_name company_legal_name official_name business corporation issuer issuer_name issuer_company
		display_name full_name title security item_label native_name primary_name associated_company employment_name
		firmenname unternehmensname firma unternehmen nom_entreprise raison_sociale nom entreprise societe denomination
		nombre_empresa razon_social empresa nombre compania nome_empresa razao_social nome azienda ragione_sociale
		denominazione bedrijf bedrijfsnaam naam
		nom_de_l_entreprise nom_de_la_societe nombre_de_la_empresa nome_da_empresa nome_dell_azienda
		会社名 企業名 社名 法人名 商号 公司名称 公司名 公司 企业名称 회사명 기업명 회사`,
	colDomain: `domain company_domain domain_name website_domain primary_domain web_domain email_domain root_domain host hostname employment_domain
		domains domain_names company_domains all_domains website_domains web_domains
		dominio domaine`,
	colWebsite: `website official_website official_site website_url homepage homepage_url company_website company_url web_site site_url web_address
		website_address web_page webpage corporate_website url company_link web site www link
		websites website_urls urls company_websites homepages web_sites
		webseite internetseite internetadresse site_web site_internet sitio_web pagina_web pagina_internet sito_web sito ウェブサイト サイト ホームページ 网站 网址 官网 웹사이트 홈페이지`,
	colLinkedIn: `linkedin_url linkedin linkedin_profile company_linkedin_url linkedin_company_url linkedin_page linkedin_link
		linkedin_profile_url li_url linkedin_company_page linkedin_company_profile linkedin_company_profile_url linkedin_company linkedin_page_url linkedin_handle`,
	colDescription: `description long_description full_description company_description short_description business_description
		short_description description_short trade_description trade_description_english about about_us summary overview profile_text one_liner tagline pitch bio what_they_do longbusinesssummary business_summary
		beschreibung descripcion descricao descrizione omschrijving 概要 会社概要 事業内容 简介 公司简介 회사소개`,
	colCountry: `country country_name hq_country headquarters_country company_country country_of_origin country_region nation
		domicile land staat_land pays nacion pais paese nazione
		country_territory country_or_territory country_area country_or_area
		country_or_region country_territory_region registered_country address_country billing_country 国 国名 国家 국가`,
	colCountryCode: `country_code country_iso country_iso_code iso_country iso2 iso3 country_iso2 country_iso3 country_alpha_2
		country_alpha2 country_alpha_3 laendercode code_pays jurisdiction_code legal_jurisdiction jurisdiction`,
	colState: `state state_name province state_province state_or_province us_state hq_state headquarters_state state_region
		state_province_region geographic_area administrative_area county_state address_state billing_state state_code province_code state_abbr region region_name
		bundesland estado provincia regione departement 都道府県 省份 省`,
	colCity: `city city_latin_alphabet city_name town locality hq_city headquarters_city municipality city_location city_town post_town posttown address_city billing_city place_city
		metro_city stadt ort wohnort ville ciudad cidade citta comune plaats gemeente 都市 市 市区町村 城市 도시`,
	colLocation: `location locations location_name hq_location headquarters_location headquarters headquarter hq head_office all_locations
		company_location office_location based_in place geography primary_location city_state city_country
		main_location hauptsitz standort sitz siege siege_social sede ubicacion 所在地 本社所在地 住所 地址 주소`,
	colPostal: `postal_code postcode postcode_latin_alphabet zip zip_postal_code zip_code zipcode post_code plz postleitzahl code_postal codigo_postal cap cep hq_zip`,
	colIndustries: `industries industry sectors sector industry_name primary_industry all_industries industry_sector industry_group industry_groups
		industry_description industry_code industry_v2 industry_category main_industry
		company_industry gics_sector gics_sub_industry gics_industry category_list category_groups_list category_groups
		categories category_code category category_name subindustry sub_industry sub_industries subindustries subcategory subsector sub_sector
		secondary_industry vertical verticals industry_vertical field_of_business line_of_business market markets
		sic_text sic_description sic_desc naics_description naics_desc nace_description naics_title sic_title nature_of_business
		business_type tags all_tags tag_list keywords focus_areas specialties specialities type
		branche branchen wirtschaftszweig secteur secteur_activite activite sector_actividad industria rubro setor
		ramo settore sectores bedrijfstak secteur_d_activite sector_de_actividad settore_di_attivita 業種 業界 行业 产业 업종`,
	colNAICS: "naics_codes naics_code naics naics_2022 naics_2017 primary_naics naics_primary naics6_codes naics6_codes2022",
	colTechnologies: `technologies web_technologies technology_names technology tech_stack techstack technology_stack tech stack technologies_used tech_used
		programming_languages tools_used software_used tecnologias technologien`,
	colTechnologyCategories: "technology_categories technology_category tech_categories",
	colEmployees: `employee_count employees number_of_employees num_employees employees_latest_number current_employee_estimate no_of_employees employees_count employee_number
		total_employees num_of_employees nb_employees headcount head_count team_size teamsize staff staff_count staff_size
		company_size organization_size workers workforce fulltime_employees full_time_employees employee_range employees_range
		employee_size headcount_range staff_count_range size_range size jobs_reported employee_count_range employees_count_range
		number_of_employees_range employee_size_range company_size_range employee_band employees_band headcount_band size_band staff_range staff_band
		min_employees employees_min minimum_employees num_employees_min number_of_employees_min employee_count_min
		employees_count_min min_employee_count headcount_min min_headcount employees_from size_min min_size company_size_min
		employee_range_min staff_min min_staff
		mitarbeiter mitarbeiterzahl anzahl_mitarbeiter beschaeftigte effectif effectifs nombre_employes
		numero_empleados empleados funcionarios numero_dipendenti dipendenti medewerkers aantal_medewerkers nombre_de_salaries nombre_d_employes numero_de_empleados
		numero_de_funcionarios numero_di_dipendenti anzahl_der_mitarbeiter 従業員数 社員数 员工人数 员工数 직원수`,
	colFounded: `founded_year founded year_founded founding_year foundation_year founded_in established year_established
		established_year established_in year_of_establishment year_of_foundation founding_date founded_date founded_on
		founded_on_year founded_at date_founded date_established incorporation_year year_of_incorporation year_incorporated inception_year
		start_year year_started company_founded since
		incorporation_date date_of_incorporation date_incorporated incorporated incorporated_on incorporated_in
		launch_year launch_date year_launched date_launched inception inception_date date_of_inception
		establishment_date date_of_establishment date_of_foundation foundation_date year_formed formation_date
		date_of_formation formation_year entity_creation_date company_creation_date
		gruendungsdatum grundungsdatum date_de_constitution date_d_immatriculation fecha_de_constitucion fecha_constitucion
		fecha_fundacion data_de_fundacao data_fundacao data_de_constituicao data_de_abertura data_di_costituzione
		data_costituzione data_di_fondazione oprichtingsdatum datum_oprichting 設立年月日 設立日 成立日期 설립일
		gruendungsjahr grundungsjahr gegruendet gegrundet annee_creation date_creation annee_de_creation fundacion
		ano_fundacion ano_de_fundacion fundada anno_fondazione oprichtingsjahr opgericht date_de_creation fecha_de_fundacion 設立年 設立 創業年 創業 成立年份 成立时间 成立日期 설립연도 설립년도`,
	colEmployeesMax: `employee_count_max max_employees employees_max maximum_employees num_employees_max number_of_employees_max
		employees_count_max max_employee_count headcount_max max_headcount employees_to size_max max_size company_size_max
		employee_range_max staff_max max_staff`,
	colConnections: "connections",
	colAttributes:  "attributes",
}

// relations maps the names of columns with other companies to what these are to the row's company.
var relations = map[string]string{
	"parent": "parent", "immediate_parent": "parent", "parent_account": "parent", "top_level_parent": "parent", "guo_name": "parent", "duo_name": "parent",
	"parent_company": "parent", "parent_name": "parent", "parent_company_name": "parent",
	"ultimate_parent": "parent", "parent_organization": "parent", "holding_company": "parent", "muttergesellschaft": "parent",
	"acquirer": "acquirer", "acquirer_name": "acquirer", "acquired_by": "acquirer", "acquiring_company": "acquirer",
	"acquisitions": "acquisition", "acquired_companies": "acquisition",
	"owned_by": "owner", "owner_company": "owner", "subsidiary_of": "parent",
	"subsidiaries": "subsidiary", "subsidiary": "subsidiary", "suborganizations": "subsidiary", "brands_owned": "subsidiary",
	"investors": "investor", "investor": "investor", "investor_names": "investor", "lead_investor": "investor",
	"lead_investors": "investor", "top_investors": "investor", "top_5_investors": "investor", "active_investors": "investor",
	"shareholder_name": "shareholder", "ish_name": "shareholder", "csh_name": "shareholder", "sub_name": "subsidiary", "select_investors": "investor", "backers": "investor",
	"backed_by": "investor", "portfolio": "portfolio", "portfolio_companies": "portfolio",
	"tochtergesellschaft": "subsidiary", "tochtergesellschaften": "subsidiary", "tochterunternehmen": "subsidiary", "wettbewerber": "competitor", "konkurrenten": "competitor",
	"kunden": "customer", "lieferanten": "supplier", "investoren": "investor", "mutterkonzern": "parent", "mutterunternehmen": "parent", "konzernmutter": "parent",
	"maison_mere": "parent", "societe_mere": "parent", "filiales": "subsidiary", "concurrents": "competitor", "fournisseurs": "supplier", "investisseurs": "investor", "investisseur": "investor",
	"empresa_matriz": "parent", "sociedad_matriz": "parent", "casa_matriz": "parent", "empresas_filiales": "subsidiary", "competidores": "competitor",
	"clientes": "customer", "proveedores": "supplier", "inversores": "investor", "inversor": "investor", "inversionistas": "investor", "empresa_mae": "parent", "controladora": "parent",
	"subsidiarias": "subsidiary", "concorrentes": "competitor", "fornecedores": "supplier", "investidores": "investor", "investidor": "investor",
	"societa_madre": "parent", "capogruppo": "parent", "controllate": "subsidiary", "concorrenti": "competitor", "clienti": "customer", "fornitori": "supplier", "investitori": "investor",
	"moederbedrijf": "parent", "moedermaatschappij": "parent", "dochterondernemingen": "subsidiary", "dochtermaatschappijen": "subsidiary", "concurrenten": "competitor", "klanten": "customer", "leveranciers": "supplier", "investeerders": "investor",
	"spolka_matka": "parent", "spolki_zalezne": "subsidiary", "konkurenci": "competitor", "klienci": "customer", "dostawcy": "supplier", "inwestorzy": "investor",
	"親会社": "parent", "子会社": "subsidiary", "競合": "competitor", "競合他社": "competitor", "投資家": "investor", "主要取引先": "customer", "母公司": "parent", "子公司": "subsidiary", "竞争对手": "competitor", "投资方": "investor", "投资人": "investor",
	"모회사": "parent", "자회사": "subsidiary", "경쟁사": "competitor", "투자자": "investor", "all_investors": "investor", "recent_investors": "investor", "institutional_investors": "investor",
	"entity_name_ultimate_parent": "parent", "entity_name_immediate_parent": "parent", "ultimate_parent_name": "parent", "parent_organisation": "parent",
	"competitors": "competitor", "competitor": "competitor", "main_competitors": "competitor", "top_competitors": "competitor",
	"customers": "customer", "clients": "customer", "key_customers": "customer", "partner_companies": "partner",
	"partners":  "partner",
	"suppliers": "supplier", "supplier": "supplier", "vendors": "vendor",
}

// weakNames may mean something else, so the values of the column must confirm them.
var weakNames = map[string]bool{
	"title": true, "security": true, "type": true, "size": true, "link": true, "site": true, "web": true, "url": true, "tech": true,
	"stack": true, "place": true, "land": true, "ort": true, "cap": true, "since": true, "staff": true, "host": true,
	"established": true, "market": true, "markets": true, "business": true, "full_name": true, "display_name": true, "nation": true,
	"headquarters": true, "hq": true, "employees": true, "founded": true, "stadt": true, "naam": true, "incorporated": true, "inception": true, "established_in": true,
}

// connectionAliases are the names of the columns in a record that is a connection.
var connectionAliases = map[column]string{
	colID:           "company_id id relationship_start_node_node_id start_node_id",
	colName:         "company_name name company",
	colDomain:       "company_domain domain",
	colCategory:     "category relation relationship type relationship_relationship_type relationship_type",
	colTargetID:     "connected_company_id connected_id relationship_end_node_node_id end_node_id",
	colStatus:       "relationship_relationship_status relationship_status",
	colTargetName:   "connected_name connected_company_name connected_company",
	colTargetDomain: "connected_domain connected_company_domain",
}

// connectionPrefix begins names that only a connection has, and endNode ends that of the connected company in the relationship
// records of the Global LEI Foundation.
const (
	connectionPrefix = "connected_"
	endNode          = "EndNode.NodeID"
)

// relationshipTypes are the types in relationship records, and what the end node is to the start node.
var relationshipTypes = map[string]string{
	"IS_DIRECTLY_CONSOLIDATED_BY": "parent", "IS_ULTIMATELY_CONSOLIDATED_BY": "ultimate_parent", "IS_INTERNATIONAL_BRANCH_OF": "head_office",
	"IS_FUND-MANAGED_BY": "fund_manager", "IS_SUBFUND_OF": "umbrella_fund", "IS_FEEDER_TO": "master_fund",
}

// alias is what a name of a column means. rank 0 is the field's own name.
type alias struct {
	column   column
	rank     int
	category string // of colRelation
	weak     bool   // the name alone is not enough
	register bool   // an identifier of a register, which is kept as an attribute, too
}

// byName indexes aliases by name.
func byName(aliases map[column]string) map[string]alias {
	out := map[string]alias{}
	addNames(out, aliases, 0)
	return out
}

// addNames adds the names that out does not have, at ranks from the first one on.
func addNames(out map[string]alias, aliases map[column]string, first int) {
	for c, names := range aliases {
		for rank, name := range strings.Fields(names) {
			if !isASCII(name) {
				name = normalName(name)
			}
			if _, ok := out[name]; ok && first > 0 {
				continue
			}
			out[name] = alias{column: c, rank: first + rank, weak: weakNames[name] || moreWeakNames[name], register: c == colID && registerIDs[name]}
			if isJurisdiction(name) {
				out[name] = alias{column: c, rank: jurisdictionRank}
			}
		}
	}
}

var (
	companyAliasIndex = sync.OnceValue(func() map[string]alias {
		out := byName(aliases)
		for name, category := range relations {
			if !isASCII(name) {
				name = normalName(name)
			}
			out[name] = alias{column: colRelation, category: category}
		}
		addNames(out, moreAliases, moreRank)
		joined := map[string]alias{}
		for name, p := range out {
			joined[strings.ReplaceAll(name, "_", "")] = p
		}
		for name, p := range joined {
			if _, ok := out[name]; !ok && len(name) > joinedMin {
				out[name] = p // companyname, teamsize
			}
		}
		return out
	})
	connectionAliasIndex = sync.OnceValue(func() map[string]alias { return byName(connectionAliases) })
)

// ownerPrefixes are prefixes that do not change what a name means.
var ownerPrefixes = []string{
	"company_", "organization_", "organisation_", "org_", "business_", "account_", "firm_", "startup_", "employer_",
	"entity_", "headquarters_address_", "head_office_address_", "registered_address_", "registered_office_address_",
	"reg_address_", "legal_address_", "legal_", "registered_", "billing_", "geo_", "category_", "metrics_", "localized_", "sic_code_", "siccode_", "corporate_", "primary_", "main_", "current_", "hq_", "headquarters_", "headquarter_", "head_office_", "basic_info_",
	"properties_", "location_", "address_", "info_", "details_", "profile_", "data_",
	"address1_", "address_1_", "main_address_", "postal_address_", "business_address_", "mailing_address_", "office_address_", "web_",
	"forretningsadresse_", "beliggenhetsadresse_", "physical_address_", "charity_contact_",
	"addr_", "visiting_address_", "post_address_", "hq_address_", "place_", "site_address_", "addresses_", "job_company_", "recipient_",
}

// registerIDs identify a company in all sources that have them.
var registerIDs = wordSet("bvd_id_number bvd_id lei lei_code legal_entity_identifier legal_entity_identifier_lei")

const (
	moreRank         = 200   // of the first name in moreAliases
	strippedRank     = 500   // added to the rank of a name without its prefix
	jurisdictionRank = 5_000 // after all others
	joinedMin        = 5     // a longer name may be written without its underscores
)

// noFields are names that would mean a field without their first word, and mean another thing with it.
var noFields = wordSet("tranche_effectifs_unite_legale industry_hierarchical_category secondary_industry_hierarchical_category entity_category entity_sub_category entity_subcategory entity_type account_type account_category location_type address_type legal_type registered_type company_number business_number")

// lastYears ends names of figures, and industryCode is a classification's code under any year and in any level.
var (
	lastYears    = regexp.MustCompile(`_(last_avail_yr|last_available_year|last_value|last_year)$`)
	industryCode = regexp.MustCompile(`^(naics|nace)(_rev)?(_\d+)?(_core|_primary|_secondary|_main)?_codes?(_s)?(_\d_digits)?(_description)?$`)
)

// inBrackets matches a name with something in brackets that only says how its values are meant.
var inBrackets = regexp.MustCompile(`(?i)^(.+?)\s*[(\[]\s*(?:approx|approximate|about|ca|circa|est|estimate|estimated|ungefähr|environ|aprox|fte|ftes|full[- ]time|headcount|` +
	`number|count|range|year|years|yyyy|yyyy-mm-dd|dd/mm/yyyy|mm/dd/yyyy|dd\.mm\.yyyy|date|latest|last available|current|total|all sites|single site|worldwide|global|group|` +
	`hq|headquarters|official|legal|primary|main|required|optional|if any|url|link|domain|name|text|list|english|en|iso|iso ?2|iso ?3|2-letter|alpha-2|20\d\d|fy ?\d\d+)\.?\s*[)\]]$`)

// ofCompany ends the name of a column and says that it is about the company, in the languages that say so at the end.
var ofCompany = []string{
	"_of_the_company", "_of_company", "_der_firma", "_des_unternehmens", "_de_l_entreprise", "_de_la_societe", "_de_la_empresa", "_de_empresa", "_da_empresa",
	"_dell_azienda", "_della_societa", "_van_het_bedrijf", "_bedrijf", "_firmy", "_компании", "_организации",
}

// yearEnd ends the name of a figure of one year.
var yearEnd = regexp.MustCompile(`^(.+)_((?:19|20)\d\d)$`)

// sumOf begins the name of a column of a pivot table.
var sumOf = regexp.MustCompile(`^(?:sum_of|summe_von|somme_de|suma_de|somma_di|soma_de|som_van|suma_z|max_of|maximum_von|合計)_(.+)$`)

// listMember is the name of a member of a list that a program flattened: investors/0/name.
var listMember = regexp.MustCompile(`^(.+_\d{1,2})_(?:name|value|label|title)$`)

// aliasOf returns what the name of a column means.
func aliasOf(name string) (alias, bool) {
	if strings.HasPrefix(strings.TrimSpace(name), "@") {
		return alias{}, false // a keyword of JSON-LD, such as @type
	}
	if p, ok := aliasOfWhole(name); ok {
		return p, true
	}
	if m := inBrackets.FindStringSubmatch(name); m != nil {
		p, ok := aliasOf(m[1])
		p.rank++
		return p, ok && p.column != colID
	}
	return alias{}, false
}

func aliasOfWhole(name string) (alias, bool) {
	n := lastYears.ReplaceAllString(normalName(name), "")
	known := companyAliasIndex()
	if noFields[n] {
		return alias{}, false
	}
	if p, ok := known[n]; ok {
		return p, true
	}
	if p, ok := known[strings.ReplaceAll(n, "_", "")]; ok && len(n) > joinedMin {
		return p, true
	}
	if p, ok := numbered(n); ok {
		return p, true
	}
	if rest, ok := strings.CutSuffix(n, "_name_name"); ok { // a name in an object with its language
		return aliasOf(rest + "_name")
	}
	if m := listMember.FindStringSubmatch(n); m != nil {
		return numbered(m[1])
	}
	if m := yearEnd.FindStringSubmatch(n); m != nil {
		year, _ := strconv.Atoi(m[2])
		p, ok := known[m[1]]
		p.rank = strippedRank + 3000 - year // the latest year first
		return p, ok && p.column == colEmployees
	}
	if full, ok := spelledOut(n); ok {
		p, ok := aliasOf(full)
		p.rank++
		return p, ok
	}
	for _, end := range ofCompany {
		if rest, ok := strings.CutSuffix(n, end); ok {
			if p, ok := aliasOf(rest); ok && p.column != colID && p.column != colIgnored && p.column != colName {
				return p, true
			}
		}
	}
	if rest, ok := strings.CutPrefix(n, "firmen"); ok && len(rest) > 3 {
		if p, ok := known[rest]; ok && p.column != colID && p.column != colName && p.column != colIgnored {
			return p, true
		}
	}
	for _, end := range []string{"_en", "_eng", "_english"} {
		if rest, ok := strings.CutSuffix(n, end); ok {
			p, ok := known[rest]
			p.rank++
			return p, ok && (p.column == colName || p.column == colDescription)
		}
	}
	for _, end := range []string{"_value", "_of_address"} {
		if rest, ok := strings.CutSuffix(n, end); ok {
			if p, ok := aliasOf(rest); ok && p.column != colID && p.column != colIgnored && p.column != colName {
				p.rank += strippedRank
				return p, true
			}
		}
	}
	if m := industryCode.FindStringSubmatch(n); m != nil {
		if m[7] != "" {
			return alias{column: colIndustries, rank: strippedRank}, true
		}
		return alias{column: colNAICS, rank: strippedRank}, m[1] == "naics"
	}
	if rest, ok := strings.CutSuffix(n, "_label"); ok { // of a query service: countryLabel
		if p, ok := aliasOf(rest); ok && p.column != colID && p.column != colIgnored {
			p.rank++
			return p, true
		}
	}
	if rest, ok := strings.CutSuffix(n, "_link"); ok { // of a cell
		switch p, _ := aliasOf(rest); p.column {
		case colName:
			return alias{column: colWebsite, rank: strippedRank}, true
		case colWebsite, colDomain:
			return alias{column: colWebsite, rank: -1}, true
		case colLinkedIn:
			return alias{column: colLinkedIn, rank: -1}, true
		default:
		}
	}
	for _, end := range []string{"_names", "_name"} {
		rest, _ := strings.CutSuffix(n, end)
		if p, ok := known[rest]; ok && rest != n && p.column == colRelation {
			return p, true
		}
	}
	if p, ok := bound(n); ok {
		return p, true
	}
	if m := sumOf.FindStringSubmatch(n); m != nil {
		p, ok := aliasOf(m[1])
		p.rank += strippedRank
		return p, ok && p.column == colEmployees
	}
	if p, ok := oneOf(n, otherPlurals); ok {
		return p, true
	}
	for _, owner := range ownerPrefixes {
		if rest, ok := strings.CutPrefix(n, owner); ok {
			p, ok := aliasOf(rest) // company_location_city
			if ok && p.column != colID && p.column != colIgnored && p.column != colAttributes {
				p.rank += strippedRank
				return p, true
			}
		}
	}
	return alias{}, false
}

// The words that begin or end the name of a bound of a range, and those that only end it, in several languages.
var (
	lowest  = wordSet("min minimum minimal minimo minima mini lower low")
	highest = wordSet("max maximum maximal maximo massimo maxima maxi upper high")
	lowEnd  = wordSet("from von ab de desde da dal od van от")
	highEnd = wordSet("to bis a hasta ate al do tot до")
)

// bound returns what the name of a bound of the number of employees means: "Employee Count From", "Zatrudnienie do".
func bound(n string) (alias, bool) {
	first, afterFirst, ok := strings.Cut(n, "_")
	if !ok {
		return alias{}, false
	}
	beforeLast, last, _ := cutLast(n, "_")
	rest, column := "", colEmployees
	switch {
	case lowest[last] || lowEnd[last]:
		rest = beforeLast
	case lowest[first]:
		rest = afterFirst
	case highest[last] || highEnd[last]:
		rest, column = beforeLast, colEmployeesMax
	case highest[first]:
		rest, column = afterFirst, colEmployeesMax
	}
	p, ok := companyAliasIndex()[rest]
	ok = ok && p.column == colEmployees
	p.column, p.rank = column, p.rank+strippedRank
	return p, ok
}

// The ends of the plurals in the names of columns with other companies.
var (
	plurals      = append([]string{"s"}, otherPlurals...)
	otherPlurals = []string{"es", "en", "n"}
)

// oneOf returns what the name of a column with one other company means by the name for several, such as competidor by competidores.
func oneOf(n string, ends []string) (alias, bool) {
	known := companyAliasIndex()
	for _, end := range ends {
		if p, ok := known[n+end]; ok && p.column == colRelation {
			return p, true
		}
	}
	stem, hasE := strings.CutSuffix(n, "e")
	p, ok := known[stem+"i"] // in Italian
	return p, ok && hasE && p.column == colRelation
}

// numbered returns what a numbered column of a list means: Industry 1, Investor 2.
func numbered(n string) (alias, bool) {
	rest := strings.TrimRight(n, "0123456789")
	number, err := strconv.Atoi(n[len(rest):])
	rest = strings.TrimSuffix(rest, "_")
	if before, after, ok := cutLast(n, "_"); ok && err != nil && romans[after] > 0 {
		rest, number, err = before, romans[after], nil // Sector II
	}
	if err != nil || rest == "" || number > 99 {
		return alias{}, false
	}
	p, ok := aliasOf(rest)
	if !ok {
		p, ok = aliasOf(rest + "s") // Tag 1
	}
	if !ok {
		p, ok = oneOf(rest, plurals)
	}
	p.rank += number
	switch {
	case !ok:
	case p.column == colNAICS:
		return p, strings.HasSuffix(rest, "code") // NAICS 2 is the number of digits, or the level
	case p.column == colDomain, p.column == colWebsite, p.column == colLinkedIn:
		p.rank += strippedRank
		return p, number <= numberedMax // the first that a record has is read
	case p.column == colCity, p.column == colState, p.column == colCountry, p.column == colPostal, p.column == colLocation:
		p.rank += strippedRank
		return p, number == 1 // parts of several places would be a place that does not exist
	case p.column == colName:
		p.rank += strippedRank
		return p, number == 1 && nameWord.MatchString(rest) // the first line of a name, as SAP has it
	}
	return p, ok && p.column.isList()
}

// nameWord is the word for name in the name of a column with the names of companies.
var nameWord = regexp.MustCompile(`(?:^|_)(?:nom|nome|nombre|naam|nazwa|nazev|nazov|название|наименование|назва)(?:_|$)|(?:name|naam|namn|navn|nimi|名|名称)$`)

const numberedMax = 5 // of columns of which one is read

var romans = map[string]int{"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6}

// cutLast cuts s around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// normalName returns a name as the aliases spell it: folded, with underscores for camel case ("HQCity" too) and punctuation.
func normalName(name string) string {
	var s strings.Builder
	if strings.ContainsAny(name, "'’") {
		name = possessive.ReplaceAllString(name, "$1")
	}
	runes := []rune(strings.TrimSpace(name))
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || unicode.IsUpper(runes[i-1]) && beginsWord(runes[i+1:])) {
			s.WriteByte('_')
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			s.WriteRune(r)
		} else {
			s.WriteByte('_')
		}
	}
	parts := strings.FieldsFunc(text.Fold(s.String()), func(r rune) bool { return r == '_' || r == ' ' })
	return strings.Join(parts, "_")
}

// possessive matches the end of a word that says whose something is: the acquirer's website.
var possessive = regexp.MustCompile(`(\pL)['’]s\b`)

// beginsWord reports whether a capital before the runes begins a word. URLs and IDs are one word.
func beginsWord(rest []rune) bool {
	return len(rest) > 1 && unicode.IsLower(rest[0]) && unicode.IsLower(rest[1])
}

// formEnd matches the name of a company that ends in a legal form, except for those that end names of columns, such as company.
var formEnd = regexp.MustCompile(`(?i)[\pL\d][,.]? (?:inc|llc|ltd|gmbh|plc|corp|b\.?v|n\.?v|s\.?r\.?l|s\.?p\.?a|sarl|kg|gmbh & co\.? kg)\.?$`)

// abbreviations are words as databases shorten them in the names of columns.
var abbreviations = map[string]string{
	"nm": "name", "cd": "code", "yr": "year", "cnt": "count", "ct": "count", "emp": "employee", "emps": "employees", "comp": "company", "ctry": "country", "cntry": "country",
	"ind": "industry", "desc": "description", "nbr": "number",
}

// spelledOut returns the name of a column with its abbreviations in full. ok is false if it has none.
func spelledOut(n string) (full string, ok bool) {
	parts := strings.Split(n, "_")
	for i, p := range parts {
		if long := abbreviations[p]; long != "" && (len(parts) > 1 || len(p) > 3) {
			parts[i], ok = long, true
		}
	}
	return strings.Join(parts, "_"), ok
}

// schema describes columns to the readers of files.
type schema struct{}

// columnsKnown has what Column returned, because records in JSON have the same names again and again.
var columnsKnown = struct {
	sync.Map
	count atomic.Int64
}{}

const (
	columnsKnownMax   = 20_000
	columnsKnownBytes = 100 // of the longest name
)

// Column returns what the aliases say about a column.
func (schema) Column(name string) source.Column {
	if have, ok := columnsKnown.Load(name); ok {
		return have.(source.Column) //nolint:forcetypeassert // it has no others
	}
	out := describeColumn(name)
	if len(name) <= columnsKnownBytes && columnsKnown.count.Add(1) <= columnsKnownMax {
		columnsKnown.Store(strings.Clone(name), out)
	}
	return out
}

func describeColumn(name string) source.Column {
	p, ok := aliasOf(name)
	if !ok {
		n := normalName(name)
		_, ok = connectionAliasIndex()[n]
		return source.Column{Known: ok && (strings.HasPrefix(n, connectionPrefix) || strings.HasPrefix(n, "relationship_"))}
	}
	out := source.Column{Known: true}
	switch p.column {
	case colName, colDomain, colWebsite:
		out.Key = true
	case colConnections, colAttributes, colRelation:
		out.Whole = true
	case colDescription:
		out.Prose = true
	default:
	}
	return out
}

// IsValue reports whether the cell is an address on the web, or a name with a legal form.
func (schema) IsValue(cell string) bool {
	if formEnd.MatchString(cell) {
		return true
	}
	_, ok := company.CleanDomain(cell)
	return ok && strings.Contains(cell, ".") && !strings.Contains(cell, " ") && knownSuffix(cell)
}

package importer_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/importer"
)

func TestVariantsOfTraitsAreLoadedRight(t *testing.T) {
	t.Parallel()
	for _, traits := range [][]trait{peopleVariants, wordVariants, placeVariants, headerVariants(t), rowVariants(t), jsonVariants, tableVariants(t), cardVariants(t), linkVariants(t), dateVariants, hostVariants, exportVariants, answerVariants(t)} {
		for _, tr := range traits {
			t.Run(tr.name, func(t *testing.T) {
				t.Parallel()
				tr.check(t)
			})
		}
	}
}

var peopleVariants = []trait{
	{
		"a name beside an account", csvFile("Name,Account,Email", "Ada Moss,Acme Inc,ada@acme.example", "Bo Reed,Bolt LLC,bo@bolt.example"),
		[]facts{{"name": "Acme Inc", "@Name": "Ada Moss"}, {"name": "Bolt LLC", "@Name": "Bo Reed"}},
		nil,
	},
	{
		"a street beside people is no name", csvFile("Name;Funktion;E-Mail;Straße;Ort", "Anna Schmidt;Geschäftsführerin;anna.schmidt@mueller-mb.de;Hauptstr. 1;Berlin",
			"Jan Weber;Vertriebsleiter;jan.weber@weber-tec.de;Ring 3;München", "Ute Klein;Inhaberin;ute.klein@klein-soehne.de;Gasse 5;Köln"),
		[]facts{{"name": "mueller-mb.de", "@Straße": "Hauptstr. 1", "@Name": "Anna Schmidt"}, {"name": "weber-tec.de"}, {"name": "klein-soehne.de"}},
		nil,
	},
	{
		"the date of a contact is no connection", csvFile("First Name,Last Name,URL,Company,Position,Connected On",
			"Ada,Moss,https://www.linkedin.com/in/ada,Acme Tools,CEO,14 Mar 2021", "Bo,Reed,https://www.linkedin.com/in/bo,Bolt,Buyer,15 Mar 2021"),
		[]facts{{"name": "Acme Tools", "@Connected On": "14 Mar 2021", "linkedin_url": ""}, {"name": "Bolt"}},
		nil,
	},
	{
		"names of customers and banks", csvFile("Kunde;Ort", "Müller GmbH;Berlin", "Klein KG;Köln"),
		[]facts{{"name": "Müller GmbH", "city": "Berlin"}, {"name": "Klein KG"}},
		nil,
	},
	{
		"a customer may be yes or no", csvFile("Domain,Customer", "acme.example,Yes", "bolt.example,No", "cog.example,No", "dent.example,Yes", "echo.example,No"),
		[]facts{{"name": "acme.example", "@Customer": "Yes"}, {"name": "bolt.example"}, {"name": "cog.example"}, {"name": "dent.example"}, {"name": "echo.example"}},
		nil,
	},
	{
		"names without a header", csvFile("Acme Inc", "Bolt LLC", "Cog Ltd", "Dent GmbH"),
		[]facts{{"name": "Acme Inc"}, {"name": "Bolt LLC"}, {"name": "Cog Ltd"}, {"name": "Dent GmbH"}},
		nil,
	},
	{
		"a first line that may be a record", csvFile("Moulin Rouge", "Pont Neuf", "Quai Ouest", "Porte Verte"),
		[]facts{{"name": "Pont Neuf"}, {"name": "Quai Ouest"}, {"name": "Porte Verte"}},
		[]string{"read as the header: Moulin Rouge; if it is a record"},
	},
	{
		"any text without a header is no city", csvFile("1,Acme Inc,Software", "2,Bolt LLC,Retail", "3,Cog Ltd,Tools"),
		[]facts{{"name": "Acme Inc", "city": ""}, {"name": "Bolt LLC", "city": ""}, {"name": "Cog Ltd", "city": ""}},
		nil,
	},
	{
		"a register without a header", csvFile(`"12345678";"PADARIA PAO QUENTE LTDA";"2062";"49";"50000,00";"01"`, `"98765432";"TECIDOS AURORA S.A.";"2054";"10";"9000000,00";"05"`,
			`"98765433";"FERRO VELHO ME";"2135";"50";"1000,00";"01"`),
		[]facts{{"name": "PADARIA PAO QUENTE LTDA", "employees": ""}, {"name": "TECIDOS AURORA S.A.", "employees": ""}, {"name": "FERRO VELHO ME", "employees": ""}},
		nil,
	},
}

var wordVariants = []trait{
	{
		"the first line of a name", csvFile("Customer;Name 1;Name 2;Street;City;Country", "100001;Acme GmbH;Werk Nord;Ring 1;Bonn;DE", "100002;Bolt AG;;Ring 2;Ulm;DE"),
		[]facts{{"name": "Acme GmbH", "city": "Bonn", "country": "DE", "@Name 2": "Werk Nord", "@Customer": "100001"}, {"name": "Bolt AG"}},
		nil,
	},
	{
		"fields of SAP",
		[]file{{"a.txt", "KUNNR\tNAME1\tNAME2\tORT01\tPSTLZ\tLAND1\tREGIO\n0000100001\tAcme GmbH\tWerk Nord\tBonn\t53111\tDE\tNW\n0000100002\tBolt AG\t\tUlm\t89073\tDE\tBW\n"}},
		[]facts{{"name": "Acme GmbH", "city": "Bonn", "country": "DE", "@NAME2": "Werk Nord", "@PSTLZ": "53111", "@state_code": "NW"}, {"name": "Bolt AG"}},
		nil,
	},
	{
		"the first line of a name in other languages", csvFile("Nom client 1;Nom client 2;Ville", "Moulin SA;Site Nord;Lyon", "Pont SARL;;Nice"),
		[]facts{{"name": "Moulin SA", "city": "Lyon", "@Nom client 2": "Site Nord"}, {"name": "Pont SARL"}},
		nil,
	},
	{
		"numbered names of people", csvFile("Name 1,Name 2,Title,Email", "Ada,Moss,CEO,ada.moss@acme.example", "Bo,Reed,CTO,bo.reed@bolt.example"),
		[]facts{{"name": "acme.example", "@Name 1": "Ada"}, {"name": "bolt.example", "@Name 1": "Bo"}},
		nil,
	},
	{
		"the bounds of a range from and to", csvFile("Firma;Employee Count From;Employee Count To", "Acme;51;200", "Bolt;11;50"),
		[]facts{{"employees": "51", "@employee_range": "51-200"}, {"employees": "11", "@employee_range": "11-50"}},
		nil,
	},
	{"the bounds of a range in Polish", csvFile("Firma;Zatrudnienie od;Zatrudnienie do", "Acme;51;200"), []facts{{"employees": "51", "@employee_range": "51-200"}}, nil},
	{"the bounds of a range in Spanish", csvFile("Empresa;Número de empleados (mín)", "Acme;51"), []facts{{"employees": "51"}}, nil},
	{"the bounds of a range in French", csvFile("Société;Nombre de salariés de;Nombre de salariés à", "Acme;51;200"), []facts{{"employees": "51", "@employee_range": "51-200"}}, nil},
	{
		"numbered connections in their singular", csvFile("Empresa,Competidor 1,Competidor 2,Inversor 1", "Acme,Bolt,Cog,Zeta"),
		[]facts{{"name": "Acme", "+competitor": "Bolt|Cog", "+investor": "Zeta"}},
		nil,
	},
	{"numbered connections in German and Italian", csvFile("Firma,Konkurrent 1,Investitore 1", "Acme,Bolt,Zeta"), []facts{{"name": "Acme", "+competitor": "Bolt", "+investor": "Zeta"}}, nil},
	{"a list of objects is no name", jsonFile(`[{"domain":"acme.example","companies":[{"name":"Bolt"}]},{"domain":"cog.example","companies":[{"name":"Dent"}]}]`), []facts{{"name": "acme.example"}, {"name": "cog.example"}}, nil},
	{"regions that are countries", csvFile("Company,Region", "Acme,Germany", "Bolt,France", "Cog,Italy"), []facts{{"country": "DE", "state": ""}, {"country": "FR"}, {"country": "IT"}}, nil},
	{"markets that are countries", csvFile("Firma;Markt;Market", "Acme;x;Deutschland", "Bolt;x;Österreich", "Cog;x;Schweiz"), []facts{{"country": "DE", "industries": ""}, {"country": "AT"}, {"country": "CH"}}, nil},
	{"a state that is a country's name", csvFile("Company,State,Country", "Acme,Georgia,US", "Bolt,Georgia,US", "Cog,Georgia,US"), []facts{{"state": "Georgia", "country": "US"}, {"state": "Georgia"}, {"state": "Georgia"}}, nil},
	{
		"an Italian register", csvFile("Denominazione;Sigla provincia;Descrizione ATECO;Anno di costituzione;Numero dipendenti", "Alfa Srl;MI;Carpenteria;1999;12", "Beta;TO;Carni;2001;5", "Gamma;RM;Vetro;2003;7"),
		[]facts{{"name": "Alfa Srl", "state": "Milano", "country": "IT", "industries": "Carpenteria", "founded": "1999", "employees": "12"}, {"name": "Beta"}, {"name": "Gamma"}},
		nil,
	},
	{"a Japanese register", csvFile("法人番号,商号又は名称,都道府県,市区町村", "1234567890123,水車株式会社,東京都,港区"), []facts{{"name": "水車株式会社", "state": "東京都", "city": "港区"}}, nil},
	{"years of two digits as text", csvFile("Company,Founded,City", "Acme,'98,Bonn", "Bolt,'07,Ulm"), []facts{{"founded": "1998"}, {"founded": "2007"}}, []string{"years of two digits"}},
	{"founded in French", csvFile("Société;Créée en;Mitarbeiter", "Acme;mars 1995;20 - 30 MA"), []facts{{"founded": "1995", "employees": "20"}}, nil},
	{
		"stages and sizes are no industries", csvFile("Name,Type,Business Category,Sector", "Acme,Startup,SMB,Public", "Bolt,Scaleup,MSME,Private", "Cog,Corporate,Enterprise,Private"),
		[]facts{{"name": "Acme", "industries": "", "@Type": "Startup", "@Business Category": "SMB", "@Sector": "Public"}, {"name": "Bolt", "industries": ""}, {"name": "Cog", "industries": ""}},
		nil,
	},
	{
		"a keyword of JSON-LD is no industry", jsonFile(`{"@context":"https://schema.org","@graph":[{"@type":"Organization","name":"Acme","numberOfEmployees":{"@type":"QuantitativeValue","value":120}},{"@type":"Corporation","name":"Bolt"}]}`),
		[]facts{{"name": "Acme", "industries": "", "employees": "120"}, {"name": "Bolt", "industries": ""}},
		nil,
	},
	{
		"lists with Roman and other numbers", csvFile("Empresa;Sector I;Sector II;Tag #1;Tag #2", "Acme;Herramientas;Acero;b2b;saas", "Bolt;Madera;;b2c;"),
		[]facts{{"name": "Acme", "industries": "Herramientas|Acero|b2b|saas"}, {"name": "Bolt", "industries": "Madera|b2c"}},
		nil,
	},
	{
		"members that a program flattened", csvFile("name,investors/0/name,investors/1/name,industries/0", "Acme,Alpha,Beta,Tools", "Bolt,Alpha,,Wood"),
		[]facts{{"name": "Acme", "+investor": "Alpha|Beta", "industries": "Tools"}, {"name": "Bolt", "+investor": "Alpha"}},
		nil,
	},
	{
		"connections in German", csvFile("Firma;Muttergesellschaft;Tochtergesellschaften;Wettbewerber;Kunden", "Acme;Omega AG;Acme Nord GmbH;Bolt;Cog"),
		[]facts{{"name": "Acme", "+parent": "Omega AG", "+subsidiary": "Acme Nord GmbH", "+competitor": "Bolt", "+customer": "Cog"}},
		nil,
	},
	{
		"connections in French", csvFile("Société,Maison mère,Filiales,Concurrents,Investisseur 1,Investisseur 2", "Acme,Omega SA,Acme Nord,Bolt,Alpha,Beta"),
		[]facts{{"name": "Acme", "+parent": "Omega SA", "+subsidiary": "Acme Nord", "+competitor": "Bolt", "+investor": "Alpha|Beta"}},
		nil,
	},
	{
		"connections in Japanese", csvFile("会社名,親会社,競合他社", "山田製作所,大山HD,北海工業"),
		[]facts{{"name": "山田製作所", "+parent": "大山HD", "+competitor": "北海工業"}},
		nil,
	},
	{
		"the ultimate parent in brackets", csvFile("Company Name,Entity Name (Ultimate Parent),Employees (FTE),Founding Year (approx.)", "Acme,Omega Holdings,120,c. 1988"),
		[]facts{{"name": "Acme", "+parent": "Omega Holdings", "employees": "120", "founded": "1988"}},
		nil,
	},
	{
		"names of columns in a database", csvFile("CO_NM,COMPANY_NAME,WEB_SITE,CTRY_NM,EMP_CNT,FOUNDED_YR,INDUSTRY_DESC,CITY_NM,STATE_CD,ZIP_CD", "x,Acme,acme.example,United States,120,1988,Tools,Austin,TX,78701"),
		[]facts{{"name": "Acme", "domain": "acme.example", "country": "US", "employees": "120", "founded": "1988", "industries": "Tools", "city": "Austin", "state": "Texas"}},
		nil,
	},
	{
		"answers are no companies", csvFile("Company,Partners,Investoren", "Acme,Yes,ja", "Bolt,No,nein", "Cog,Yes,ja"),
		[]facts{{"name": "Acme", "+partner": "", "@Partners": "Yes", "@Investoren": "ja"}, {"name": "Bolt", "+partner": ""}, {"name": "Cog", "+investor": ""}},
		nil,
	},
	{
		"the date of registration in a register", csvFile("Company,Registration Number,Date of Registration", "Acme,1,14/03/1998", "Bolt,2,01/02/2004"),
		[]facts{{"name": "Acme", "founded": "1998"}, {"name": "Bolt", "founded": "2004"}},
		nil,
	},
	{
		"the date of registration of a customer", csvFile("Company,Plan,Registration Date", "Acme,free,14/03/2018", "Bolt,paid,01/02/2024"),
		[]facts{{"name": "Acme", "founded": "", "@Registration Date": "14/03/2018"}, {"name": "Bolt", "founded": ""}},
		nil,
	},
	{
		"unknown in other languages", csvFile("Company,Website,Employees", "Acme,keine,unbekannt", "Bolt,aucun,inconnu", "Cog,ninguno,sin datos", "Dent,无,不明", "Echo,brak,нет данных"),
		[]facts{{"name": "Acme", "website": "", "@Employees": ""}, {"name": "Bolt", "website": ""}, {"name": "Cog", "website": ""}, {"name": "Dent", "website": ""}, {"name": "Echo", "website": ""}},
		nil,
	},
	{
		"columns of the company in French", csvFile("Nom complet;Fonction;Nom de l'entreprise;Site web de l'entreprise;Taille de l'entreprise;Ville de l'entreprise", "Marie Dupont;PDG;Port SARL;port.example;11-50;Nantes"),
		[]facts{{"name": "Port SARL", "domain": "port.example", "employees": "11", "city": "Nantes", "@Nom complet": "Marie Dupont"}},
		nil,
	},
	{
		"columns of the company in German", csvFile("Vollständiger Name;Position;Firmenname;Firmenwebseite;Firmengröße;Firmensitz", `Max Muster;GF;Muster GmbH;muster.example;11-50;"Berlin, Deutschland"`),
		[]facts{{"name": "Muster GmbH", "domain": "muster.example", "employees": "11", "city": "Berlin", "country": "DE"}},
		nil,
	},
	{
		"columns of the company in Portuguese", csvFile("Nome completo,Função,Empresa,Site da empresa,Setor da empresa,Tamanho da empresa", "Ana Silva,Gerente,Norte Ltda,norte.example,Construção,11-50"),
		[]facts{{"name": "Norte Ltda", "domain": "norte.example", "industries": "Construção", "employees": "11"}},
		nil,
	},
	{
		"commas between technologies", csvFile("Company,Technologies", `Acme,"Python, Go"`, "Bolt,C++; C#", "Cog,Node.js"),
		[]facts{{"name": "Acme", "technologies": "Python|Go"}, {"name": "Bolt", "technologies": "C++|C#"}, {"name": "Cog", "technologies": "Node.js"}},
		nil,
	},
	{
		"employees of the latest year", csvFile("Company,Employees 2021,Employees 2023,Employees 2022", "Acme,100,140,120", "Bolt,10,,12"),
		[]facts{{"name": "Acme", "employees": "140", "@Employees 2021": "100"}, {"name": "Bolt", "employees": "12"}},
		nil,
	},
	{
		"dates of Japan and with short years", csvFile("会社名,設立", "山田製作所,昭和51年3月", "北海工業,平成10年3月14日", "新星,令和元年"),
		[]facts{{"name": "山田製作所", "founded": "1976"}, {"name": "北海工業", "founded": "1998"}, {"name": "新星", "founded": "2019"}},
		nil,
	},
	{
		"years of two digits", csvFile("Company,Inc. Date", "Acme,14-Mar-98", "Bolt,01/02/04", "Cog,30.11.76"),
		[]facts{{"name": "Acme", "founded": "1998"}, {"name": "Bolt", "founded": "2004"}, {"name": "Cog", "founded": "1976"}},
		nil,
	},
	{
		"more headers in German", csvFile("Firmenbezeichnung;Internet;Beschäftigtenzahl;Gegründet am;PLZ/Ort;Branche(n)", "Acme GmbH;www.acme.example;51 bis 200;12.1988;80331 München;Stahl, Werkzeuge", "Bolt AG;bolt.example;> 1.000;1999;50667 Köln;Holz"),
		[]facts{{"name": "Acme GmbH", "domain": "acme.example", "employees": "51", "founded": "1988", "city": "München", "industries": "Stahl|Werkzeuge"}, {"name": "Bolt AG", "employees": "1000", "city": "Köln"}},
		nil,
	},
	{
		"more headers in French", csvFile("Dénomination sociale;Site Internet;Effectif salarié;Code postal;Ville", "Acme SARL;acme.example;10 à 19 salariés;75001;Paris"),
		[]facts{{"name": "Acme SARL", "domain": "acme.example", "employees": "10", "city": "Paris"}},
		nil,
	},
	{
		"states of Brazil", csvFile("Razão Social;Município;UF;Data de abertura", "ACME LTDA;São Paulo;SP;14/03/1998", "BOLT S.A.;Curitiba;PR;01/02/2004"),
		[]facts{{"name": "ACME LTDA", "city": "São Paulo", "state": "São Paulo", "country": "BR", "founded": "1998"}, {"name": "BOLT S.A.", "state": "Paraná", "country": "BR"}},
		[]string{"the country Brazil is inferred"},
	},
	{
		"more headers and a range in Japanese", csvFile("会社名,ホームページURL,従業員数", "北海工業,https://hokkai.example/,50人以上100人未満", "山田製作所,https://yamada.example/,300人以上"),
		[]facts{{"name": "北海工業", "domain": "hokkai.example", "employees": "50"}, {"name": "山田製作所", "domain": "yamada.example", "employees": "300"}},
		nil,
	},
	{
		"several websites and offices", csvFile("Company,Website 1,Website 2,City 1,Country 1,City 2,Country 2", "Acme,acme.example,acme.test,Bonn,Germany,Lyon,France", "Bolt,,bolt.test,Ulm,Germany,,"),
		[]facts{{"name": "Acme", "domain": "acme.example", "@Website 2": "acme.test", "city": "Bonn", "country": "DE", "@City 2": "Lyon"}, {"name": "Bolt", "domain": "bolt.test", "city": "Ulm"}},
		nil,
	},
	{
		"French register", csvFile("SIREN;Dénomination;Libellé APE;Forme juridique;Tranche d'effectif;Créée le;Code postal;Commune", "552100554;BOULANGERIE DU PORT;Boulangerie;SARL;10 à 19 salariés;12 mai 2003;44000;NANTES"),
		[]facts{{"name": "BOULANGERIE DU PORT", "industries": "Boulangerie", "employees": "10", "founded": "2003", "city": "NANTES", "@Forme juridique": "SARL"}},
		nil,
	},
	{
		"Chinese directory", csvFile("公司名称,成立日期,所属省份,所属城市,企业类型,所属行业,网址,经营范围,参保人数", "杭州云图科技有限公司,2010-03-14,浙江省,杭州市,有限责任公司,软件业,www.yuntu.example,软件开发,120"),
		[]facts{{"name": "杭州云图科技有限公司", "founded": "2010", "state": "浙江省", "city": "杭州市", "industries": "软件业", "domain": "yuntu.example", "description": "软件开发", "employees": "120", "@企业类型": "有限责任公司"}},
		nil,
	},
}

// place is a trait of one company with a value in a column of places.
func place(name, header, value string, want facts) trait {
	want["name"] = "Acme"
	return trait{name, csvFile("Name;"+header, "Acme;"+value), []facts{want}, nil}
}

var placeVariants = []trait{
	place("an address with a street", "Sitz", "Hauptstr. 1, 10115 Berlin, Deutschland", facts{"city": "Berlin", "state": "", "country": "DE", "@Sitz": "Hauptstr. 1, 10115 Berlin, Deutschland"}),
	place("an address of the United States", "HQ Location", "1 Main St, Suite 200, Austin, TX 78701, United States", facts{"city": "Austin", "state": "Texas", "country": "US"}),
	place("a street without a word for it", "Sitz", "Gasse 5, 50667 Köln, Deutschland", facts{"city": "Köln", "country": "DE"}),
	place("a place with a word of streets", "HQ Location", "St. Louis, Missouri, United States", facts{"city": "St. Louis", "state": "Missouri", "country": "US"}),
	place("a place with another word of streets", "HQ Location", "Kennett Square, Pennsylvania, United States", facts{"city": "Kennett Square", "state": "Pennsylvania", "country": "US"}),
	place("a place that is a word of streets", "HQ Location", "Ring, Bayern, Germany", facts{"city": "Ring", "state": "Bayern", "country": "DE"}),
	place("a city with its postal code", "HQ Location", "St. Louis 63101, Missouri, United States", facts{"city": "St. Louis", "state": "Missouri", "country": "US"}),
	place("a number of four digits", "HQ Location", "1600 Amphitheatre Parkway, Mountain View, CA 94043", facts{"city": "Mountain View", "state": "California", "country": "US"}),
	place("a street without a number", "Sitz", "King's Road, London, United Kingdom", facts{"city": "London", "country": "GB", "state": ""}),
	place("an address of Australia", "HQ Location", "Level 5, 100 Queen St, Melbourne VIC 3000, Australia", facts{"city": "Melbourne", "state": "Victoria", "country": "AU"}),
	place("an address of Brazil", "Sede", "Av. Paulista 1000, São Paulo - SP, 01310-100, Brazil", facts{"city": "São Paulo", "state": "São Paulo", "country": "BR"}),
	place("an address of Spain", "Sede", "Calle Mayor 5, 28013 Madrid, España", facts{"city": "Madrid", "country": "ES", "state": ""}),
	place("an address of Italy", "Sede", "Via Roma 1, 20121 Milano MI, Italia", facts{"city": "Milano", "country": "IT"}),
	place("an address of the Netherlands", "HQ", "Keizersgracht 1, 1015 CJ Amsterdam, Netherlands", facts{"city": "Amsterdam", "country": "NL"}),
	place("an address of Poland", "Siedziba", "ul. Długa 1, 30-001 Kraków, Polska", facts{"city": "Kraków", "country": "PL"}),
	place("an address of France", "Siège social", "12 rue de la Paix, 75002 Paris, France", facts{"city": "Paris", "country": "FR"}),
	place("an address of the United Kingdom", "Location", "4 Privet Drive, Little Whinging, Surrey, RG12 9FG, UK", facts{"city": "Little Whinging", "state": "Surrey", "country": "GB"}),
	place("a code of a province of Italy", "Sede", "Parma (PR)", facts{"city": "Parma", "country": "IT", "state": ""}),
	place("a code in brackets before the country", "Sede", "Brescia (BS), Italia", facts{"city": "Brescia", "country": "IT", "state": ""}),
	place("a number of a district", "Location", "Dublin 2, Ireland", facts{"city": "Dublin", "country": "IE", "@Location": "Dublin 2, Ireland"}),
	place("a number of a district below a street", "Location", "10 Main Street, Dublin 2, Ireland", facts{"city": "Dublin", "country": "IE"}),
	place("an ordinal number of a district", "Siège social", "Paris 8e, France", facts{"city": "Paris", "country": "FR", "@Siège social": "Paris 8e, France"}),
	place("an ordinal number with its word", "Siège social", "Marseille 13e arrondissement, France", facts{"city": "Marseille", "country": "FR"}),
	place("half of a British postal code", "HQ Location", "London EC1, UK", facts{"city": "London", "country": "GB", "@HQ Location": "London EC1, UK"}),
	place("a district without a country", "HQ Location", "Wien 3", facts{"city": "Wien", "country": "", "@HQ Location": "Wien 3"}),
	place("a district with its postal code", "Sitz", "1030 Wien 3, Österreich", facts{"city": "Wien", "country": "AT"}),
	place("a district with its name", "Location", "Praha 4 - Chodov, Czechia", facts{"city": "Praha", "country": "CZ"}),
	place("a Roman number of a district", "Location", "Budapest XI, Hungary", facts{"city": "Budapest", "country": "HU"}),
	place("a place of the French post", "Siège social", "38000 Grenoble Cedex 9, France", facts{"city": "Grenoble", "country": "FR"}),
	place("a column of cities with districts", "City;Country", "Praha 1;Czech Republic", facts{"city": "Praha", "country": "CZ", "@City": "Praha 1"}),
	place("a number of a house is not one of a district", "Sitz", "Am Markt 3, Germany", facts{"city": "", "country": "DE", "@Sitz": "Am Markt 3, Germany"}),
	place("Vienna in Virginia", "HQ Location", "Vienna, VA", facts{"city": "Vienna", "state": "Virginia", "country": "US"}),
	place("a region without a city", "HQ Location", "Bavaria, Germany", facts{"city": "", "state": "Bavaria", "country": "DE"}),
	place("a region without a city, in French", "Siège social", "Île-de-France, France", facts{"city": "", "state": "Île-de-France", "country": "FR"}),
	place("a part of the United Kingdom", "Location", "Scotland, United Kingdom", facts{"city": "", "state": "Scotland", "country": "GB"}),
	place("a region that is a city, too", "Location", "Utrecht, Netherlands", facts{"city": "Utrecht", "state": "", "country": "NL"}),
	place("a city with what it is", "HQ Location", "Hong Kong SAR", facts{"city": "Hong Kong", "country": "HK"}),
	place("a province of Italy in a column of its own", "Comune;Provincia;Nazione", "Sesto;MI;Italia", facts{"city": "Sesto", "state": "Milano", "country": "IT", "@Provincia": ""}),
	place("a province of Italy that is named", "Città;Provincia;Paese", "Sesto;Milano;Italia", facts{"city": "Sesto", "state": "Milano", "country": "IT"}),
	{
		"provinces of Italy without a country", csvFile("Ragione sociale;Sede legale;Prov.", "Alfa Srl;Milano;MI", "Beta Spa;Bari;BA", "Gamma Snc;Roma;RM"),
		[]facts{{"city": "Milano", "state": "Milano", "country": "IT"}, {"city": "Bari", "state": "Bari", "country": "IT"}, {"city": "Roma", "state": "Roma"}},
		[]string{"the country Italy is inferred"},
	},
	{
		"provinces of Canada without a country", csvFile("Company,City,Prov", "Acme,Toronto,ON", "Bolt,Montreal,QC", "Cog,Calgary,AB"),
		[]facts{{"city": "Toronto", "state": "Ontario", "country": "CA"}, {"state": "Quebec"}, {"state": "Alberta", "country": "CA"}},
		nil,
	},
	place("a number of a department", "Siège social", "Lyon (69)", facts{"city": "Lyon", "country": "", "@Siège social": "Lyon (69)"}),
	place("a country in brackets", "HQ", "Paris (France)", facts{"city": "Paris", "country": "FR"}),
	place("a state after a dash", "Localização", "Curitiba - PR", facts{"city": "Curitiba", "state": "Paraná", "country": "BR"}),
	place("a country before a dash", "HQ Location", "DE - Berlin", facts{"city": "Berlin", "country": "DE"}),
	place("a state after a slash", "City/State", "Austin/TX", facts{"city": "Austin", "state": "Texas", "country": "US"}),
	place("a state after a space", "Headquarters", "Toronto ON", facts{"city": "Toronto", "state": "Ontario", "country": "CA"}),
	place("a state after a space, and the country", "Location", "Sydney NSW, Australia", facts{"city": "Sydney", "state": "New South Wales", "country": "AU"}),
	place("Milan is not in Michigan", "Sede", "Milano, MI", facts{"city": "Milano", "country": "IT", "state": ""}),
	place("an address of Japan", "所在地", "大阪府堺市", facts{"city": "堺市", "state": "大阪府", "country": "JP"}),
	place("an address of Korea", "주소", "경기도 수원시 영통구 1", facts{"city": "수원시", "state": "경기도", "country": "KR", "@주소": "경기도 수원시 영통구 1"}),
	place("an address of China", "地址", "浙江省杭州市西湖区1号", facts{"city": "杭州市", "state": "浙江省", "country": "CN", "@地址": "浙江省杭州市西湖区1号"}),
}

// bookOf writes the rows to a workbook and calls change before it is saved.
func bookOf(t *testing.T, change func(*excelize.File), rows ...[]any) []file {
	t.Helper()
	book := excelize.NewFile()
	for i, row := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		require.NoError(t, err)
		require.NoError(t, book.SetSheetRow("Sheet1", cell, &row))
	}
	change(book)
	var out bytes.Buffer
	require.NoError(t, book.Write(&out))
	return []file{{"a.xlsx", out.String()}}
}

func unchanged(*excelize.File) {}

func headerVariants(t *testing.T) []trait {
	merged := func(merges []string, rows ...[]any) []file {
		return bookOf(t, func(book *excelize.File) {
			for _, m := range merges {
				from, to, _ := strings.Cut(m, ":")
				require.NoError(t, book.MergeCell("Sheet1", from, to))
			}
		}, rows...)
	}
	contacts := []facts{{"name": "Acme", "domain": "acme.example", "city": "Austin", "@Contact Name": "Ada Moss"}, {"name": "Bolt", "domain": "bolt.example", "city": "London", "@Contact Name": "Bo Reed"}}
	return []trait{
		{
			"groups above names that occur twice", csvFile("Contact,,Company,,Location,", "Name,Email,Name,Domain,City,Country",
				"Ada Moss,ada@acme.example,Acme,acme.example,Austin,United States", "Bo Reed,bo@bolt.example,Bolt,bolt.example,London,United Kingdom"),
			contacts, nil,
		},
		{
			"groups that are repeated", csvFile("Contact,Contact,Company,Company,Location,Location", "Name,Email,Name,Domain,City,Country",
				"Ada Moss,ada@acme.example,Acme,acme.example,Austin,United States", "Bo Reed,bo@bolt.example,Bolt,bolt.example,London,United Kingdom"),
			contacts, nil,
		},
		{
			"merged groups in a workbook", merged([]string{"A1:B1", "C1:D1", "E1:F1"}, []any{"Contact", nil, "Company", nil, "Location", nil}, []any{"Name", "Email", "Name", "Domain", "City", "Country"},
				[]any{"Ada Moss", "ada@acme.example", "Acme", "acme.example", "Austin", "United States"}, []any{"Bo Reed", "bo@bolt.example", "Bolt", "bolt.example", "London", "United Kingdom"}),
			contacts, nil,
		},
		{
			"bounds that only their group explains", csvFile("Firma;;Mitarbeiter;", "Name;Web;von;bis", "Acme;acme.example;51;200", "Bolt;bolt.example;11;50"),
			[]facts{{"name": "Acme", "employees": "51", "@employee_range": "51-200"}, {"name": "Bolt", "employees": "11", "@employee_range": "11-50"}},
			nil,
		},
		{
			"merged bounds in a workbook", merged([]string{"A1:B1", "C1:D1"}, []any{"Firma", nil, "Mitarbeiter", nil}, []any{"Name", "Gründung", "von", "bis"}, []any{"Acme", 1988, 51, 200}),
			[]facts{{"name": "Acme", "founded": "1988", "employees": "51", "@employee_range": "51-200"}},
			nil,
		},
		{
			"years below a group", csvFile("Company,Employees,,Address,", ",2021,2022,City,Country", "Acme,100,120,Austin,United States", "Bolt,10,12,London,United Kingdom"),
			[]facts{{"name": "Acme", "employees": "120", "city": "Austin", "country": "US"}, {"name": "Bolt", "employees": "12", "city": "London", "country": "GB"}},
			nil,
		},
		{
			"two companies in two groups", csvFile("Parent,,Subsidiary,", "Name,Country,Name,Country", "Omega,Germany,Acme,France"),
			[]facts{{"name": "Acme", "country": "FR", "+parent": "Omega"}, {"name": "Omega", "country": "DE", "+subsidiary": "Acme"}},
			nil,
		},
		{
			"two addresses in two groups", csvFile("Registered office,,Head office,,Company", "City,Country,City,Country,Name", "Bonn,Germany,Lyon,France,Acme"),
			[]facts{{"name": "Acme", "city": "Lyon", "country": "FR", "@Registered office City": "Bonn"}},
			nil,
		},
		{
			"a group with the name of its column", csvFile("Company,Contact,Contact", "Company,First Name,Email", "Acme,Ada,ada@acme.example", "Bolt,Bo,bo@bolt.example"),
			[]facts{{"name": "Acme", "@First Name": "Ada"}, {"name": "Bolt"}},
			nil,
		},
		{
			"a title above groups", csvFile("List of companies,,,", "Company,,Address,", "Name,Website,City,Country", "Acme,acme.example,Austin,United States"),
			[]facts{{"name": "Acme", "domain": "acme.example", "city": "Austin"}},
			nil,
		},
		{
			"a first record with blanks is no group", csvFile("Name,Website,City,Country", "Acme,,Austin,", "Bolt,bolt.example,London,United Kingdom"),
			[]facts{{"name": "Acme", "city": "Austin"}, {"name": "Bolt", "city": "London"}},
			nil,
		},
	}
}

func rowVariants(t *testing.T) []trait {
	encoded := func(e interface{ String(string) (string, error) }, lines ...string) []file {
		content, err := e.String(csvFile(lines...)[0].content)
		require.NoError(t, err)
		return []file{{"a.csv", content}}
	}
	two := []facts{{"name": "Acme", "employees": "120"}, {"name": "Bolt", "employees": "12"}}
	return []trait{
		{"footers in German", csvFile("Name;Website;Mitarbeiter", "Acme;acme.example;120", "Bolt;bolt.example;12", "Gesamt: 2;;", "Quelle: Handelsregister;;", "Stand: 31.12.2023;;"), two, []string{"footer or a total"}},
		{"footers below two columns", csvFile("Firma;Mitarbeiter", "Acme;120", "Bolt;12", "Gesamt: 2;", "Quelle: Handelsregister;"), two, []string{"footer or a total"}},
		{"totals below two columns", csvFile("Firma;Mitarbeiter", "Acme;120", "Bolt;12", "Total companies;132", "Grand total:;132"), two, []string{"footer or a total"}},
		{"footers in French", csvFile("Nom;Site web;Effectif", "Acme;acme.example;120", "Bolt;bolt.example;12", "Total général;;132", "Source : INSEE;;"), two, []string{"footer or a total"}},
		{"footers in Spanish", csvFile("Empresa;Sitio web;Empleados", "Acme;acme.example;120", "Bolt;bolt.example;12", "Total empresas: 2;;", "Fuente: Registro Mercantil;;"), two, []string{"footer or a total"}},
		{"footers that say how the table is meant", csvFile("Name,Website,Employees", "Acme,acme.example,120", "Bolt,bolt.example,12", "* as reported by the company,,", "Confidential - do not distribute,,", "2 rows,,"), two, []string{"footer or a total: line 4", "footer or a total: line 5", "footer or a total: line 6"}},
		{"a company named as such a footer begins", csvFile("Name,Website,Employees", "Confidential Records,,120", "3 Data,,12"), []facts{{"name": "Confidential Records"}, {"name": "3 Data"}}, nil},
		{"footers in Japanese", csvFile("会社名,URL,従業員数", "Acme,acme.example,120", "Bolt,bolt.example,12", "合計,,132", "出典：帝国,,"), two, []string{"footer or a total"}},
		{
			"a company named Total in two columns", csvFile("Name,Employees", "Total,105", "Acme,7", "Bolt,3", "Sum,11"), []facts{{"name": "Total"}, {"name": "Acme"}, {"name": "Bolt"}, {"name": "Sum"}}, nil,
		},
		{
			"the sum of two columns in one word", csvFile("Name,Employees", "Acme,120", "Bolt,12", "Total,132"), two, []string{"footer or a total: line 4"},
		},
		{
			"a sum with a separator of thousands, in German", csvFile("Firma;Mitarbeiter", "Acme;120", "Bolt;12", "Cog;1.000", "Gesamt;1.132"),
			[]facts{{"name": "Acme"}, {"name": "Bolt"}, {"name": "Cog", "employees": "1000"}},
			[]string{"footer or a total: line 5"},
		},
		{
			"a sum in a sheet", bookOf(t, unchanged, []any{"Société", "Effectif"}, []any{"Acme", 120}, []any{"Bolt", 12}, []any{"Total", 132}), two, []string{"footer or a total: line 4"},
		},
		{
			"items of a list", csvFile("# Companies", "- Acme", "* Bolt", "- Cog-Werke"), []facts{{"name": "Acme"}, {"name": "Bolt"}, {"name": "Cog-Werke"}}, nil,
		},
		{
			"a company named as a footer begins", csvFile("Name,Website,Employees", "Stand Up GmbH,standup.example,120", "Total SE,total.example,12", "Source Ltd,,7"),
			[]facts{{"name": "Stand Up GmbH"}, {"name": "Total SE"}, {"name": "Source Ltd"}},
			nil,
		},
		{"the header again in another case", csvFile("Name,Website,Employees", "Acme,acme.example,120", "NAME,WEBSITE,EMPLOYEES", "Bolt,bolt.example,12"), two, nil},
		{"a table of Markdown", csvFile("| Name | Website | Employees |", "|---|:---|---:|", "| Acme | acme.example | 120 |", "| Bolt | bolt.example | 12 |"), two, nil},
		{
			"Polish in Windows-1250", encoded(charmap.Windows1250.NewEncoder(), "Nazwa;Strona", "Żółć Łódź S.A.;zolc.example", "Gęś sp. z o.o.;ges.example", "Świat Źródeł S.A.;swiat.example"),
			[]facts{{"name": "Żółć Łódź S.A."}, {"name": "Gęś sp. z o.o."}, {"name": "Świat Źródeł S.A."}},
			[]string{"--encoding iso-8859-2"},
		},
		{
			"Turkish in Windows-1254", encoded(charmap.Windows1254.NewEncoder(), "Şirket Adı;Şehir;Ülke", "Değirmen A.Ş.;İzmir;Türkiye", "Köprü Ltd. Şti.;Muğla;Türkiye"),
			[]facts{{"name": "Değirmen A.Ş.", "city": "İzmir", "country": "TR"}, {"name": "Köprü Ltd. Şti.", "city": "Muğla"}},
			[]string{"windows-1254, which is a guess", "--encoding windows-1252"},
		},
		{
			"Icelandic is not Turkish", encoded(charmap.Windows1252.NewEncoder(), "Name;City", "Þór hf;Reykjavík", "Brúin ehf;Ísafjörður", "Síminn hf;Reykjanesbær"),
			[]facts{{"name": "Þór hf", "city": "Reykjavík"}, {"name": "Brúin ehf"}, {"name": "Síminn hf"}},
			nil,
		},
		{
			"Japanese in EUC-JP without kana", encoded(japanese.EUCJP.NewEncoder(), "会社名,住所,業種", "水車株式会社,東京都港区,製造業", "橋梁株式会社,大阪府堺市,建設業"),
			[]facts{{"name": "水車株式会社", "city": "港区", "industries": "製造業"}, {"name": "橋梁株式会社"}},
			[]string{"euc-jp, which is a guess"},
		},
		{
			"Korean", encoded(korean.EUCKR.NewEncoder(), "회사명,홈페이지,도시", "한빛전자 주식회사,hanbit.example,서울", "바다식품,bada.example,부산"),
			[]facts{{"name": "한빛전자 주식회사", "city": "서울"}, {"name": "바다식품"}},
			[]string{"euc-kr"},
		},
		{"a marketplace is no domain", csvFile("会社名,URL", "山田商店,https://www.rakuten.co.jp/yamada", "鈴木園,https://ameblo.jp/suzukien"), []facts{{"name": "山田商店", "domain": ""}, {"name": "鈴木園", "domain": ""}}, nil},
	}
}

var jsonVariants = []trait{
	{
		"the description of the columns before the data", jsonFile(`{"schema":{"fields":[{"name":"name","type":"string"},{"name":"domain","type":"string"}]},"data":[{"name":"Acme","domain":"acme.example"}]}`),
		[]facts{{"name": "Acme", "domain": "acme.example"}},
		nil,
	},
	{
		"columns deep inside the description", jsonFile(`{"meta":{"view":{"columns":[{"name":"sid"},{"name":"Company Name"},{"name":"Website"}]}},"data":[["r1","Acme","acme.example"],["r2","Bolt","bolt.example"]]}`),
		[]facts{{"name": "Acme", "domain": "acme.example", "city": ""}, {"name": "Bolt"}},
		nil,
	},
	{
		"an array for each country", jsonFile(`{"Germany":[{"name":"Acme","domain":"acme.example"}],"note":"x","France":[{"name":"Bolt","domain":"bolt.example"},{"name":"Cog","domain":"cog.example"}]}`),
		[]facts{{"name": "Acme"}, {"name": "Bolt"}, {"name": "Cog"}},
		nil,
	},
	{
		"other arrays beside the companies", jsonFile(`{"companies":[{"id":"a","name":"Acme","domain":"acme.example"}],"people":[{"id":"p","name":"Ada Moss","email":"ada@acme.example"}]}`),
		[]facts{{"name": "Acme"}},
		[]string{"other arrays that are not read: people"},
	},
	{
		"facets before the companies", jsonFile(`{"facets":[{"name":"Germany","count":5}],"aggregations":{"by":{"buckets":[{"key":"x","doc_count":1}]}},"companies":[{"name":"Acme","domain":"acme.example"}]}`),
		[]facts{{"name": "Acme"}},
		[]string{"other arrays that are not read: facets"},
	},
	{
		"people included in an answer", jsonFile(`{"included":[{"type":"person","attributes":{"name":"Ada Moss"}}],"data":[{"type":"company","attributes":{"name":"Acme"}}]}`),
		[]facts{{"name": "Acme"}},
		[]string{"not read: included"},
	},
	{
		"people included after the companies", jsonFile(`{"data":[{"type":"company","attributes":{"name":"Acme"}}],"included":[{"type":"person","attributes":{"name":"Ada Moss"}}]}`),
		[]facts{{"name": "Acme"}},
		[]string{"not read: included"},
	},
	{"arrays of records in an array", jsonFile(`[[{"name":"Acme"},{"name":"Bolt"}],[{"name":"Cog"}],[]]`), []facts{{"name": "Acme"}, {"name": "Bolt"}, {"name": "Cog"}}, nil},
	{"a list of names", jsonFile(`["Acme Inc","Bolt LLC","Cog Ltd"]`), []facts{{"name": "Acme Inc"}, {"name": "Bolt LLC"}, {"name": "Cog Ltd"}}, nil},
	{
		"values with their types", jsonFile(`{"Items":[{"name":{"S":"Acme"},"employees":{"N":"47"},"tags":{"L":[{"S":"tools"}]}}],"Count":1}`),
		[]facts{{"name": "Acme", "employees": "47", "industries": "tools"}},
		nil,
	},
	{"values with their types on lines", []file{{"a.json", `{"Item":{"name":{"S":"Acme"},"domain":{"S":"acme.example"}}}` + "\n" + `{"Item":{"name":{"S":"Bolt"}}}` + "\n"}}, []facts{{"name": "Acme", "domain": "acme.example"}, {"name": "Bolt"}}, nil},
	{
		"values with their types in documents", jsonFile(`{"documents":[{"name":"projects/x/documents/1","createTime":"2020-01-01T00:00:00Z","fields":{"name":{"stringValue":"Acme"},"employees":{"integerValue":"12"},
		"tags":{"arrayValue":{"values":[{"stringValue":"tools"}]}},"hq":{"mapValue":{"fields":{"city":{"stringValue":"Bonn"}}}}}},{"name":"projects/x/documents/2","fields":{"name":{"stringValue":"Bolt"},"domain":{"nullValue":null}}}]}`),
		[]facts{{"name": "Acme", "employees": "12", "industries": "tools", "city": "Bonn"}, {"name": "Bolt"}},
		nil,
	},
	{
		"values under the names of their types", jsonFile(`{"results":[{"object":"page","id":"1","properties":{"Name":{"id":"t","type":"title","title":[{"type":"text","plain_text":"Acme "},{"type":"text","plain_text":"Tools"}]},
		"Website":{"type":"url","url":"https://acme.example"},"Industry":{"type":"multi_select","multi_select":[{"name":"Steel","color":"red"},{"name":"Glass","color":"blue"}]},"Founded":{"type":"date","date":{"start":"1990-05-01","end":null}}}}]}`),
		[]facts{{"name": "Acme Tools", "domain": "acme.example", "industries": "Steel|Glass", "founded": "1990"}},
		nil,
	},
	{"records inside a result on lines", []file{{"a.ndjson", `{"result":{"name":"Acme","domain":"acme.example"}}` + "\n" + `{"result":{"name":"Bolt"}}` + "\n"}}, []facts{{"name": "Acme", "domain": "acme.example"}, {"name": "Bolt"}}, nil},
	{
		"pages of an answer on lines",
		[]file{{"a.jsonl", `{"data":[{"name":"Acme"},{"name":"Bolt"}],"page":1,"next":"https://api.example/2"}` + "\n" + `{"data":[{"name":"Cog"}],"page":2,"next":null}` + "\n" + `{"data":[],"page":3}` + "\n"}},
		[]facts{{"name": "Acme"}, {"name": "Bolt"}, {"name": "Cog"}},
		nil,
	},
	{"pages of an answer in a list", jsonFile(`[{"page":1,"companies":[{"name":"Acme","hq":{"city":"Bonn"}}]},{"page":2,"companies":[{"name":"Bolt"}]}]`), []facts{{"name": "Acme", "city": "Bonn"}, {"name": "Bolt"}}, nil},
	{"lists of things of a company are no pages", jsonFile(`[{"id":"a","customer":"Acme","items":[{"name":"Hammer"}]},{"id":"b","customer":"Bolt","items":[]}]`), []facts{{"name": "Acme"}, {"name": "Bolt"}}, nil},
	{"arrays one after another", jsonFile("[\n{\"name\":\"Acme\"}\n]\n[\n{\"name\":\"Bolt\"},\n{\"name\":\"Cog\"}\n]\n[]\n[{\"name\":\"Dent\"}]"), []facts{{"name": "Acme"}, {"name": "Bolt"}, {"name": "Cog"}, {"name": "Dent"}}, nil},
	{"arrays of records on lines", jsonFile("[{\"name\":\"Acme\"}]\n[{\"name\":\"Bolt\"}]\n"), []facts{{"name": "Acme"}, {"name": "Bolt"}}, nil},
	{
		"answers one after another", jsonFile("{\n\"answer\":{\"data\":[{\"name\":\"Acme\"}],\"total\":1},\"took\":5\n}\n{\n\"answer\":{\"data\":[{\"name\":\"Bolt\"}]}\n}\n"),
		[]facts{{"name": "Acme"}, {"name": "Bolt"}},
		nil,
	},
	{"tables as arrays one after another", jsonFile(`[["name","city"],["Acme","Bonn"]][["name","city"],["Bolt","Ulm"]]`), []facts{{"name": "Acme", "city": "Bonn"}, {"name": "Bolt", "city": "Ulm"}}, nil},
	{
		"answers with one company each", jsonFile("{\n\"results\":{\"company\":{\"name\":\"ACME LLC\",\"jurisdiction_code\":\"us_ny\",\"incorporation_date\":\"1988-05-01\",\"previous_names\":[]}}\n}\n" +
			"{\n\"results\":{\"company\":{\"name\":\"BOLT LLC\",\"jurisdiction_code\":\"us_ny\",\"incorporation_date\":\"1990-05-01\",\"previous_names\":[]}}\n}\n"),
		[]facts{{"name": "ACME LLC", "founded": "1988"}, {"name": "BOLT LLC", "founded": "1990"}},
		nil,
	},
	{"records that are texts", jsonFile(`["{\"name\":\"Acme\",\"city\":\"Bonn\"}","{\"name\":\"Bolt\"}"]`), []facts{{"name": "Acme", "city": "Bonn"}, {"name": "Bolt"}}, nil},
	{
		"pages with hits",
		[]file{{"a.jsonl", `{"took":1,"hits":{"total":2,"hits":[{"_id":"1","_source":{"name":"Acme"}}]}}` + "\n" + `{"took":2,"hits":{"total":2,"hits":[{"_id":"2","_source":{"name":"Bolt"}}]}}` + "\n"}},
		[]facts{{"name": "Acme"}, {"name": "Bolt"}},
		nil,
	},
	{"commas between lines", []file{{"a.ndjson", `{"name":"Acme"},` + "\n" + `{"name":"Bolt"},` + "\n"}}, []facts{{"name": "Acme"}, {"name": "Bolt"}}, nil},
	{"an array on each line", []file{{"a.ndjson", `["name","domain"]` + "\n" + `["Acme","acme.example"]` + "\n"}}, []facts{{"name": "Acme", "domain": "acme.example"}}, nil},
	{"a text sequence", []file{{"a.txt", "\x1e" + `{"name":"Acme"}` + "\n\x1e" + `{"name":"Bolt"}` + "\n"}}, []facts{{"name": "Acme"}, {"name": "Bolt"}}, nil},
	{"a guard against scripts", jsonFile(")]}'\n" + `[{"name":"Acme"}]`), []facts{{"name": "Acme"}}, nil},
	{"values of Python", jsonFile(`[{"name":"Acme","domain":None,"active":True,"city":NaN}]`), []facts{{"name": "Acme", "domain": "", "@active": "set"}}, nil},
	{"an array in a file of another name", []file{{"a.csv", `[{"name": "Acme", "domain": "acme.example"}]`}}, []facts{{"name": "Acme", "domain": "acme.example"}}, nil},
	{
		"an object for each field", jsonFile(`[{"field":"name","value":"Acme"},{"field":"employees","value":120},{"field":"industries","value":["Tools","Steel"]},{"field":"name","value":"Bolt"},{"field":"country","value":"Germany"}]`),
		[]facts{{"name": "Acme", "employees": "120", "industries": "Tools|Steel"}, {"name": "Bolt", "country": "DE"}},
		nil,
	},
	{
		"an object for each field in another one, in German", jsonFile(`{"data":[{"key":"Firma","value":"Acme"},{"key":"Land","value":"Deutschland"},{"key":"aktiv","value":true}]}`),
		[]facts{{"name": "Acme", "country": "DE", "@aktiv": "true"}},
		nil,
	},
	{"names with a value are no fields", jsonFile(`[{"name":"Acme","value":5},{"name":"Bolt","value":7}]`), []facts{{"name": "Acme", "@value": "set"}, {"name": "Bolt"}}, nil},
	{
		"keys that are written as names beside domains", jsonFile(`{"Acme":{"domain":"acme.example"},"Bolt Tools":{"domain":"bolt.example"}}`),
		[]facts{{"name": "Acme", "domain": "acme.example"}, {"name": "Bolt Tools", "domain": "bolt.example"}},
		nil,
	},
	{
		"keys of a program beside domains", jsonFile(`{"acme_1":{"domain":"acme.example"},"bolt_2":{"domain":"bolt.example"}}`),
		[]facts{{"name": "acme.example", "domain": "acme.example"}, {"name": "bolt.example"}},
		nil,
	},
	{
		"values in objects of their own", jsonFile(`{"entities":[{"uuid":"0b","properties":{"identifier":{"value":"Acme","permalink":"acme"},"website":{"value":"https://acme.example"},"founded_on":{"value":"1988-05-01","precision":"year"},"num_employees_enum":"c_00051_00100"}}]}`),
		[]facts{{"name": "Acme", "domain": "acme.example", "founded": "1988", "employees": "51"}},
		nil,
	},
}

// tableVariants have another table below the first one.
func tableVariants(t *testing.T) []trait {
	acme := []facts{{"name": "Acme", "domain": "acme.example", "country": "FR"}}
	return []trait{
		{
			"other columns below a blank line", csvFile("Name,Website,Country", "Acme,acme.example,France", "", "Company,Employees,City", "Bolt,12,Paris", "Cog,5,Lyon"),
			acme,
			[]string{"another table, below the first one: line 4: another table begins in line 4, with the columns Company, Employees, City; save it", "first one: line 6"},
		},
		{
			"more columns, in German, below blank cells", csvFile("Firma;Webseite;Land", "Acme;acme.example;Frankreich", ";;", ";;", "Firma;Ort;Mitarbeiter;Branche", "Bolt;Berlin;12;Stahl"),
			acme,
			[]string{"another table begins in line 5, with the columns Firma, Ort, Mitarbeiter, Branche"},
		},
		{
			"one after three hundred rows", csvFile("Name,City\n" + strings.Repeat("Acme,Bonn\n", 300) + "\nCompany,Employees\nBolt,12"),
			[]facts{{"name": "Acme", "city": "Bonn"}},
			[]string{"another table begins in line 303"},
		},
		{
			"the first columns again after another table", csvFile("Name,Website", "Acme,acme.example", "", "City,Country", "Paris,France", "", "name,website", "Bolt,bolt.example"),
			[]facts{{"name": "Acme", "domain": "acme.example"}, {"name": "Bolt", "domain": "bolt.example"}},
			[]string{"another table begins in line 4"},
		},
		{
			"in a sheet", bookOf(t, unchanged, []any{"Société", "Site web", "Pays"}, []any{"Acme", "acme.example", "France"}, nil, []any{"Société", "Effectif", "Ville", "Secteur"}, []any{"Bolt", 12, "Paris", "Acier"}),
			acme,
			[]string{"another table begins in line 4, with the columns Société, Effectif, Ville, Secteur"},
		},
		{
			"other columns without a blank line", csvFile("Name,Website,Country", "Acme,acme.example,France", "Company,City,Industry", "Bolt,Lyon,Steel"),
			acme,
			[]string{"another table begins in line 3, with the columns Company, City, Industry"},
		},
		{
			"other columns without a blank line in a sheet", bookOf(t, unchanged, []any{"Firma", "Webseite", "Land"}, []any{"Acme", "acme.example", "Frankreich"}, []any{"Firma", "Ort", "Branche"}, []any{"Bolt", "Ulm", "Stahl"}),
			acme,
			[]string{"another table begins in line 3, with the columns Firma, Ort, Branche"},
		},
		{
			"contacts below a title of their own", csvFile("Company,Website", "Acme,acme.example", "", "Contacts", "Name,Email", "Ada Moss,ada@bolt.example"),
			[]facts{{"name": "Acme"}},
			[]string{"another table begins in line 5, with the columns Name, Email"},
		},
		{
			"a company whose cells could name columns", csvFile("Name,Type,Sector", "Market,Company,Business", "Acme,Company,Bank", "Business,Company,Bank"),
			[]facts{{"name": "Market"}, {"name": "Acme"}, {"name": "Business"}},
			nil,
		},
		{
			"blank lines between parts of one table", csvFile("Name,Website,Country", "", "Acme,acme.example,France", "", "", "Company Partners,,Germany", "", "Industry City,Website Country,", ""),
			[]facts{{"name": "Acme"}, {"name": "Company Partners", "country": "DE"}, {"name": "Industry City"}},
			nil,
		},
		{
			"values that are names of columns elsewhere", csvFile("Type,Name,Sector", "Customer,Acme,Bank", "", "Partner,Bolt,Bank", "", "Customer,Cog,Brand", "", "Customer,Dent,Bank"),
			[]facts{{"name": "Acme"}, {"name": "Bolt"}, {"name": "Cog"}, {"name": "Dent"}},
			nil,
		},
		{
			"a column of numbers before the names", csvFile("No.,Name,Country", "1,Acme,France", "", "No.,Company,City,Industry", "1,Bolt,Paris,Steel"),
			[]facts{{"name": "Acme", "country": "FR"}},
			[]string{"another table begins in line 4"},
		},
		{
			"what was searched for above the companies", csvFile("Country,Employees", "France,10-50", "", "Name,Website,Country", "Acme,acme.example,France"),
			acme, nil,
		},
		{
			"a cell to the right of the last name", bookOf(t, unchanged, []any{"Name", "Website", "Country"}, []any{"Acme", "acme.example", "France", nil, "called twice"}),
			[]facts{{"name": "Acme", "country": "FR", "@column_5": "called twice"}},
			nil,
		},
	}
}

// cardVariants have the name of a field and its value on each line.
func cardVariants(t *testing.T) []trait {
	two := []facts{{"name": "Acme", "country": "FR", "employees": "12"}, {"name": "Bolt", "country": "DE", "employees": "50"}}
	return []trait{
		{"keys that are repeated", csvFile("Name,Acme", "Country,France", "Employees,12", "Name,Bolt", "Country,Germany", "Employees,50"), two, nil},
		{"one record of two lines", csvFile("Name,Acme", "Country,France"), []facts{{"name": "Acme", "country": "FR"}}, nil},
		{"blank lines, colons and semicolons in German", csvFile("Firma:;Acme", "Land:;Frankreich", "Mitarbeiter:;12", "", "Firma:;Bolt", "Land:;Deutschland", "Mitarbeiter:;50"), two, nil},
		{"a heading, and a field that only one has", csvFile("Field\tValue", "Company Name\tAcme", "Country\tFrance", "Phone\t1", "Company Name\tBolt", "Country\tGermany"), []facts{{"name": "Acme", "@Phone": "1"}, {"name": "Bolt", "@Phone": "", "country": "DE"}}, nil},
		{"a column for each company", csvFile("Nom,Acme,Bolt", "Pays,France,Allemagne", "Effectif,12,50"), two, nil},
		{"a key that is no company's first", csvFile("No.,1", "Name,Acme", "Country,France", "No.,2", "Name,Bolt", "Country,Germany"), []facts{{"name": "Acme", "@No.": "1"}, {"name": "Bolt", "@No.": "2"}}, nil},
		{"several values of a key", csvFile("Name,Acme", "Industry,Tools", "Industry,Steel", "Name,Bolt", "Industry,Wood"), []facts{{"name": "Acme", "industries": "Tools|Steel"}, {"name": "Bolt", "industries": "Wood"}}, nil},
		{"a value on two lines", csvFile("会社名,Acme", "業種,Tools", ",Steel"), []facts{{"name": "Acme", "industries": "Tools|Steel"}}, nil},
		{"in a sheet below a title", bookOf(t, unchanged, []any{"Profile"}, nil, []any{"Company", "Acme"}, []any{"Country", "France"}, []any{"Employees", 12}, nil, []any{"Company", "Bolt"}, []any{"Country", "Germany"}, []any{"Employees", 50}), two, nil},
		{"a key before each field", csvFile("id,field,value", "1,Name,Acme", "1,Country,France", "1,Employees,12", "2,Name,Bolt", "2,Country,Germany", "2,Employees,50"), two, nil},
		{"the name before each field, in German", csvFile("Firma;Merkmal;Wert", "Acme;Land;Frankreich", "Acme;Mitarbeiter;12", "Bolt;Land;Deutschland", "Bolt;Mitarbeiter;50"), two, nil},
		{"a key before each field in a sheet", bookOf(t, unchanged, []any{"Clé", "Champ", "Valeur"}, []any{1, "Nom", "Acme"}, []any{nil, "Pays", "France"}, []any{nil, "Effectif", 12}, []any{2, "Nom", "Bolt"}, []any{2, "Pays", "Allemagne"}, []any{2, "Effectif", 50}), two, nil},
		{"relations are no fields", csvFile("Company,Relation,Partner", "Acme,customer,Bolt", "Acme,investor,Cog", "Dent,supplier,Echo"), []facts{{"name": "Acme"}, {"name": "Dent"}}, nil},
		{"a table that describes columns is no card", csvFile("Name,Type,Country", "Website,text,France"), []facts{{"name": "Website", "country": "FR"}}, nil},
		{"two columns are a table", csvFile("Name,Country", "Acme,France", "Website,Germany"), []facts{{"name": "Acme"}, {"name": "Website", "country": "DE"}}, nil},
	}
}

// linkVariants have names that are links, and addresses with another text.
func linkVariants(t *testing.T) []trait {
	acme := []facts{{"name": "Acme", "domain": "acme.example", "country": "FR"}}
	row := func(name string) []file { return csvFile("Company;Country", name+";France") }
	formula := func(f string) []file {
		return bookOf(t, func(b *excelize.File) { require.NoError(t, b.SetCellFormula("Sheet1", "A2", f)) }, []any{"Company", "Country"}, []any{nil, "France"})
	}
	return []trait{
		{"a formula", csvFile("Company,Country", `"=HYPERLINK(""https://acme.example"",""Acme"")",France`), acme, nil},
		{"a formula without quotes around it", csvFile("Company,Country", `=HYPERLINK("https://acme.example","Acme"),France`), acme, nil},
		{"a formula without quotes around it at the end", csvFile("Country;Company", `France;=HYPERLINK("https://acme.example";"Acme")`), acme, nil},
		{"a formula with semicolons in French", csvFile("Entreprise\tPays", `=LIEN_HYPERTEXTE("https://www.acme.example/fr";"Acme")`+"\tFrance"), acme, nil},
		{"a formula in quotes of a workbook", csvFile("Firma;Land", `"'=HYPERLINK(""acme.example"";""Acme"")";Frankreich`), acme, nil},
		{"a formula that was not calculated", formula(`HYPERLINK("https://acme.example","Acme")`), acme, nil},
		{"a formula to a mailbox", formula(`HYPERLINK("mailto:info@acme.example","Acme")`), []facts{{"name": "Acme", "domain": "", "country": "FR"}}, nil},
		{"HTML", row(`<a href="https://acme.example/" target=_blank>Acme</a>`), acme, nil},
		{"HTML in other elements", row(`<td><b><a class='x' HREF='http://acme.example'><i>Ac</i>me</a></b></td>`), []facts{{"name": "Acme", "domain": "acme.example"}}, nil},
		{"HTML as text", csvFile("Company,Country", `&lt;a href=&quot;https://acme.example&quot;&gt;Acme&lt;/a&gt;,France`), acme, nil},
		{"HTML in JSON", jsonFile(`[{"company":"<a href=https://acme.example>Acme</a>","country":"France"}]`), acme, nil},
		{"Markdown", row(`[Acme](https://acme.example)`), acme, nil},
		{"an address in brackets after the name", row(`Acme (https://acme.example)`), acme, nil},
		{"a website with another text", csvFile("Company,Website,Country", `Acme,"=HYPERLINK(""https://acme.example"",""Visit us"")",France`), acme, nil},
		{"a website with no text", csvFile("Company,Website,Country", `Acme,"=HYPERLINK(""https://acme.example"")",France`), []facts{{"name": "Acme", "website": "https://acme.example", "domain": "acme.example"}}, nil},
		{"a page of a network", csvFile("Company,LinkedIn", `Acme,<a href="https://www.linkedin.com/company/acme">Profile</a>`), []facts{{"name": "Acme", "linkedin_url": "https://www.linkedin.com/company/acme"}}, nil},
		{"a link inside a description", csvFile("Company,Description", `Acme,We build <a href="https://bolt.example">tools</a> for all`, `Cog,Steel (https://bolt.example)`, `Dent,"[Read more](https://echo.example/x)"`), []facts{{"name": "Acme", "domain": "", "description": `We build <a href="https://bolt.example">tools</a> for all`}, {"name": "Cog", "domain": "", "description": "Steel (https://bolt.example)"}, {"name": "Dent", "domain": "", "description": "[Read more](https://echo.example/x)"}}, nil},
		{"several links are a list", csvFile("Company,Investors", `Acme,"<a href='https://alpha.example'>Alpha</a>, <a href='https://beta.example'>Beta</a>"`), []facts{{"name": "Acme", "domain": "", "+investor": "Alpha|Beta"}}, nil},
		{"names with brackets and signs are no links", csvFile("Company,Country", "Acme (Holdings),France", "<Bolt>,France", "=Cog,France"), []facts{{"name": "Acme (Holdings)"}, {"name": "<Bolt>"}, {"name": "=Cog"}}, nil},
	}
}

var dateVariants = []trait{
	{
		"days of a spreadsheet", csvFile("Company,Founded", "Acme,36526", "Bolt,31778.5", "Cog,43831", "Dent,"),
		[]facts{{"name": "Acme", "founded": "2000"}, {"name": "Bolt", "founded": "1987"}, {"name": "Cog", "founded": "2020"}, {"name": "Dent", "founded": ""}},
		nil,
	},
	{
		"days among dates as text, in German", csvFile("Firma;Gründungsdatum", "Acme;36526", "Bolt;14.03.1998", "Cog;43831", "Dent;30000", "Echo;1. Mai 1988"),
		[]facts{{"name": "Acme", "founded": "2000"}, {"name": "Bolt", "founded": "1998"}, {"name": "Cog", "founded": "2020"}, {"name": "Dent", "founded": "1982"}, {"name": "Echo", "founded": "1988"}},
		nil,
	},
	{"one day in a column of dates", csvFile("Société,Date de création", "Acme,36526"), []facts{{"name": "Acme", "founded": "2000"}}, nil},
	{"a number in JSON", jsonFile(`[{"name":"Acme","founded_date":36526},{"name":"Bolt","founded_date":20000}]`), []facts{{"name": "Acme", "founded": "2000"}, {"name": "Bolt", "founded": "1954"}}, nil},
	{
		"a day among years is not certain", csvFile("Company,Founded", "Acme,1998", "Bolt,2001", "Cog,36526", "Dent,1988", "Echo,2010"),
		[]facts{{"name": "Acme", "founded": "1998"}, {"name": "Bolt", "founded": "2001"}, {"name": "Cog", "founded": "", "@Founded": "36526"}, {"name": "Dent"}, {"name": "Echo"}},
		[]string{"Founded: numbers such as 36526 may be dates as spreadsheets store them (this one is in 2000), which is not certain"},
	},
	{"the same number in all rows is not certain", csvFile("Company,Founded", "Acme,10000", "Bolt,10000", "Cog,10000"), []facts{{"name": "Acme", "founded": ""}, {"name": "Bolt", "founded": ""}, {"name": "Cog", "founded": ""}}, []string{"numbers such as 10000"}},
}

var hostVariants = []trait{
	{"a host of one label", csvFile("Name,Website", "Acme,www.eve", "Bolt,https://www.bolt.example"), []facts{{"name": "Acme", "domain": "", "website": "www.eve"}, {"name": "Bolt", "domain": "bolt.example"}}, nil},
	{
		"hosts inside a company", csvFile("Firma;Domain", "Acme;intranet.acme.local", "Bolt;bolt.example", "Cog;Node.js", "Dent;dent.internal"),
		[]facts{{"name": "Acme", "domain": "", "@Domain": "intranet.acme.local"}, {"name": "Bolt", "domain": "bolt.example"}, {"name": "Cog", "domain": ""}, {"name": "Dent", "domain": ""}},
		nil,
	},
	{"a website beside a host inside the company", csvFile("Name,Domain,Website", "Acme,www.eve,https://acme.example/de"), []facts{{"name": "Acme", "domain": "acme.example"}}, nil},
	{"a host in JSON", jsonFile(`[{"name":"Acme","domain":"server.lan","url":"http://server.lan:8080"}]`), []facts{{"name": "Acme", "domain": ""}}, nil},
	{"a connected company", csvFile("Name,Customers", "Acme,srv01.corp; bolt.example"), []facts{{"name": "Acme", "+customer": "bolt.example|srv01.corp"}}, nil},
	{"domains with few or other letters", csvFile("Name,Domain", "Acme,x.ai", "Bolt,müller.de", "Cog,例え.jp", "Dent,dent.co.uk"), []facts{{"name": "Acme", "domain": "x.ai"}, {"name": "Bolt", "domain": "xn--mller-kva.de"}, {"name": "Cog", "domain": "xn--r8jz45g.jp"}, {"name": "Dent", "domain": "dent.co.uk"}}, nil},
}

// exportVariants have what exports of other products have.
var exportVariants = []trait{
	{
		"an image is no website", csvFile("companyName,companyUrl,profileImageUrl,linkedInProfileUrl", "Acme,https://www.linkedin.com/sales/company/17412,https://media.licdn.com/a,https://www.linkedin.com/in/ada",
			"Bolt,https://www.linkedin.com/sales/company/17413,https://media.licdn.com/b,https://www.linkedin.com/in/bo", "Acme,https://www.linkedin.com/sales/company/17412,https://media.licdn.com/c,https://www.linkedin.com/in/cy"),
		[]facts{{"name": "Acme", "domain": "", "website": "", "linkedin_url": "https://www.linkedin.com/company/17412"}, {"name": "Bolt", "domain": "", "linkedin_url": "https://www.linkedin.com/company/17413"}},
		nil,
	},
	{
		"logos of one site, in German", csvFile("Firma;Logo-Adresse;Bild", "Acme;https://logos.example/acme;https://a.example/x", "Bolt;https://logos.example/bolt;https://b.example/x", "Cog;https://logos.example/cog;https://c.example/x"),
		[]facts{{"name": "Acme", "domain": "", "@Bild": "https://a.example/x"}, {"name": "Bolt", "domain": ""}, {"name": "Cog", "domain": ""}},
		nil,
	},
	{
		"companies that are investors to others", csvFile("Investor ID,Investors,Country,Website", "1,Zeta Capital,France,zeta.example", "2,Eta Ventures,Germany,eta.example"),
		[]facts{{"name": "Zeta Capital", "domain": "zeta.example", "country": "FR", "+investor": ""}, {"name": "Eta Ventures"}},
		nil,
	},
	{
		"suppliers and nothing else", csvFile("Lieferant;Stadt", "Muster GmbH;Berlin", "Nord KG;Kiel", "Süd AG;Ulm"),
		[]facts{{"name": "Muster GmbH", "city": "Berlin"}, {"name": "Nord KG"}, {"name": "Süd AG"}},
		nil,
	},
	{
		"investors of domains stay investors", csvFile("Domain,Investor", "acme.example,Zeta Capital", "bolt.example,Eta Ventures", "cog.example,Theta"),
		[]facts{{"name": "acme.example", "+investor": "Zeta Capital"}, {"name": "bolt.example"}, {"name": "cog.example"}},
		nil,
	},
	{
		"people with ids at one company", csvFile("Id,FirstName,LastName,Company,Email", "00Q1,Ada,Moss,Acme Inc,ada@acme.example", "00Q2,Bo,Reed,Acme Inc,bo@acme.example", "00Q3,Cy,Hart,Bolt LLC,cy@bolt.example"),
		[]facts{{"name": "Acme Inc", "@Id": "00Q1"}, {"name": "Bolt LLC", "@Id": "00Q3"}},
		[]string{"the id of the person"},
	},
	{
		"companies with ids and a contact", csvFile("id,company,website,contact email", "a1,Acme,acme.example,ada@acme.example", "a2,Bolt,bolt.example,bo@bolt.example"),
		[]facts{{"name": "Acme", "@id": ""}, {"name": "Bolt"}},
		nil,
	},
	{
		"what people write about themselves", csvFile("Full Name,Headline,Summary,Current Company,Email", "Ada Moss,CEO at Acme,I like anvils,Acme,ada@acme.example", "Bo Reed,CTO,I like steel,Bolt,bo@bolt.example"),
		[]facts{{"name": "Acme", "description": "", "@Summary": "I like anvils"}, {"name": "Bolt", "description": ""}},
		nil,
	},
	{
		"several companies of a person", csvFile("First Name,Last Name,Associated Company,City", "Ada,Moss,Acme;Bolt,Bonn", "Bo,Reed,Cog,Ulm"),
		[]facts{{"name": "Acme", "@Associated Company": "Acme;Bolt"}, {"name": "Cog"}},
		nil,
	},
	{
		"recipients of contracts", csvFile("recipient_name,recipient_city_name,recipient_state_code,recipient_country_name,naics_code", "ACME INC,AUSTIN,TX,UNITED STATES,332216", "BOLT GMBH,BONN,,GERMANY,332215"),
		[]facts{{"name": "ACME INC", "city": "AUSTIN", "state": "Texas", "country": "US", "naics": "332216"}, {"name": "BOLT GMBH", "city": "BONN", "country": "DE"}},
		nil,
	},
	{
		"codes with numbers", csvFile("Company Name,NAICS Code 1,NAICS Code 2,LinkedIn Company Profile URL", "Acme,332216,332215,https://www.linkedin.com/company/acme"),
		[]facts{{"name": "Acme", "naics": "332216|332215", "linkedin_url": "https://www.linkedin.com/company/acme"}},
		nil,
	},
	{
		"whose website it is", csvFile("Acquiree Name,Acquirer Name,Acquirer's Website,Acquiree’s Website,Acquirer Headquarters Location", `Bolt,Acme,acme.example,bolt.example,"Bonn, Germany"`),
		[]facts{{"name": "Bolt", "domain": "bolt.example", "+acquirer": "Acme"}, {"name": "Acme", "domain": "acme.example", "city": "Bonn"}},
		nil,
	},
	{
		"lists with commas in some rows", csvFile("Company,Industries,Sector", `Acme,"Steel, Tools","Cutlery, Handtools & Hardware"`, `Bolt,Wood,"Textiles, Apparel and Luxury Goods"`, "Cog,Glass,Mining"),
		[]facts{{"name": "Acme", "industries": "Steel|Tools|Cutlery, Handtools & Hardware"}, {"name": "Bolt", "industries": "Wood|Textiles, Apparel and Luxury Goods"}, {"name": "Cog"}},
		nil,
	},
	{
		"names with commas in a column of several", csvFile("Company,Industries", `Acme,"Oil, Gas & Consumable Fuels"`, `Bolt,"Textiles, Apparel & Luxury Goods"`, "Cog,Banks"),
		[]facts{{"name": "Acme", "industries": "Oil, Gas & Consumable Fuels"}, {"name": "Bolt", "industries": "Textiles, Apparel & Luxury Goods"}, {"name": "Cog"}},
		nil,
	},
	{
		"nothing supplied", csvFile("CompanyName,SICCode.SicText_1,CompanyNumber", "ACME LTD,None Supplied,1", "BOLT LTD,25110 - Anvils,2"),
		[]facts{{"name": "ACME LTD", "industries": ""}, {"name": "BOLT LTD", "industries": "25110 - Anvils"}},
		nil,
	},
}

// answerVariants are answers of services as JSON.
func answerVariants(t *testing.T) []trait {
	t.Helper()
	var many, months strings.Builder
	for i := range 40 {
		many.WriteString(`,"field_` + strconv.Itoa(i) + `":` + strconv.Itoa(i))
		months.WriteString(`,"2020-` + strconv.Itoa(i) + `":` + strconv.Itoa(i))
	}
	return []trait{
		{
			"one company with its former names", jsonFile(`{"api_version":"0.4","results":{"company":{"name":"ACME LLC","jurisdiction_code":"us_ny","incorporation_date":"1988-05-01","previous_names":[{"company_name":"OLD ACME"}],"officers":[{"officer":{"name":"ADA MOSS"}}]}}}`),
			[]facts{{"name": "ACME LLC", "founded": "1988", "country": "US"}},
			nil,
		},
		{
			"one company and its subsidiaries", jsonFile(`{"organization":{"id":"1","name":"Acme","website_url":"http://acme.example","founded_year":1988,"offices_of":[{"name":"Acme Nord","website_url":"http://nord.example"}]}}`),
			[]facts{{"name": "Acme", "domain": "acme.example", "founded": "1988"}},
			nil,
		},
		{
			"a list with the filters that found it", jsonFile(`{"search":{"name":"My list","country":"Germany","industry":"Tools","companies":[{"name":"Acme","domain":"acme.example"},{"name":"Bolt","domain":"bolt.example"}]}}`),
			[]facts{{"name": "Acme", "country": ""}, {"name": "Bolt"}},
			nil,
		},
		{
			"one company deep inside", jsonFile(`{"status":200,"response":{"result":{"name":"Acme","domain":"acme.example","country":"Germany"},"took":1}}`),
			[]facts{{"name": "Acme", "domain": "acme.example", "country": "DE"}},
			nil,
		},
		{
			"companies in objects of their own", jsonFile(`{"results":{"companies":[{"company":{"name":"Acme","incorporation_date":"1988-05-01"` + many.String() + `}},{"company":{"name":"Bolt"` + many.String() + `}}]}}`),
			[]facts{{"name": "Acme", "founded": "1988"}, {"name": "Bolt"}},
			nil,
		},
		{
			"many properties", jsonFile(`{"results":[{"id":"1","properties":{"name":"Acme","domain":"acme.example","city":"Bonn"` + many.String() + `}}]}`),
			[]facts{{"name": "Acme", "domain": "acme.example", "city": "Bonn", "@properties.field_7": "set"}},
			nil,
		},
		{
			"many months are one value", jsonFile(`[{"name":"Acme","employees_by_month":{"2020-0":1` + months.String() + `}}]`),
			[]facts{{"name": "Acme", "@employees_by_month": "set", "@employees_by_month.2020-1": ""}},
			nil,
		},
		{
			"elements of XML", jsonFile(`[{"LEI":{"$":"529900XXXXXXXXXXXX01"},"Entity":{"LegalName":{"@xml:lang":"fr","$":"ACME SA"},"LegalAddress":{"City":{"$":"PARIS"},"Country":{"$":"FR"}}}}]`),
			[]facts{{"name": "ACME SA", "city": "PARIS", "country": "FR", "@LEI": "529900XXXXXXXXXXXX01"}},
			nil,
		},
		{
			"elements of XML of another program", jsonFile(`{"companies":[{"name":{"@lang":"de","#text":"Acme"},"land":{"@code":"DE","#text":"Deutschland"}},{"name":{"#text":"Bolt"}}]}`),
			[]facts{{"name": "Acme", "country": "DE"}, {"name": "Bolt"}},
			nil,
		},
		{
			"names in objects with their language", jsonFile(`{"data":[{"type":"lei-records","id":"529900XXXXXXXXXXXX01","attributes":{"lei":"529900XXXXXXXXXXXX01","entity":{"legalName":{"name":"Acme GmbH","language":"de"},"headquartersAddress":{"city":"Bonn","country":"DE"},"legalForm":{"id":"2HBR"},"creationDate":"1988-02-01T00:00:00Z","subCategory":"CENTRAL_GOVERNMENT"}}}]}`),
			[]facts{{"name": "Acme GmbH", "city": "Bonn", "country": "DE", "founded": "1988", "industries": ""}},
			nil,
		},
		{
			"the date of creation in a register", jsonFile(`{"items":[{"title":"ACME LTD","company_number":"1","date_of_creation":"1988-09-11","address":{"locality":"Hull","country":"England"}},{"title":"BOLT LTD","company_number":"2","date_of_creation":"2001-01-02"}]}`),
			[]facts{{"name": "ACME LTD", "founded": "1988", "city": "Hull", "country": "GB"}, {"name": "BOLT LTD", "founded": "2001"}},
			nil,
		},
		{
			"the date of creation of a record", jsonFile(`[{"name":"Acme","stage":"lead","date_of_creation":"2021-09-11"}]`),
			[]facts{{"name": "Acme", "founded": "", "@date_of_creation": "2021-09-11"}},
			nil,
		},
		{
			// https://docs.peopledatalabs.com/docs/example-record
			"people with the company of their job", jsonFile(`{"data":[{"full_name":"ada moss","first_name":"ada","last_name":"moss","linkedin_url":"linkedin.com/in/ada","job_title":"ceo","job_company_name":"acme","job_company_website":"acme.example","job_company_size":"51-200",
			"job_company_founded":1988,"job_company_location_locality":"austin","job_company_location_region":"texas","job_company_location_country":"united states","location_locality":"lyon","location_country":"france"}]}`),
			[]facts{{"name": "acme", "domain": "acme.example", "employees": "51", "founded": "1988", "city": "austin", "state": "Texas", "country": "US", "@full_name": "ada moss", "@location_locality": "lyon"}},
			nil,
		},
		{
			"the size of a filer is no industry", jsonFile(`{"name":"Acme Inc","sicDescription":"Hand Tools","category":"Large accelerated filer","formerNames":[{"name":"OLD ACME"}],"addresses":{"mailing":{"city":"Bonn"},"business":{"city":"Austin"}}}`),
			[]facts{{"name": "Acme Inc", "industries": "Hand Tools", "city": "Austin"}},
			nil,
		},
	}
}

// https://www.gleif.org/en/lei-data/gleif-golden-copy, whose columns are those of the common data file format with a number for each
// of up to five names, addresses, successors and events.
func TestAllColumnsOfTheLEIRecordsAreRead(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		"LEI": "529900XXXXXXXXXXXX01", "Entity.LegalName": "Acme GmbH", "Entity.OtherEntityNames.OtherEntityName.1": "Alte Acme GmbH", "Entity.LegalAddress.City": "Bonn",
		"Entity.LegalAddress.Country": "DE", "Entity.HeadquartersAddress.City": "Austin", "Entity.HeadquartersAddress.Region": "US-TX", "Entity.HeadquartersAddress.Country": "US",
		"Entity.OtherAddresses.OtherAddress.1.City": "Paris", "Entity.OtherAddresses.OtherAddress.1.Country": "FR", "Entity.EntityCategory": "FUND", "Entity.EntitySubCategory": "STATE_GOVERNMENT",
		"Entity.AssociatedEntity.AssociatedEntityName": "Zeta", "Entity.SuccessorEntity.1.SuccessorEntityName": "Omega", "Entity.EntityCreationDate": "1988-02-01T00:00:00Z",
		"Registration.InitialRegistrationDate": "2014-01-01T00:00:00Z",
	}
	names := []string{"LEI", "Entity.LegalName", "Entity.LegalName.xmllang"}
	each := func(of string, parts ...string) {
		for _, p := range parts {
			names = append(names, of+p)
		}
	}
	address := []string{".xmllang", ".FirstAddressLine", ".AddressNumber", ".AddressNumberWithinBuilding", ".MailRouting", ".AdditionalAddressLine.1", ".AdditionalAddressLine.2", ".AdditionalAddressLine.3", ".City", ".Region", ".Country", ".PostalCode"}
	each("Entity.LegalAddress", address...)
	each("Entity.HeadquartersAddress", address...)
	for i := range 5 {
		n := "." + strconv.Itoa(i+1)
		each("Entity.OtherEntityNames.OtherEntityName"+n, "", ".xmllang", ".type")
		each("Entity.TransliteratedOtherEntityNames.TransliteratedOtherEntityName"+n, "", ".xmllang", ".type")
		each("Entity.OtherAddresses.OtherAddress"+n, append([]string{".type"}, address...)...)
		each("Entity.TransliteratedOtherAddresses.TransliteratedOtherAddress"+n, append([]string{".type"}, address...)...)
		each("Entity.SuccessorEntity"+n, ".SuccessorLEI", ".SuccessorEntityName", ".SuccessorEntity.xmllang")
		each("Entity.LegalEntityEvents.LegalEntityEvent"+n, ".group_type", ".event_status", ".group_id", ".group_sequence_no", ".LegalEntityEventType", ".LegalEntityEventEffectiveDate",
			".LegalEntityEventRecordedDate", ".ValidationDocuments", ".ValidationReference", ".AffectedFields.1.AffectedField", ".AffectedFields.1.field_xpath")
	}
	each("Entity.", "RegistrationAuthority.RegistrationAuthorityID", "RegistrationAuthority.OtherRegistrationAuthorityID", "RegistrationAuthority.RegistrationAuthorityEntityID", "LegalJurisdiction", "EntityCategory",
		"EntitySubCategory", "LegalForm.EntityLegalFormCode", "LegalForm.OtherLegalForm", "AssociatedEntity.type", "AssociatedEntity.AssociatedLEI", "AssociatedEntity.AssociatedEntityName",
		"AssociatedEntity.AssociatedEntityName.xmllang", "EntityStatus", "EntityCreationDate", "EntityExpirationDate", "EntityExpirationReason")
	each("Registration.", "InitialRegistrationDate", "LastUpdateDate", "RegistrationStatus", "NextRenewalDate", "ManagingLOU", "ValidationSources", "ValidationAuthority.ValidationAuthorityID",
		"ValidationAuthority.OtherValidationAuthorityID", "ValidationAuthority.ValidationAuthorityEntityID")
	names = append(names, "ConformityFlag")
	row := make([]string, len(names))
	for i, name := range names {
		row[i] = values[name]
	}
	b := catalog.New(dbtest.SQLite(t))
	s := load(t, b, write(t, "lei2.csv", strings.Join(names, ",")+"\n"+strings.Join(row, ",")+"\n"))
	read := map[string]string{}
	for _, c := range s.Sources[0].Columns {
		if c.Field != "attributes" {
			read[c.Column] = c.Field
		}
	}
	require.Equal(t, map[string]string{
		"LEI": "id", "Entity.LegalName": "name", "Entity.LegalAddress.City": "city", "Entity.LegalAddress.Region": "state", "Entity.LegalAddress.Country": "country",
		"Entity.LegalAddress.PostalCode": "postal_code", "Entity.HeadquartersAddress.City": "city", "Entity.HeadquartersAddress.Region": "state",
		"Entity.HeadquartersAddress.Country": "country", "Entity.HeadquartersAddress.PostalCode": "postal_code", "Entity.LegalJurisdiction": "country_code",
		"Entity.EntityCreationDate": "founded_year",
	}, read)
	want := facts{"name": "Acme GmbH", "city": "Austin", "state": "Texas", "country": "US", "founded": "1988", "industries": ""}
	for name, value := range values {
		if _, ok := read[name]; !ok {
			want["@"+name] = value
		}
	}
	require.Equal(t, want, want.of(all(t, b)[0]))
}

func TestAFolderIsImportedAsOneTable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"country=DE/part-00000.csv": "name,city\nAcme,Bonn\n", "country=FR/part-00000.csv": "name,city\nBolt,Lyon\n", "_SUCCESS": "", "notes.docx": "x",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	}
	b := catalog.New(dbtest.SQLite(t))
	s := load(t, b, dir)
	require.Equal(t, 2, s.Added)
	require.Equal(t, []importer.Note{{File: dir, Text: "has files that are not read: notes.docx"}}, s.Notes)
	cs := all(t, b)
	require.Equal(t, []string{"Acme", "DE", "Bonn", "Bolt", "FR", "Lyon"}, []string{cs[0].Name, cs[0].CountryCode, cs[0].City, cs[1].Name, cs[1].CountryCode, cs[1].City})
}

func TestAFileOfOneLineThatNamesNoColumnIsAnError(t *testing.T) {
	t.Parallel()
	for _, content := range []string{"Access Denied. Please sign in, or contact support.\n", "404: Not Found", "Error: query timed out\n"} {
		_, err := importer.Import(t.Context(), importer.Options{Catalog: catalog.New(dbtest.SQLite(t)), Files: []string{write(t, "a.csv", content)}})
		require.ErrorIs(t, err, importer.ErrNoColumns)
		require.ErrorContains(t, err, "there is only one line, and it names no column")
	}
}

package importer

import (
	"slices"
	"strings"
	"sync"

	"github.com/opencapi/capi/internal/text"
)

// The larger cities of the states whose code of two letters is also that of a country: "Cambridge, MA" is not in Morocco. A line
// has the country, the code of the state, and its cities.
const stateCityTable = `United States AL Birmingham|Montgomery|Huntsville|Mobile|Tuscaloosa|Hoover|Auburn|Dothan|Decatur|Madison
United States AZ Phoenix|Tucson|Mesa|Chandler|Scottsdale|Gilbert|Glendale|Tempe|Peoria|Surprise|Yuma|Flagstaff|Goodyear|Prescott
United States AR Little Rock|Fort Smith|Fayetteville|Springdale|Jonesboro|Rogers|Conway|North Little Rock|Bentonville|Hot Springs
United States CA Los Angeles|San Diego|San Jose|San Francisco|Fresno|Sacramento|Long Beach|Oakland|Bakersfield|Anaheim|Santa Ana|Riverside|Stockton|Irvine|Chula Vista|Fremont|San Bernardino|Modesto|Fontana|Oxnard|Moreno Valley|Glendale|Huntington Beach|Santa Clarita|Garden Grove|Santa Rosa|Oceanside|Rancho Cucamonga|Ontario|Corona|Hayward|Sunnyvale|Pomona|Escondido|Torrance|Pasadena|Fullerton|Orange|Visalia|Roseville|Concord|Thousand Oaks|Simi Valley|Santa Clara|Berkeley|Fairfield|Carlsbad|Costa Mesa|Burbank|San Mateo|Palo Alto|Mountain View|Redwood City|Cupertino|Menlo Park|Santa Monica|Culver City|El Segundo|Santa Barbara|Pleasanton|San Ramon|Walnut Creek|Emeryville|South San Francisco|Milpitas|Newport Beach|Aliso Viejo|San Rafael|Foster City|Los Gatos|Campbell|Livermore|Santa Cruz|Beverly Hills|West Hollywood|Calabasas|Burlingame|San Carlos|Belmont|Alameda|Petaluma|Napa|Folsom|Davis|Encinitas|La Jolla|Venice|Playa Vista|Newark|Danville|Los Altos|Saratoga|Solana Beach|Manhattan Beach|Laguna Beach|Mission Viejo|Lake Forest|Tustin|Goleta|Ventura|Malibu|Sausalito|Mill Valley|Novato|Brisbane
United States CO Denver|Colorado Springs|Aurora|Fort Collins|Lakewood|Thornton|Arvada|Westminster|Pueblo|Greeley|Centennial|Boulder|Longmont|Loveland|Broomfield|Golden|Englewood|Littleton|Louisville|Castle Rock|Aspen|Greenwood Village|Durango|Grand Junction
United States DE Wilmington|Dover|Newark|Middletown|Bear|Lewes|Rehoboth Beach|Smyrna|Georgetown|New Castle|Milford
United States GA Atlanta|Augusta|Columbus|Macon|Savannah|Athens|Sandy Springs|Roswell|Johns Creek|Alpharetta|Marietta|Norcross|Duluth|Kennesaw|Peachtree City|Valdosta|Decatur|Smyrna|Rome|Dunwoody|Suwanee|Lawrenceville
United States ID Boise|Meridian|Nampa|Idaho Falls|Caldwell|Pocatello|Coeur d'Alene|Twin Falls|Post Falls|Moscow|Lewiston
United States IL Chicago|Aurora|Joliet|Naperville|Rockford|Springfield|Elgin|Peoria|Champaign|Urbana|Evanston|Schaumburg|Waukegan|Bloomington|Oak Brook|Northbrook|Deerfield|Skokie|Downers Grove|Lake Forest|Bolingbrook|Decatur|Rosemont|Lisle|Itasca|Vernon Hills|Oak Park|Glenview|Arlington Heights
United States IN Indianapolis|Fort Wayne|Evansville|South Bend|Carmel|Fishers|Bloomington|Hammond|Gary|Lafayette|West Lafayette|Muncie|Noblesville|Terre Haute|Kokomo|Elkhart|Columbus|Warsaw
United States KY Louisville|Lexington|Bowling Green|Owensboro|Covington|Florence|Georgetown|Richmond|Frankfort|Paducah
United States LA New Orleans|Baton Rouge|Shreveport|Lafayette|Lake Charles|Metairie|Kenner|Bossier City|Monroe|Alexandria|Covington|Mandeville
United States ME Portland|Lewiston|Bangor|South Portland|Auburn|Biddeford|Augusta|Westbrook|Brunswick|Freeport|Scarborough
United States MD Baltimore|Columbia|Germantown|Silver Spring|Frederick|Rockville|Gaithersburg|Bethesda|Annapolis|Towson|Bowie|College Park|Hagerstown|Hunt Valley|Chevy Chase|Hanover|Salisbury|Laurel|Greenbelt|Owings Mills
United States MA Boston|Worcester|Springfield|Cambridge|Lowell|Brockton|Quincy|Lynn|New Bedford|Fall River|Newton|Somerville|Lawrence|Framingham|Haverhill|Waltham|Malden|Brookline|Medford|Burlington|Woburn|Lexington|Andover|Natick|Needham|Wellesley|Watertown|Salem|Beverly|Peabody|Marlborough|Westborough|Bedford|Billerica|Chelmsford|Concord|Acton|Littleton|Northampton|Amherst|Plymouth|Norwood|Braintree|Danvers|Gloucester|Arlington|Wakefield|Westford
United States MN Minneapolis|Saint Paul|St. Paul|Rochester|Duluth|Bloomington|Brooklyn Park|Plymouth|Woodbury|Eagan|Maple Grove|Eden Prairie|Edina|St. Cloud|Minnetonka|Burnsville|Mankato|St. Louis Park|Golden Valley|Wayzata
United States MS Jackson|Gulfport|Southaven|Hattiesburg|Biloxi|Tupelo|Meridian|Olive Branch|Ridgeland|Oxford|Starkville|Madison
United States MO Kansas City|St. Louis|Saint Louis|Springfield|Columbia|Independence|Lee's Summit|O'Fallon|St. Charles|Jefferson City|Chesterfield|Joplin|Clayton|Maryland Heights|Creve Coeur
United States MT Billings|Missoula|Great Falls|Bozeman|Butte|Helena|Kalispell|Whitefish
United States NC Charlotte|Raleigh|Greensboro|Durham|Winston-Salem|Fayetteville|Cary|Wilmington|High Point|Concord|Asheville|Chapel Hill|Morrisville|Huntersville|Mooresville|Hickory|Greenville
United States NE Omaha|Lincoln|Bellevue|Grand Island|Kearney|Fremont|Norfolk
United States PA Philadelphia|Pittsburgh|Allentown|Erie|Reading|Scranton|Bethlehem|Lancaster|Harrisburg|York|King of Prussia|Conshohocken|State College|Wayne|Malvern|Exton|West Chester|Bala Cynwyd|Radnor|Doylestown|Wilkes-Barre|Newtown|Horsham|Plymouth Meeting
United States SC Charleston|Columbia|North Charleston|Mount Pleasant|Rock Hill|Greenville|Summerville|Spartanburg|Myrtle Beach|Hilton Head Island|Anderson|Greer|Fort Mill
United States SD Sioux Falls|Rapid City|Aberdeen|Brookings|Watertown|Mitchell|Yankton|Pierre
United States TN Nashville|Memphis|Knoxville|Chattanooga|Clarksville|Murfreesboro|Franklin|Brentwood|Johnson City|Jackson|Kingsport|Oak Ridge|Hendersonville
United States VA Virginia Beach|Norfolk|Chesapeake|Richmond|Newport News|Alexandria|Hampton|Roanoke|Arlington|Reston|McLean|Vienna|Fairfax|Herndon|Tysons|Falls Church|Ashburn|Leesburg|Charlottesville|Blacksburg|Chantilly|Lynchburg|Sterling|Manassas|Williamsburg|Harrisonburg
Canada NL St. John's|Mount Pearl|Corner Brook|Gander|Paradise
Canada NU Iqaluit
Canada PE Charlottetown|Summerside
Canada SK Saskatoon|Regina|Prince Albert|Moose Jaw|Swift Current|Yorkton
Canada YT Whitehorse
Australia SA Adelaide|Mount Gambier|Whyalla|Murray Bridge|Port Lincoln|Port Augusta|Mawson Lakes
India AR Itanagar|Tawang|Naharlagun|Pasighat
India AS Guwahati|Silchar|Dibrugarh|Jorhat|Nagaon|Tezpur|Dispur
India BR Patna|Gaya|Bhagalpur|Muzaffarpur|Darbhanga|Purnia|Begusarai
India CG Raipur|Bhilai|Bilaspur|Korba|Durg
India CH Chandigarh
India GA Panaji|Panjim|Margao|Vasco da Gama|Mapusa|Ponda
India HR Gurgaon|Gurugram|Faridabad|Panipat|Ambala|Rohtak|Hisar|Karnal|Sonipat|Panchkula|Yamunanagar
India MH Mumbai|Bombay|Pune|Nagpur|Thane|Nashik|Navi Mumbai|Aurangabad|Solapur|Kolhapur|Kalyan|Amravati
India ML Shillong|Tura
India MN Imphal|Thoubal
India MP Indore|Bhopal|Jabalpur|Gwalior|Ujjain|Sagar|Dewas|Satna|Ratlam
India MZ Aizawl|Lunglei
India NL Kohima|Dimapur
India PY Puducherry|Pondicherry|Karaikal
India SK Gangtok|Namchi
India TG Hyderabad|Warangal|Nizamabad|Karimnagar|Secunderabad|Khammam
India TN Chennai|Madras|Coimbatore|Madurai|Tiruchirappalli|Trichy|Salem|Tiruppur|Vellore|Erode|Hosur|Thoothukudi|Tirunelveli
India TR Agartala|Udaipur
Brazil AL Maceió|Arapiraca
Brazil AM Manaus|Parintins|Itacoatiara
Brazil BA Salvador|Feira de Santana|Vitória da Conquista|Camaçari|Ilhéus|Lauro de Freitas|Juazeiro|Itabuna
Brazil ES Vitória|Vila Velha|Serra|Cariacica|Cachoeiro de Itapemirim|Linhares
Brazil MA São Luís|Imperatriz|Timon|Caxias
Brazil MG Belo Horizonte|Uberlândia|Contagem|Juiz de Fora|Betim|Montes Claros|Uberaba|Governador Valadares|Ipatinga|Poços de Caldas|Nova Lima|Divinópolis|Pouso Alegre
Brazil MS Campo Grande|Dourados|Três Lagoas|Corumbá
Brazil MT Cuiabá|Várzea Grande|Rondonópolis|Sinop
Brazil PA Belém|Ananindeua|Santarém|Marabá|Parauapebas
Brazil PE Recife|Jaboatão dos Guararapes|Olinda|Caruaru|Petrolina|Paulista
Brazil PR Curitiba|Londrina|Maringá|Ponta Grossa|Cascavel|São José dos Pinhais|Foz do Iguaçu|Colombo|Toledo
Brazil RO Porto Velho|Ji-Paraná|Ariquemes
Brazil RS Porto Alegre|Caxias do Sul|Canoas|Pelotas|Santa Maria|Gravataí|Novo Hamburgo|São Leopoldo|Passo Fundo
Brazil SC Florianópolis|Joinville|Blumenau|São José|Chapecó|Itajaí|Criciúma|Jaraguá do Sul|Balneário Camboriú
Brazil SE Aracaju|Nossa Senhora do Socorro
Brazil TO Palmas|Araguaína|Gurupi`

// The larger cities of the countries whose code is also that of a state.
const countryCityTable = `AL Tirana|Tiranë|Durrës|Vlorë|Shkodër|Elbasan|Fier|Korçë
AM Yerevan|Gyumri|Vanadzor|Abovyan
AR Buenos Aires|Córdoba|Rosario|Mendoza|La Plata|Mar del Plata|Tucumán|San Miguel de Tucumán|Salta|Santa Fe|Neuquén|Bahía Blanca|Tandil
AS Pago Pago
AZ Baku|Bakı|Ganja|Sumqayit|Mingachevir
BA Sarajevo|Banja Luka|Mostar|Tuzla|Zenica|Bihać
BR São Paulo|Rio de Janeiro|Brasília|Salvador|Fortaleza|Belo Horizonte|Manaus|Curitiba|Recife|Goiânia|Porto Alegre|Campinas|Florianópolis|Guarulhos|São José dos Campos|Ribeirão Preto|Joinville|Vitória|Barueri|Osasco|Sorocaba
CA Toronto|Montreal|Montréal|Vancouver|Calgary|Edmonton|Ottawa|Winnipeg|Quebec City|Québec|Hamilton|Kitchener|Waterloo|London|Halifax|Victoria|Mississauga|Brampton|Surrey|Burnaby|Markham|Laval|Gatineau|Saskatoon|Regina|Oakville|Kelowna|Guelph|Fredericton|Moncton|Kanata|Vaughan|St. John's
CG Brazzaville|Pointe-Noire|Dolisie
CH Zürich|Zurich|Genève|Geneva|Genf|Basel|Bern|Lausanne|Winterthur|Luzern|Lucerne|St. Gallen|Lugano|Biel|Zug|Fribourg|Neuchâtel|Schaffhausen|Baar|Chur|Thun|Aarau|Baden|Rotkreuz|Cham|Vevey|Nyon|Sion
CO Bogotá|Bogota|Medellín|Cali|Barranquilla|Cartagena|Bucaramanga|Pereira|Manizales|Cúcuta|Envigado
DE Berlin|Hamburg|München|Munich|Köln|Cologne|Frankfurt|Frankfurt am Main|Stuttgart|Düsseldorf|Leipzig|Dortmund|Essen|Bremen|Dresden|Hannover|Hanover|Nürnberg|Nuremberg|Duisburg|Bochum|Wuppertal|Bielefeld|Bonn|Münster|Karlsruhe|Mannheim|Augsburg|Wiesbaden|Mönchengladbach|Gelsenkirchen|Braunschweig|Kiel|Chemnitz|Aachen|Halle|Magdeburg|Freiburg|Freiburg im Breisgau|Krefeld|Mainz|Lübeck|Erfurt|Rostock|Kassel|Potsdam|Saarbrücken|Ludwigshafen|Oldenburg|Osnabrück|Heidelberg|Darmstadt|Regensburg|Ingolstadt|Würzburg|Ulm|Heilbronn|Göttingen|Wolfsburg|Paderborn|Jena|Erlangen|Trier|Koblenz|Walldorf|Garching|Konstanz|Tübingen|Passau|Bamberg|Bayreuth
ES Madrid|Barcelona|Valencia|Sevilla|Seville|Zaragoza|Málaga|Murcia|Palma|Palma de Mallorca|Bilbao|Alicante|Córdoba|Valladolid|Vigo|Gijón|A Coruña|Granada|Vitoria-Gasteiz|Pamplona|San Sebastián|Santander|Las Palmas|Girona|Tarragona
GA Libreville|Port-Gentil|Franceville
HR Zagreb|Split|Rijeka|Osijek|Zadar|Pula|Varaždin|Dubrovnik
ID Jakarta|Surabaya|Bandung|Medan|Semarang|Makassar|Tangerang|Bekasi|Depok|Denpasar|Batam|Yogyakarta|Bogor|Malang
IL Tel Aviv|Tel Aviv-Yafo|Tel-Aviv|Jerusalem|Haifa|Rishon LeZion|Petah Tikva|Netanya|Herzliya|Ramat Gan|Beer Sheva|Be'er Sheva|Holon|Rehovot|Ra'anana|Raanana|Kfar Saba|Hod HaSharon|Yokneam|Caesarea|Ashdod|Bnei Brak
IN Mumbai|Delhi|New Delhi|Bangalore|Bengaluru|Hyderabad|Chennai|Kolkata|Pune|Ahmedabad|Jaipur|Surat|Lucknow|Kanpur|Nagpur|Indore|Thane|Bhopal|Visakhapatnam|Gurgaon|Gurugram|Noida|Kochi|Coimbatore|Chandigarh|Mysore|Vadodara|Trivandrum|Thiruvananthapuram|Nashik|Faridabad|Navi Mumbai|Mohali
KY George Town|Bodden Town|West Bay
LA Vientiane|Luang Prabang|Pakse|Savannakhet
MA Casablanca|Rabat|Fès|Fez|Marrakesh|Marrakech|Tangier|Tanger|Agadir|Meknès|Oujda|Kenitra|Tétouan|Salé|Mohammedia
MD Chișinău|Chisinau|Bălți|Tiraspol|Cahul
ME Podgorica|Nikšić|Herceg Novi|Budva|Kotor|Tivat|Cetinje
MG Antananarivo|Toamasina|Antsirabe|Mahajanga
MH Majuro
ML Bamako|Sikasso|Mopti
MN Ulaanbaatar|Ulan Bator|Erdenet|Darkhan
MO Macau|Macao|Taipa
MP Saipan
MS Brades|Plymouth
MT Valletta|Sliema|Birkirkara|St. Julian's|San Ġiljan|Msida|Mosta|Gżira|Ta' Xbiex|Qormi|Swieqi
MZ Maputo|Matola|Beira|Nampula
NC Nouméa|Noumea
NE Niamey|Zinder|Maradi|Agadez
NL Amsterdam|Rotterdam|The Hague|Den Haag|'s-Gravenhage|Utrecht|Eindhoven|Groningen|Tilburg|Almere|Breda|Nijmegen|Apeldoorn|Haarlem|Arnhem|Enschede|Amersfoort|Zaandam|Den Bosch|'s-Hertogenbosch|Hoofddorp|Maastricht|Leiden|Dordrecht|Delft|Zwolle|Deventer|Hilversum|Amstelveen|Veldhoven|Wageningen|Venlo|Schiphol|Nieuwegein
NU Alofi
PA Panama City|Ciudad de Panamá|Panamá|Colón|David
PE Lima|Arequipa|Trujillo|Chiclayo|Piura|Cusco|Callao|Miraflores|San Isidro
PR San Juan|Bayamón|Carolina|Ponce|Caguas|Guaynabo|Mayagüez|Dorado
PY Asunción|Asuncion|Ciudad del Este|Encarnación|Luque
RO Bucharest|București|Bucuresti|Cluj-Napoca|Cluj|Timișoara|Timisoara|Iași|Iasi|Constanța|Brașov|Brasov|Craiova|Galați|Oradea|Sibiu|Ploiești|Arad|Pitești
RS Belgrade|Beograd|Novi Sad|Niš|Nis|Kragujevac|Subotica|Zrenjanin
SA Riyadh|Jeddah|Mecca|Medina|Dammam|Khobar|Al Khobar|Dhahran|Jubail|Tabuk|Abha|NEOM
SC Victoria|Mahé|Mahe
SD Khartoum|Omdurman|Port Sudan
SE Stockholm|Göteborg|Gothenburg|Malmö|Uppsala|Västerås|Örebro|Linköping|Helsingborg|Jönköping|Norrköping|Lund|Umeå|Gävle|Borås|Södertälje|Eskilstuna|Solna|Karlstad|Luleå|Kista|Kalmar|Halmstad|Växjö
SK Bratislava|Košice|Kosice|Prešov|Žilina|Zilina|Nitra|Banská Bystrica|Trnava|Trenčín|Martin|Poprad
TG Lomé|Lome|Sokodé|Kara
TN Tunis|Sfax|Sousse|Kairouan|Bizerte|Gabès|Ariana|Monastir|La Marsa
TO Nukuʻalofa|Nukualofa
TR Istanbul|İstanbul|Ankara|Izmir|İzmir|Bursa|Antalya|Adana|Konya|Gaziantep|Kocaeli|Mersin|Eskişehir|Kayseri|Gebze|Samsun|Denizli
VA Vatican City|Città del Vaticano
YT Mamoudzou`

// cityIndex has the cities of both tables, folded.
type cityIndex struct {
	states    map[string][]state // by code and city, as cityKey returns them, and by the code alone
	countries map[string]bool    // by code and city
	names     map[string]bool    // of the cities, folded
}

var cities = sync.OnceValue(func() *cityIndex {
	x := &cityIndex{states: map[string][]state{}, countries: map[string]bool{}, names: map[string]bool{}}
	for line := range strings.SplitSeq(stateCityTable, "\n") {
		st := stateOfLine(line)
		x.states[cityKey(st.code, "")] = append(x.states[cityKey(st.code, "")], st)
		for city := range strings.SplitSeq(line[len(st.country)+len(st.code)+2:], "|") {
			key := cityKey(st.code, city)
			x.states[key] = append(x.states[key], st)
			x.names[text.Fold(city)] = true
		}
	}
	for line := range strings.SplitSeq(countryCityTable, "\n") {
		for city := range strings.SplitSeq(line[3:], "|") {
			x.countries[cityKey(line[:2], city)] = true
			x.names[text.Fold(city)] = true
		}
	}
	return x
})

// stateOfLine returns the state of a line of stateCityTable.
func stateOfLine(line string) state {
	for country, codes := range states().byCode {
		if rest, ok := strings.CutPrefix(line, country+" "); ok {
			return codes[rest[:2]]
		}
	}
	panic("no country in " + line) // the table is a constant
}

// isCityOf reports whether the city is known to be in the state.
func isCityOf(st state, city string) bool {
	return slices.Contains(cities().states[cityKey(st.code, city)], st)
}

func cityKey(code, city string) string { return code + " " + text.Fold(strings.Trim(city, " .")) }

// italianTowns are the capitals of provinces of Italy with the province's code, which in other countries is that of a state: "milano mi".
var italianTowns = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for line := range strings.SplitSeq(italianTownTable, "|") {
		m[text.Fold(line)] = true
	}
	return m
})

const italianTownTable = "Agrigento AG|Alessandria AL|Ancona AN|Aosta AO|L'Aquila AQ|Arezzo AR|Ascoli Piceno AP|Asti AT|Avellino AV|Bari BA|Belluno BL|Benevento BN|" +
	"Bergamo BG|Biella BI|Bologna BO|Bolzano BZ|Brescia BS|Brindisi BR|Cagliari CA|Caltanissetta CL|Campobasso CB|Caserta CE|Catania CT|Catanzaro CZ|" +
	"Chieti CH|Como CO|Cosenza CS|Cremona CR|Crotone KR|Cuneo CN|Fermo FM|Ferrara FE|Firenze FI|Foggia FG|Forlì FC|Cesena FC|Frosinone FR|Genova GE|" +
	"Gorizia GO|Grosseto GR|Imperia IM|Isernia IS|La Spezia SP|Latina LT|Lecce LE|Lecco LC|Livorno LI|Lodi LO|Lucca LU|Macerata MC|Mantova MN|Massa MS|" +
	"Carrara MS|Matera MT|Messina ME|Milano MI|Modena MO|Monza MB|Napoli NA|Novara NO|Nuoro NU|Oristano OR|Padova PD|Palermo PA|Parma PR|Pavia PV|" +
	"Perugia PG|Pesaro PU|Pescara PE|Piacenza PC|Pisa PI|Pistoia PT|Pordenone PN|Potenza PZ|Prato PO|Ragusa RG|Ravenna RA|Reggio Calabria RC|" +
	"Reggio Emilia RE|Rieti RI|Rimini RN|Roma RM|Rovigo RO|Salerno SA|Sassari SS|Savona SV|Siena SI|Siracusa SR|Sondrio SO|Taranto TA|Teramo TE|" +
	"Terni TR|Torino TO|Trapani TP|Trento TN|Treviso TV|Trieste TS|Udine UD|Varese VA|Venezia VE|Verbania VB|Vercelli VC|Verona VR|Vibo Valentia VV|" +
	"Vicenza VI|Viterbo VT"

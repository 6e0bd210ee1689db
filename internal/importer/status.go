package importer

import (
	"regexp"

	"github.com/opencapi/capi/internal/text"
)

// statusWords are the words of legal forms, kinds of ownership and states of a company. A column of such values says nothing
// about what the companies do.
var statusWords = wordSet(`domestic foreign prospect customer partner reseller competitor vendor other for non not no profit nonprofit forprofit public publicly private privately held owned traded limited unlimited
	liability company companies corporation corp incorporated inc llc llp lp ltd plc partnership sole proprietorship
	proprietor trader by guarantee guarant shares share capital with without the of and or pri gar nsc exempt section other
	general government agency governmental state subsidiary branch joint stock venture backed funded self employed
	active inactive closed open operating operational dissolved liquidation administration acquired ipo delisted bankrupt
	startup startups scaleup scaleups corporate corporates enterprise smb sme smes msme micro small medium large midmarket mid market investor investors vendor
	third trader charity autonomo cooperativa ditta individuale spolka z o akcyjna jawna entreprise individuelle
	accelerated filer filers smaller reporting central local
	dormant struck off registered deregistered merged ceased trading live dead
	gmbh ag ug kg ohg gbr se ev eg gesellschaft kapitalgesellschaft personengesellschaft aktiengesellschaft einzelunternehmen
	co mit beschrankter haftung haftungsbeschrankt privat offentlich
	sarl sas sasu sa snc eurl sci societe anonyme a responsabilite limitee par actions simplifiee privee publique
	sociedad anonima limitada sl slu privada publica responsabilidad de ltda eireli mei sociedade empresa
	spa srl srls societa per azioni responsabilita limitata bv nv vof besloten vennootschap naamloze
	株式会社 有限会社 合同会社 有限公司 股份有限公司 有限责任公司 주식회사`)

// economicSector matches the sectors of an economy by who owns the companies, which say nothing about what they do either.
var economicSector = regexp.MustCompile(`(?i)^(?:public|private|third|voluntary|non-?profit|for-?profit|government)( sector)?$`)

var publicOrPrivate = regexp.MustCompile(`(?i)^(?:public|private)( sector)?$`)

// isLegalStatus reports whether v is a legal form, kind of ownership or state, such as "Private Limited Company".
func isLegalStatus(v string) bool {
	words := text.Tokens(v)
	for _, w := range words {
		if !statusWords[w] {
			return false
		}
	}
	return len(words) > 0
}

// salesRegions are regions of the world that sales are divided by. None is a state.
var salesRegions = wordSet("emea apac amer amers latam nam noram namer anz dach mena cee sea asean row apj japac benelux nordics ukie uki gcr")

// isSalesRegion reports whether v is a region of the world, or a part of a country that is not a state.
func isSalesRegion(v string) bool {
	v = text.Fold(v)
	return salesRegions[v] || worldRegions[v]
}

var worldRegions = map[string]bool{
	"europe": true, "asia": true, "africa": true, "americas": true, "america": true, "oceania": true, "north america": true,
	"south america": true, "latin america": true, "middle east": true, "asia pacific": true, "asia-pacific": true,
	"western europe": true, "eastern europe": true, "central europe": true, "northern europe": true, "southern europe": true,
	"middle east and africa": true, "middle east & africa": true, "international": true, "global": true, "worldwide": true,
	"uk&i": true, "uk & i": true, "rest of world": true, "na": true, "eu": true, "north": true, "south": true, "east": true, "west": true,
}

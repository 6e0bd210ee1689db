package importer

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/importer/source"
	"github.com/opencapi/capi/internal/text"
)

// What decided the field of a column.
const (
	ByYou    = "you"    // --map, --skip or a mapping file
	ByName   = "name"   // of the column
	ByValues = "values" // in the column
	ByNobody = ""       // nothing: it fits no field
)

// ColumnPlan is how one column of a source is read.
type ColumnPlan struct {
	Column     string   `json:"column"`
	Field      string   `json:"field"` // "attributes" if it fits none, "" if it is not read
	By         string   `json:"by"`
	Confidence float64  `json:"confidence"` // from 0 to 1
	Note       string   `json:"note,omitempty"`
	Samples    []string `json:"samples"` // the first few different values
	Filled     float64  `json:"filled"`  // share of the sampled rows that have a value
}

// target is what is done with a column's values.
type target struct {
	alias
	side   int8     // which company of a pair it belongs to; 0 for both, or if there is no pair
	name   string   // of an attribute, or without the prefix of a pair
	commas bool     // separate the values of a list
	codes  *codeUse // of two letters at the end of a place; nil for states
	na     bool     // NA is Namibia rather than unknown

	serials bool // the numbers of a column of dates are days, as spreadsheets count them

	group    int8 // of the columns of one address, from 1; 0 if there is one address
	cityless bool // the group has no city in the whole source
}

// plan is how the records of a table are read. It is immutable, so safe for concurrent use.
type plan struct {
	Mapping
	columns []ColumnPlan
	targets map[string]target // by the name as the source spells it
	pair    *pair             // nil if a row has one company
	groups  *groups           // nil if no row is known to be a group
	set     []setting
	country string // of all rows, inferred from their states; empty if unknown, or if rows have a country
	keep    bool   // columns that fit no field, as attributes

	contacts    bool // the records are of people, so several may have the same company
	connections bool // the records are connections
}

type setting struct {
	target
	value string
}

const samplesShown = 3

// makePlan decides how to read a table by its sample.
func makePlan(m Mapping, s *sample) (*plan, error) {
	p := &plan{Mapping: m, targets: map[string]target{}, keep: m.Unmapped != unmappedIgnore, connections: s.connections}
	if err := p.decide(s); err != nil {
		return nil, err
	}
	p.findNames(s)
	p.findPeople(s)
	p.dropPersons(s)
	p.findPair(s)
	if p.pair == nil && !s.connections {
		p.guess(s)
	}
	p.settle(s)
	p.findRegistration(s)
	p.groupPlaces(s)
	for field, value := range m.Set {
		c, rest, err := fieldNamed(field)
		if err != nil {
			return nil, err
		}
		p.set = append(p.set, setting{target{alias: alias{column: c, category: rest}, name: rest}, value})
	}
	p.inferCountry(s)
	p.noteUnclearPlaces(s)
	p.findGroups(s)
	for _, c := range s.columns {
		p.columns = append(p.columns, p.describe(c))
	}
	return p, p.check(s)
}

// decide maps columns by the Mapping, and the others by their names.
func (p *plan) decide(s *sample) error {
	decided := map[*sampledColumn]bool{}
	find := func(name string) (*sampledColumn, error) {
		for _, c := range s.columns {
			if c.name == name {
				return c, nil
			}
		}
		for _, c := range s.columns {
			if normalName(c.name) == normalName(name) {
				return c, nil
			}
		}
		return nil, unknownColumn(name, s)
	}
	for field, names := range p.Map {
		c, rest, err := fieldNamed(field)
		if err != nil {
			return err
		}
		for i, name := range names {
			col, err := find(name)
			if err != nil {
				if s.open {
					continue // a later record may have it, or another file
				}
				return err
			}
			decided[col] = true
			p.assign(col, target{alias: alias{column: c, category: rest, rank: i - len(names)}, name: rest}, ByYou, 1)
		}
	}
	for _, name := range p.Skip {
		if col, err := find(name); err == nil {
			decided[col] = true
			p.assign(col, target{alias: alias{column: colIgnored}}, ByYou, 1)
		}
	}
	if p.Key != "" {
		col, err := find(p.Key)
		if err != nil {
			return err
		}
		decided[col] = true
		p.assign(col, target{alias: alias{column: colKey}}, ByYou, 1)
	}
	labels := fieldsByLabel(s)
	for _, c := range s.columns {
		if !decided[c] {
			p.byName(c, cmp.Or(labels[c.name], c.name))
		}
	}
	return nil
}

// fieldsByLabel returns the names of the fields by their labels if the columns are those of an export that has labels as
// headers: all of them are labels. Some labels, such as Added, could mean anything in another file.
func fieldsByLabel(s *sample) map[string]string {
	names := map[string]string{}
	for i := range company.Fields {
		names[company.Fields[i].Label] = company.Fields[i].Name
	}
	for _, c := range s.columns {
		if names[c.name] == "" {
			return nil
		}
	}
	return names
}

// findNames reads the names of the companies from a column whose name could also say what they are to others, such as Investors, if
// there is no other: it names one company in each row, and another column is about the same companies.
func (p *plan) findNames(s *sample) {
	if s.connections || p.has(colName) {
		return
	}
	keyed := p.has(colDomain) || p.has(colWebsite) || p.has(colID) || p.has(colKey)
	for _, c := range s.columns {
		if t := p.targets[c.name]; t.column != colRelation || c.by != ByName || c.filled() < 0.9 || 10*c.distinct() < 9*len(c.values) {
			continue
		}
		if c.lists > 0 || c.share(func(v string) bool { return len(splitNames(&source.Value{Kind: source.Cell, Text: v})) == 1 }) < 0.9 {
			continue
		}
		about := func(o *sampledColumn) bool {
			return o != c && strings.HasPrefix(normalName(o.name), strings.TrimSuffix(normalName(c.name), "s")+"_")
		}
		if !keyed || slices.ContainsFunc(s.columns, about) || p.firmShare(s, c) >= 0.5 {
			p.assign(c, target{alias: alias{column: colName, rank: strippedRank}}, ByName, 0.8)
			return
		}
	}
}

// registrationDates are names of the date since when a company is in a register, which in other files is that of a customer.
var registrationDates = wordSet(`date_of_creation creation_date date_of_registration registration_date registered_on registered_date date_registered company_registration_date reg_date date_of_reg
	data_rejestracji_w_rejestrze data_wpisu_do_rejestru registreringsdato дата_на_регистрация`)

// registerColumns are words in the names of columns that only a register of companies has.
var registerColumns = regexp.MustCompile(`(?:^|_)(?:registration_(?:no|number|authority)|reg_(?:no|number)|company_(?:no|number)|charity_number|cin|crn|eik|еик|krs|legal_form|entity_type|registrar|` +
	`registered_office|share_capital|paid_up_capital|authori[sz]ed_capital)(?:$|_)`)

// findRegistration reads the founding year from the date of registration in a register of companies.
func (p *plan) findRegistration(s *sample) {
	if p.has(colFounded) || !slices.ContainsFunc(s.columns, func(c *sampledColumn) bool { return registerColumns.MatchString(normalName(c.name)) }) {
		return
	}
	for _, c := range s.columns {
		if _, taken := p.targets[c.name]; taken || !registrationDates[normalName(c.name)] {
			continue
		}
		if fit, _ := c.fits(colFounded); fit >= guessShareMin {
			p.assign(c, target{alias: alias{column: colFounded, rank: strippedRank}}, ByName, 0.8)
			return
		}
	}
}

// byName maps a column by a name, unless its values contradict that.
func (p *plan) byName(c *sampledColumn, name string) {
	if c.isRowNumber() {
		c.note = "it only numbers the rows"
		p.assign(c, target{alias: alias{column: colIgnored}}, ByValues, 0.9)
		return
	}
	known, ok := aliasOf(name)
	if !ok {
		return
	}
	if known.column == colWebsite && len(c.values) > 0 && c.share(isCompanyPage) >= guessShareMin {
		known = alias{column: colLinkedIn, rank: strippedRank}
	}
	if known.column == colName && lastNames[normalName(name)] && !c.tellsApart() {
		return
	}
	fit, certain := c.fits(known.column)
	switch {
	case known.weak && len(c.values) == 0:
		return
	case known.weak && fit < 0.6, certain && fit < 0.3:
		c.note = "its values do not look like " + fieldLabel(known)
		if example, _ := c.serialDates(); known.column == colFounded && example != "" {
			c.note = unclearSerial(example)
		}
		return
	case known.column == colWebsite && c.oneSite():
		c.note = "all values are pages of one site"
		return
	}
	confidence := 0.99
	switch {
	case known.weak:
		confidence = 0.8 * fit
	case known.rank >= strippedRank:
		confidence = 0.9
	}
	p.assign(c, target{alias: known}, ByName, confidence)
}

// lastNames are names of columns of companies that may as well say something of the companies: a customer may be yes or no.
var lastNames = wordSet(`account customer client kunde cliente klant klient kunder asiakas bank institution brand brands marke marque marca agency club
	取引先 客户 供应商 고객사 거래처`)

// tellsApart reports whether most values, or many, differ.
func (c *sampledColumn) tellsApart() bool {
	n := c.distinct()
	return (2*n > len(c.values) || n > 20) && c.share(isLegalStatus) < 0.5 && c.share(func(v string) bool { return len(v) < 4 }) < 0.5
}

func (p *plan) assign(c *sampledColumn, t target, by string, confidence float64) {
	if t.column == colTechnologies || t.column == colIndustries {
		t.column = c.listColumn(t)
	}
	t.commas, t.codes, t.na = c.commas() || t.column == colTechnologies && c.lists == 0, c.codeUse(), c.na() // no technology has a comma in its name
	if t.column == colFounded {
		t.serials = c.noteDates()
	}
	p.targets[c.name] = t
	c.by, c.confidence = by, confidence
}

// noteDates says how the dates of a column are read that may be read in several ways. serials reports whether its numbers are days.
func (c *sampledColumn) noteDates() (serials bool) {
	if c.share(func(v string) bool { _, ok := shortYear(plainNumber(v)); return ok }) > 0 {
		c.note = fmt.Sprintf("years of two digits are read as 1930 to 20%d", shortYearMax)
	}
	example, certain := c.serialDates()
	switch {
	case certain:
		year, _ := serialYear(example)
		c.note = fmt.Sprintf("its numbers are read as days since 1900, as spreadsheets store dates: %s is in %d", example, year)
	case example != "":
		c.note = unclearSerial(example)
	}
	return certain
}

// unclearSerial says why a number that may be the date of a spreadsheet is not read.
func unclearSerial(number string) string {
	year, _ := serialYear(number)
	return fmt.Sprintf("numbers such as %s may be dates as spreadsheets store them (this one is in %d), which is not certain, so they are not read; "+
		"format the column as a date, and import again", number, year)
}

// noteUnclearPlaces says which columns have places whose country is unclear.
func (p *plan) noteUnclearPlaces(s *sample) {
	if p.has(colCountry) || p.has(colCountryCode) {
		return
	}
	for _, c := range s.columns {
		t := p.targets[c.name]
		if t.column != colLocation && t.column != colCity {
			continue
		}
		if place := c.unclearPlace(t.codes); place != "" {
			c.note = fmt.Sprintf("the end of %q may be a state or a country, so such rows get no country; set it with --set country=NAME", place)
		}
	}
}

func (p *plan) has(c column) bool {
	for _, t := range p.targets {
		if t.column == c {
			return true
		}
	}
	return slices.ContainsFunc(p.set, func(s setting) bool { return s.column == c })
}

// settle drops columns named title and type if a better column has their field, or their values mean something else.
func (p *plan) settle(s *sample) {
	for _, c := range s.columns {
		t, ok := p.targets[c.name]
		if !ok || c.by != ByName {
			continue
		}
		name := normalName(c.name)
		if t.column == colName && name == "title" && p.hasBetter(t) ||
			t.column == colIndustries && isTypeColumn(name) && (p.hasBetter(t) || c.isOwnership()) {
			delete(p.targets, c.name)
			c.by, c.confidence = ByNobody, 0
		}
	}
}

// isTypeColumn reports whether a name is that of a column type, perhaps with the words before it.
func isTypeColumn(name string) bool { return name == "type" || strings.HasSuffix(name, "_type") }

func (p *plan) hasBetter(t target) bool {
	for _, o := range p.targets {
		if o.column == t.column && o.rank < t.rank {
			return true
		}
	}
	return false
}

// inferCountry infers the country from the states if the rows have no country.
func (p *plan) inferCountry(s *sample) {
	if p.has(colCountry) || p.has(colCountryCode) || p.pair != nil {
		return
	}
	for _, c := range s.columns {
		if p.targets[c.name].column != colState || len(c.values) == 0 {
			continue
		}
		countries := []string{"United States", "Canada", "Australia"}
		switch name := normalName(c.name); {
		case brazilianStates[name]:
			countries = []string{"Brazil"}
		case italianStates.MatchString(name):
			countries = []string{"Canada", "Italy"}
		}
		for _, country := range countries {
			fit := 0
			for _, v := range c.values {
				if _, ok := stateOfColumn(country, v); ok {
					fit++
				}
			}
			if 100*fit >= 95*len(c.values) && (len(c.values) >= 3 || country == "Brazil") {
				p.country = country
				c.note = "the country " + country + " is inferred from these states"
				return
			}
		}
	}
}

// brazilianStates are names of columns that only files from Brazil have.
var brazilianStates = wordSet("uf unidade_federativa unidade_da_federacao")

// italianStates matches the names of columns with the codes of provinces, which Canada has, too.
var italianStates = regexp.MustCompile(`(?:^|_)(?:prov|provincia)(?:_|$)`)

// check returns an error if no column identifies the company of a row.
func (p *plan) check(s *sample) error {
	if s.connections || p.pair != nil || len(s.columns) == 0 || s.records == 0 {
		return nil
	}
	for _, c := range []column{colID, colKey, colName, colDomain, colWebsite} {
		if p.has(c) {
			return nil
		}
	}
	if s.open {
		return nil // each record names its own fields, so each is checked
	}
	names := make([]string, 0, len(s.columns))
	for _, c := range s.columns {
		names = append(names, c.name)
	}
	return fmt.Errorf("%w, such as a name, domain or id; name one with --map name=COLUMN; the columns are: %s",
		ErrNoColumns, shorten(strings.Join(names, ", ")))
}

func (p *plan) describe(c *sampledColumn) ColumnPlan {
	out := ColumnPlan{Column: c.name, By: c.by, Confidence: c.confidence, Note: c.note, Filled: c.filled(), Samples: c.shown()}
	t, ok := p.targets[c.name]
	switch {
	case ok && t.column == colIgnored:
	case ok && t.column != colAttribute:
		out.Field = fieldLabel(t.alias)
		if p.pair != nil && t.side != 0 {
			out.Field = p.pair.label(t.side) + "." + out.Field
		}
	case ok && t.name != "":
		out.Field = attributePrefix + t.name
	case p.keep:
		out.Field = "attributes"
	}
	return out
}

func fieldLabel(p alias) string {
	if p.column == colRelation {
		return "connections." + p.category
	}
	return fieldNames[p.column]
}

// source describes the plan for the summary.
func (p *plan) source(s *source.Source, t *source.Table, number int) Source {
	out := Source{File: s.Name, Table: number, Format: t.Description, Columns: p.columns, Empty: []string{}, Mapping: p.decided(), Connections: p.connections}
	if p.pair != nil {
		out.Pair = fmt.Sprintf("%s and %s; %s is the %s of %s", p.pair.prefixes[0], p.pair.prefixes[1],
			p.pair.prefixes[1], p.pair.toOther, p.pair.prefixes[0])
	}
	for _, c := range []column{
		colName, colDomain, colWebsite, colLinkedIn, colDescription, colCountry, colState, colCity, colIndustries, colNAICS,
		colTechnologies, colTechnologyCategories, colEmployees, colFounded,
	} {
		if !p.fills(c) {
			out.Empty = append(out.Empty, fieldNames[c])
		}
	}
	return out
}

// fills reports whether the field gets values, if only from columns of other fields.
func (p *plan) fills(c column) bool {
	switch c {
	case colDomain:
		return p.has(colDomain) || p.has(colWebsite)
	case colCountry:
		return p.has(c) || p.has(colCountryCode) || p.has(colLocation) || p.country != ""
	case colCity:
		return p.has(c) || p.has(colLocation)
	case colState:
		return p.has(c) || p.has(colLocation) || p.has(colPostal)
	default:
		return p.has(c)
	}
}

// decided returns the plan as a Mapping, so that it can be saved and used again.
func (p *plan) decided() Mapping {
	m := Mapping{Map: map[string][]string{}, Set: p.Set, Key: p.Key, Unmapped: p.Unmapped}
	type ranked struct {
		rank   int
		column string
	}
	by := map[string][]ranked{}
	for _, c := range p.columns {
		t, ok := p.targets[c.Column]
		switch {
		case !ok || t.column == colKey || t.side != 0:
		case t.column == colIgnored:
			m.Skip = append(m.Skip, c.Column)
		case t.column == colAttribute:
			by[attributePrefix+t.name] = append(by[attributePrefix+t.name], ranked{t.rank, c.Column})
		default:
			by[fieldLabel(t.alias)] = append(by[fieldLabel(t.alias)], ranked{t.rank, c.Column})
		}
	}
	for field, columns := range by {
		slices.SortStableFunc(columns, func(a, b ranked) int { return a.rank - b.rank })
		for _, c := range columns {
			m.Map[field] = append(m.Map[field], c.column)
		}
	}
	return m
}

// ErrNoColumns is why a table cannot be loaded of which no column identifies companies.
var ErrNoColumns = errors.New("no column identifies the company of a row")

func unknownField(name string) error {
	var known []string
	for c, field := range fieldNames {
		if c != colKey {
			known = append(known, field)
		}
	}
	slices.Sort(known)
	if near := text.Nearest(name, known); near != "" {
		return fmt.Errorf("there is no field %q; did you mean %q?", name, near)
	}
	return fmt.Errorf("there is no field %q; the fields are: %s, attributes.NAME, connections.CATEGORY", name, strings.Join(known, ", "))
}

func unknownColumn(name string, s *sample) error {
	names := make([]string, 0, len(s.columns))
	for _, c := range s.columns {
		names = append(names, c.name)
	}
	if near := text.Nearest(name, names); near != "" {
		return fmt.Errorf("there is no column %q; did you mean %q?", name, near)
	}
	return fmt.Errorf("there is no column %q; the columns are: %s", name, shorten(strings.Join(names, ", ")))
}

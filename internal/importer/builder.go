package importer

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/importer/source"
	"github.com/opencapi/capi/internal/text"
)

// builder builds a company from the fields of a record.
type builder struct {
	plan     *plan
	company  *company.Company
	item     *item
	postal   string
	location location
	weakID   bool // the id is only a number, which another source may use for another company

	headcounts headcounts

	domainField, websiteField, locationField, cityField *source.Field // what they were read from
	cityCodes                                           *codeUse      // of the column of cities
}

// attribute keeps a value as an attribute under the source's name, unless --unmapped is ignore.
func (b *builder) attribute(f *source.Field) {
	if b.plan.keep {
		b.keep(f.Name, f.Value.Any())
	}
}

// attributeAs keeps a value under the name that --map gives it.
func (b *builder) attributeAs(t target, f *source.Field) {
	if t.name != "" && t.side == 0 {
		b.keep(t.name, f.Value.Any())
		return
	}
	b.attribute(f)
}

func (b *builder) keep(name string, v any) {
	if b.company.Attributes == nil {
		b.company.Attributes = map[string]any{}
	}
	if s, ok := v.(string); ok {
		v = text.Clean(repair(s))
	}
	b.company.Attributes[text.Clean(name)] = v
}

func (b *builder) set(t target, f *source.Field) {
	c, v := b.company, &f.Value
	switch t.column {
	case colKey:
		c.ID = catalog.CompanyID(strings.TrimSpace(textOf(v)))
	case colID:
		if c.ID.IsZero() {
			s := strings.TrimSpace(textOf(v))
			c.ID = catalog.CompanyID(s)
			b.weakID = isNumber(s)
		}
		if t.register {
			b.attribute(f)
		}
	case colName:
		c.Name = repair(textOf(v))
		if c.Name != "" && !isLetterOrDigit(c.Name[0]) {
			c.Name = bullet.ReplaceAllString(c.Name, "")
		}
		if first, _, several := strings.Cut(c.Name, ";"); several && b.plan.contacts { // of a person at several companies
			c.Name = strings.TrimSpace(first)
			b.attribute(f)
		}
	case colDomain:
		b.domain(f)
	case colWebsite:
		b.website(f)
	case colLinkedIn:
		if c.LinkedInURL = companyPage(f.Name, textOf(v)); isProfile(c.LinkedInURL) {
			c.LinkedInURL = "" // of a person
			b.attribute(f)
		}
	case colDescription:
		c.Description = repair(textOf(v))
	case colCountry:
		c.Country = firstCountry(v)
		if _, ok := company.LookupCountry(c.Country); !ok && c.Country != "" { // kept as it is written, without a code
			b.item.unparsed = append(b.item.unparsed, unparsed{f.Name, shorten(c.Country)})
		}
	case colCountryCode:
		b.countryCode(f)
	case colState:
		if c.State = repair(textOf(v)); salesRegions[text.Fold(c.State)] {
			c.State = ""
			b.attribute(f)
		}
	case colCity:
		c.City = cityText(repair(textOf(v)))
		if _, isDistrict := cityOfDistrict(strings.TrimSpace(textOf(v))); isDistrict {
			b.attribute(f)
		}
		b.cityField, b.cityCodes = f, t.codes
	case colLocation:
		b.setLocation(t, f)
	case colPostal:
		b.postal = textOf(v)
		b.attribute(f)
	case colEmployees:
		b.employees(t, f)
	case colEmployeesMax:
		b.employeesMax(f)
	case colFounded:
		b.founded(t, f)
	case colConnections:
		b.connections(v)
	case colAttributes:
		b.attributes(f)
	default:
	}
}

// bullet begins an item of a list that was pasted as text.
var bullet = regexp.MustCompile(`^\s*[-*•‣·–]\s+`)

// domain reads the first of several domains, and keeps the others as an attribute.
func (b *builder) domain(f *source.Field) {
	all := addresses(textOf(&f.Value))
	first := all[0]
	domain, ok := company.CleanDomain(first)
	if ok && strings.ContainsAny(first, "/@") && !isWebmail(domain) {
		domain, ok = company.SiteDomain(first)
	}
	if !ok || !company.KnownSuffix(domain) { // such as Node.js or server.local
		b.keepUnparsed(f)
		return
	}
	b.company.Domain = domain
	b.domainField = f
	if len(all) > 1 {
		b.attribute(f)
	}
}

// addresses returns the addresses in a cell; at least one, which is the cell itself if it is not a list of addresses.
func addresses(s string) []string {
	s = strings.TrimSpace(s)
	if !strings.ContainsAny(s, ";|, \n\t") {
		return []string{s}
	}
	var all []string
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return strings.ContainsRune(";|, \n\r\t", r) }) {
		switch part = strings.Trim(part, "()[]<>\"'"); {
		case isAddress(part):
			all = append(all, part)
		case strings.ContainsFunc(part, unicode.IsLetter) && !addressWords[text.Fold(part)]:
			return []string{s}
		}
	}
	if len(all) == 0 {
		return []string{s}
	}
	return all
}

// addressWords may stand between addresses.
var addressWords = wordSet("and und et y e or oder also www http https")

func (b *builder) website(f *source.Field) {
	c := b.company
	all := addresses(textOf(&f.Value))
	c.Website = strings.TrimSpace(all[0])
	b.websiteField = f
	if len(all) > 1 {
		b.attribute(f)
	}
	if !strings.Contains(strings.ToLower(c.Website), "linkedin.") || isProfile(c.Website) {
		return
	}
	if host, ok := company.CleanDomain(c.Website); ok && c.LinkedInURL == "" && (host == "linkedin.com" || strings.HasSuffix(host, ".linkedin.com")) {
		c.LinkedInURL = companyPage(f.Name, c.Website)
	}
}

// dropForeignSites drops the addresses of mailboxes, pages on other companies' sites and public suffixes: companies with
// the same one would be taken for one company. They are kept as attributes.
func (b *builder) dropForeignSites() {
	c := b.company
	if host, ok := company.CleanDomain(c.Domain); ok && !isOwnSite(host, c.Name) {
		c.Domain = ""
		b.attributeIf(b.domainField)
	}
	host, ok := company.CleanDomain(c.Website)
	if !ok {
		return
	}
	if isWebmail(host) && (strings.Contains(c.Website, "@") || !isOwnSite(host, c.Name)) {
		c.Website = ""
		b.attributeIf(b.websiteField)
	}
}

func (b *builder) attributeIf(f *source.Field) {
	if f != nil {
		b.attribute(f)
	}
}

// firstCountry returns the first known country of a list, or the text as it is.
func firstCountry(v *source.Value) string {
	s := textOf(v)
	if _, ok := company.LookupCountry(s); ok {
		return s
	}
	for _, one := range listOf(v, true) {
		if c, ok := company.LookupCountry(one); ok {
			return c.Name
		}
	}
	return repair(footnote.ReplaceAllString(s, ""))
}

func (b *builder) setLocation(t target, f *source.Field) {
	l, more := parseLocation(repair(strings.Join(placesOf(&f.Value), ";")), t.codes)
	b.location, b.locationField = l, f
	if more || l.isEmpty() {
		b.attribute(f)
	}
}

func (b *builder) employees(t target, f *source.Field) {
	s := textOf(&f.Value)
	n, ranged, ok := b.headcounts.read(s)
	switch {
	case isNullNumber(s), n == 0 && ok && t.rank > 0 && !ranged: // 0 means unknown, except under the field's own name
	case !ok, n < 0, n > company.EmployeeCountMax:
		b.keepUnparsed(f)
	default:
		b.company.EmployeeCount = &n
		if ranged {
			b.keep("employee_range", text.Clean(s))
		}
	}
}

// employeesMax reads the upper bound of a range, whose lower bound has a column of its own.
func (b *builder) employeesMax(f *source.Field) {
	high, _, ok := b.headcounts.read(textOf(&f.Value))
	low := b.company.EmployeeCount
	if !ok || low == nil || *low > high || b.company.Attributes["employee_range"] != nil {
		b.attribute(f)
		return
	}
	b.keep("employee_range", fmt.Sprintf("%d-%d", *low, high))
}

func (b *builder) founded(t target, f *source.Field) {
	s := textOf(&f.Value)
	n, ok := year(s)
	if !ok && t.serials {
		n, ok = serialYear(s)
	}
	switch {
	case isNullNumber(s), strings.Trim(s, "0. ") == "":
	case !ok:
		b.keepUnparsed(f)
	default:
		b.company.FoundedYear = &n
		if len(strings.TrimSpace(s)) > len("2006-01-02T15:04:05Z07:00") || strings.Contains(s, "(") {
			b.attribute(f)
		}
	}
}

// countryCode reads a country's code, also that of a state or province ("us_mi", "US-MI"), as registers write where a company is
// registered.
func (b *builder) countryCode(f *source.Field) {
	c := b.company
	c.CountryCode = textOf(&f.Value)
	if _, ok := company.LookupCountry(c.CountryCode); ok {
		return
	}
	i := strings.IndexAny(c.CountryCode, "-_")
	if country, ok := company.LookupCountry(c.CountryCode[:max(0, i)]); ok && i == 2 {
		if st, ok := stateIn(country.Name, c.CountryCode[i+1:]); ok && c.State == "" && c.Country == "" && !isJurisdiction(f.Name) {
			c.State = st.name
		}
		c.CountryCode = country.Alpha2
		b.attribute(f)
		return
	}
	if c.Country == "" && c.CountryCode != "" {
		c.Country = c.CountryCode
		b.item.unparsed = append(b.item.unparsed, unparsed{f.Name, shorten(c.Country)})
	}
}

// keepUnparsed reports a value that could not be read, and keeps it as an attribute.
func (b *builder) keepUnparsed(f *source.Field) {
	b.item.unparsed = append(b.item.unparsed, unparsed{f.Name, shorten(textOf(&f.Value))})
	b.attribute(f)
}

// lists joins the columns of each list, in the order of their ranks.
func (b *builder) lists(all []listValue) {
	slices.SortStableFunc(all, func(a, b listValue) int { return cmp.Compare(a.rank, b.rank) })
	for _, l := range all {
		c, v := b.company, &l.field.Value
		switch l.column {
		case colIndustries:
			c.Industries = append(c.Industries, labels(listOf(v, l.commas))...)
		case colNAICS:
			for _, s := range listOf(v, true) {
				c.NAICSCodes = append(c.NAICSCodes, naicsCodes(s)...)
			}
		case colTechnologies:
			c.Technologies = append(c.Technologies, labels(listOf(v, l.commas))...)
		case colTechnologyCategories:
			c.TechnologyCategories = append(c.TechnologyCategories, labels(listOf(v, l.commas))...)
		case colRelation:
			if !b.relation(l.category, v) {
				b.attribute(l.field)
			}
		default:
		}
	}
}

// naicsRange is a sector that NAICS numbers with a range: 31-33 is manufacturing.
var naicsRange = regexp.MustCompile(`^(\d\d)\s*(?:-|–|to)\s*(\d\d)(?:\D.*)?$`)

// naicsCodes returns the codes of a text: each of a range of sectors, or the text as it is.
func naicsCodes(s string) []string {
	m := naicsRange.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return []string{s}
	}
	first, err1 := strconv.Atoi(m[1])
	last, err2 := strconv.Atoi(m[2])
	const sectorsMax = 3 // of one range
	if errors.Join(err1, err2) != nil || last <= first || last-first >= sectorsMax {
		return []string{s}
	}
	var codes []string
	for n := first; n <= last; n++ {
		codes = append(codes, strconv.Itoa(n))
	}
	return codes
}

// labels drops nulls, splits paths such as "Health -> Devices", and reads underscores as spaces.
func labels(texts []string) []string {
	out := make([]string, 0, len(texts))
	for _, s := range texts {
		for part := range strings.SplitSeq(s, "->") {
			if part = strings.TrimSpace(part); isNull(part) {
				continue
			}
			if strings.Contains(part, "_") && !strings.Contains(part, " ") {
				part = strings.ReplaceAll(part, "_", " ")
			}
			out = append(out, repair(part))
		}
	}
	return out
}

func (b *builder) attributes(f *source.Field) {
	members, ok := objectOf(&f.Value)
	if !ok {
		b.attribute(f)
		return
	}
	for name, v := range members {
		b.attribute(&source.Field{Name: name, Value: source.Value{Kind: source.Other, Other: v}})
	}
}

// finish cleans and validates the company and completes the item.
func (b *builder) finish() {
	if b.item.reason != "" {
		return
	}
	c := b.company
	if c.Name == "" && c.Domain == "" && c.Website == "" && c.ID.IsZero() {
		b.item.reason = ReasonEmpty
		return
	}
	b.settleLocation()
	b.dropForeignSites()
	c.Clean()
	if problem := validate(c); problem != "" {
		b.item.reason, b.item.detail = ReasonInvalid, problem
		return
	}
	in := catalog.Prepare(c)
	if b.weakID {
		in.Weaken()
	}
	if b.plan.contacts {
		in.AsContact()
	}
	b.item.company = &in
}

// settleLocation combines the columns of country, state and city with the location column and the postal code.
func (b *builder) settleLocation() {
	c := b.company
	country, known := company.LookupCountry(cmp.Or(c.Country, c.CountryCode))
	if c.Country == "" && c.CountryCode == "" && b.location.country != "" {
		c.Country = b.location.country
		country, known = company.LookupCountry(c.Country)
	}
	if c.State == "" {
		c.State = b.location.state
	}
	if c.City == "" {
		c.City = b.location.city
	}
	if c.City == "" && b.location.country == "Luxembourg" && country.Name == "Luxembourg" {
		c.City = "Luxembourg" // beside a column of countries it is the city
	}
	b.splitCity(country.Name)
	b.settleCode(country)
	name := country.Name
	if !known && c.Country == "" && c.CountryCode == "" {
		name = b.plan.country
	}
	if code, ok := strings.CutPrefix(c.State, country.Alpha2+"-"); ok && known {
		c.State = code // of ISO 3166-2: US-CA
	}
	st, ok := stateOfColumn(name, c.State)
	switch {
	case ok:
		c.State = st.name
		if !known && c.Country == "" && c.CountryCode == "" {
			c.Country = st.country
		}
	case known && isCode(c.State) && c.State != "":
		if b.plan.keep {
			b.keep("state_code", c.State)
		}
		c.State = ""
	}
	if c.State == "" && b.postal != "" {
		c.State = stateOfPostal(name, b.postal)
	}
}

// settleCode reads a code that may be a state's or a country's by the country that another column has. Without one it is
// reported.
func (b *builder) settleCode(country company.Country) {
	code := b.location.unclear
	if code == "" {
		return
	}
	st, isState := stateIn(country.Name, code)
	switch {
	case isState && b.company.State == "":
		b.company.State = st.name
	case !isState && country.Alpha2 != code:
		b.keepUnparsed(b.locationField)
	}
}

// splitCity splits a city that is followed by its state or region, and its country: "Austin, TX".
func (b *builder) splitCity(country string) {
	c := b.company
	parts := strings.Split(c.City, ",")
	if len(parts) < 2 {
		return
	}
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	n := len(parts)
	ending, ends := countryByName(parts[n-1])
	if ends && country != "" && ending != country {
		ends = false
	}
	if ends && n > 1 {
		if country == "" {
			country, c.Country = ending, ending
		}
		n--
	}
	st, isState := stateIn(country, parts[n-1])
	if country == "" {
		m, isCode := b.cityCodes.read(parts[:n-1], parts[n-1])
		switch {
		case n < 2 || !isCode:
			st, isState = anyState(parts[n-1])
		case m.unsure:
			b.location.unclear, b.locationField = parts[n-1], b.cityField
			ends, n = true, n-1
		case m.isState():
			st, isState = m.state, true
			c.Country = st.country
		default:
			c.Country = m.country
			ends, n = true, n-1
		}
	}
	switch {
	case n > 1 && isState:
		if c.State == "" {
			c.State = st.name
		}
		n--
	case n > 1 && ends && !isCode(parts[n-1]):
		if c.State == "" {
			c.State = parts[n-1]
		}
		n--
	case !ends:
		return
	}
	c.City = cityText(strings.Join(parts[:n], ", "))
}

// validate returns what is wrong with a company; empty if nothing is. It may lack a name if it has an id or domain, by which
// the catalog may know it.
func validate(c *company.Company) string {
	checked := *c
	if checked.Name == "" && (!c.ID.IsZero() || c.Domain != "") {
		checked.Name = "-"
	}
	err := checked.Validate()
	if err == nil {
		return ""
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return err.Error()
}

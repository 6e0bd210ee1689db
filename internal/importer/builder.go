package importer

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/importer/source"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/text"
)

// draft is a company while its record is read.
type draft struct {
	plan     *plan
	company  *company.Company
	item     *item
	postal   string
	location location
	weakID   bool // the id is only a number

	headcounts headcounts
}

// attribute keeps a value under the source's name for it, unless what fits no field is to be left out.
func (d *draft) attribute(f *source.Field) {
	if d.plan.keep {
		d.keep(f.Name, f.Value.Any())
	}
}

// attributeAs keeps a value under the name that was asked for.
func (d *draft) attributeAs(t target, f *source.Field) {
	if t.name != "" && t.side == 0 {
		d.keep(t.name, f.Value.Any())
		return
	}
	d.attribute(f)
}

func (d *draft) keep(name string, v any) {
	if d.company.Attributes == nil {
		d.company.Attributes = map[string]any{}
	}
	if s, ok := v.(string); ok {
		v = text.Clean(mend(s))
	}
	d.company.Attributes[text.Clean(name)] = v
}

func (d *draft) set(t target, f *source.Field) {
	c, v := d.company, &f.Value
	switch t.column {
	case colKey:
		c.ID = catalog.CompanyID(strings.TrimSpace(textOf(v)))
	case colID:
		if c.ID.IsZero() {
			s := strings.TrimSpace(textOf(v))
			c.ID = catalog.CompanyID(s)
			d.weakID = isNumber(s)
		}
	case colName:
		c.Name = mend(textOf(v))
	case colDomain:
		d.domain(f)
	case colWebsite:
		d.website(textOf(v))
	case colLinkedIn:
		c.LinkedInURL = textOf(v)
	case colDescription:
		c.Description = mend(textOf(v))
	case colCountry:
		c.Country = firstCountry(v)
	case colCountryCode:
		c.CountryCode = textOf(v)
		if _, ok := company.LookupCountry(c.CountryCode); !ok && c.Country == "" {
			c.Country = c.CountryCode
		}
	case colState:
		c.State = mend(textOf(v))
	case colCity:
		c.City = cityText(mend(textOf(v)))
	case colLocation:
		d.place(t, f)
	case colPostal:
		d.postal = textOf(v)
		d.attribute(f)
	case colEmployees:
		d.employees(t, f)
	case colFounded:
		d.founded(f)
	case colConnections:
		d.connections(v)
	case colAttributes:
		d.attributes(f)
	default:
	}
}

// domain takes the first of several, and leaves out what is somebody else's.
func (d *draft) domain(f *source.Field) {
	s := textOf(&f.Value)
	if i := strings.IndexAny(s, ";|, \n"); i > 0 {
		s = s[:i]
	}
	domain, ok := company.CleanDomain(s)
	if ok && strings.ContainsAny(s, "/@") {
		domain, ok = company.SiteDomain(s)
	}
	switch {
	case !ok:
		d.doubt(f)
	case !freeMail[domain]:
		d.company.Domain = domain
	}
}

// freeMail are hosts of mailboxes, which stand for a domain where it was cut off an address.
var freeMail = map[string]bool{
	"gmail.com": true, "googlemail.com": true, "yahoo.com": true, "hotmail.com": true, "outlook.com": true, "live.com": true,
	"aol.com": true, "icloud.com": true, "gmx.de": true, "gmx.net": true, "web.de": true, "proton.me": true, "protonmail.com": true,
	"qq.com": true, "163.com": true, "126.com": true, "mail.ru": true, "yandex.ru": true,
}

func (d *draft) website(s string) {
	c := d.company
	c.Website = strings.TrimSpace(s)
	if !strings.Contains(strings.ToLower(s), "linkedin.") {
		return
	}
	if host, ok := company.CleanDomain(s); ok && c.LinkedInURL == "" && (host == "linkedin.com" || strings.HasSuffix(host, ".linkedin.com")) {
		c.LinkedInURL = c.Website
	}
}

// firstCountry is the first country of a list, or the text as it is.
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
	return mend(footnote.ReplaceAllString(s, ""))
}

func (d *draft) place(t target, f *source.Field) {
	l, more := parseLocation(mend(strings.Join(listOf(&f.Value, false), ";")), t.codes)
	d.location = l
	if more || l.isEmpty() {
		d.attribute(f)
	}
}

func (d *draft) employees(t target, f *source.Field) {
	s := textOf(&f.Value)
	n, ranged, ok := d.headcounts.read(s)
	switch {
	case isNullNumber(s), n == 0 && ok && t.rank > 0: // only under our own name 0 is a number of employees
	case !ok, n < 0, n > company.EmployeeCountMax:
		d.doubt(f)
	default:
		d.company.EmployeeCount = &n
		if ranged {
			d.keep("employee_range", text.Clean(s))
		}
	}
}

func (d *draft) founded(f *source.Field) {
	s := textOf(&f.Value)
	n, ok := year(s)
	switch {
	case isNullNumber(s), strings.Trim(s, "0. ") == "":
	case !ok:
		d.doubt(f)
	default:
		d.company.FoundedYear = &n
		if len(strings.TrimSpace(s)) > len("2006-01-02T15:04:05Z07:00") || strings.Contains(s, "(") {
			d.attribute(f)
		}
	}
}

// doubt keeps a value that was not understood.
func (d *draft) doubt(f *source.Field) {
	d.item.doubts = append(d.item.doubts, doubt{f.Name, shorten(textOf(&f.Value))})
	d.attribute(f)
}

// lists adds up the columns of each list, in the order of their ranks.
func (d *draft) lists(all []listed) {
	slices.SortStableFunc(all, func(a, b listed) int { return cmp.Compare(a.rank, b.rank) })
	for _, l := range all {
		c, v := d.company, &l.field.Value
		switch l.column {
		case colIndustries:
			c.Industries = append(c.Industries, labels(listOf(v, l.commas))...)
		case colNAICS:
			c.NAICSCodes = append(c.NAICSCodes, listOf(v, true)...)
		case colTechnologies:
			c.Technologies = append(c.Technologies, labels(listOf(v, l.commas))...)
		case colTechnologyCategories:
			c.TechnologyCategories = append(c.TechnologyCategories, labels(listOf(v, l.commas))...)
		case colRelation:
			d.relation(l.category, v)
		default:
		}
	}
}

// labels takes nulls out, parts paths such as "Health -> Devices", and reads underscores as spaces.
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
			out = append(out, mend(part))
		}
	}
	return out
}

func (d *draft) attributes(f *source.Field) {
	members, ok := objectOf(&f.Value)
	if !ok {
		d.attribute(f)
		return
	}
	for name, v := range members {
		d.attribute(&source.Field{Name: name, Value: source.Value{Kind: source.Other, Other: v}})
	}
}

// finish cleans and checks the company and makes the item.
func (d *draft) finish() {
	if d.item.reason != "" {
		return
	}
	c := d.company
	if c.Name == "" && c.Domain == "" && c.Website == "" && c.ID.IsZero() {
		d.item.reason = ReasonEmpty
		return
	}
	d.settlePlace()
	c.Clean()
	if problem := validate(c); problem != "" {
		d.item.reason, d.item.detail = ReasonInvalid, problem
		return
	}
	in := catalog.Prepare(c)
	if d.weakID {
		in.Weaken()
	}
	d.item.company = &in
}

// settlePlace makes one of what the columns and the location say.
func (d *draft) settlePlace() {
	c := d.company
	country, known := company.LookupCountry(cmp.Or(c.Country, c.CountryCode))
	if c.Country == "" && c.CountryCode == "" && d.location.country != "" {
		c.Country = d.location.country
		country, known = company.LookupCountry(c.Country)
	}
	if c.State == "" {
		c.State = d.location.state
	}
	if c.City == "" {
		c.City = d.location.city
	}
	name := country.Name
	if !known && c.Country == "" && c.CountryCode == "" {
		name = d.plan.country
	}
	st, ok := stateIn(name, c.State)
	switch {
	case ok:
		c.State = st.name
		if !known && c.Country == "" && c.CountryCode == "" {
			c.Country = st.country
		}
	case known && isCode(c.State) && c.State != "":
		if d.plan.keep {
			d.keep("state_code", c.State)
		}
		c.State = ""
	}
	if c.State == "" && d.postal != "" {
		c.State = stateOfPostal(name, d.postal)
	}
}

// validate says what is wrong with a company; it may lack a name, for the catalog may know it by its id or domain.
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

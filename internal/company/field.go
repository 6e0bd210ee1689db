package company

import (
	"slices"
	"time"
)

// Field is a row of the table of fields. The access function for its Kind is set; fields of the other kinds are read from the
// Company directly.
type Field struct {
	Name  string // in JSON, in files and in filters
	Label string // for people
	Kind  Kind
	Doc   string // a description of the values

	Text func(*Company) *string
	List func(*Company) *[]string
	Int  func(*Company) **int64
	Time func(*Company) *time.Time

	CharsMax int   // the longest value of a text or a list, in characters
	Max      int64 // the largest value of an integer; the smallest is 0
}

// Kind is the type of a field's values.
type Kind uint8

// The kinds.
const (
	KindText Kind = iota
	KindList      // texts
	KindInteger
	KindTime
	KindID
	KindConnections
	KindAttributes
)

// Fields is the table of fields, in the order of the API and of files. Stored records have the texts, the lists, the
// integers and the times in this order too, so a new one comes last of its kind, with a new recordVersion.
var Fields = []Field{
	{Name: "id", Label: "ID", Kind: KindID, Doc: "The id of the company, which never changes."},
	textField("name", "Name", func(c *Company) *string { return &c.Name }).atMost(NameCharsMax).
		is("The name of the company."),
	textField("domain", "Domain", func(c *Company) *string { return &c.Domain }).
		is("Its domain, in lower case and without www; null if it is not known."),
	textField("website", "Website", func(c *Company) *string { return &c.Website }).
		is("The address of its website; null if it is not known."),
	textField("linkedin_url", "LinkedIn", func(c *Company) *string { return &c.LinkedInURL }).
		is("Its page on LinkedIn; null if it is not known."),
	textField("description", "Description", func(c *Company) *string { return &c.Description }).atMost(DescriptionCharsMax).
		is("What the company does, in the words of the source; null if it is not known."),
	textField("country", "Country", func(c *Company) *string { return &c.Country }).
		is("The common English name of its country; null if it is not known."),
	textField("country_code", "Country code", func(c *Company) *string { return &c.CountryCode }).
		is("ISO 3166-1 alpha-2 code of its country; null if it is not known."),
	textField("state", "State or region", func(c *Company) *string { return &c.State }).
		is("State or region of its address; null if it is not known."),
	textField("city", "City", func(c *Company) *string { return &c.City }).
		is("City of its address; null if it is not known."),
	listField("industries", "Industries", func(c *Company) *[]string { return &c.Industries }).
		is("The industries it works in."),
	listField("naics_codes", "NAICS codes", func(c *Company) *[]string { return &c.NAICSCodes }).
		is("NAICS codes of what it does."),
	listField("technologies", "Technologies", func(c *Company) *[]string { return &c.Technologies }).
		is("Technologies it uses."),
	listField("technology_categories", "Technology categories", func(c *Company) *[]string { return &c.TechnologyCategories }).
		is("Categories of these technologies."),
	intField("employee_count", "Employees", EmployeeCountMax, func(c *Company) **int64 { return &c.EmployeeCount }).
		is("How many people it employs; null if it is not known."),
	intField("founded_year", "Founded", YearMax, func(c *Company) **int64 { return &c.FoundedYear }).
		is("The year it was founded; null if it is not known."),
	{Name: "connections", Label: "Connections", Kind: KindConnections, Doc: "The company's outgoing connections."},
	{
		Name: "attributes", Label: "Other attributes", Kind: KindAttributes,
		Doc: "Source columns that map to no field, by their name in the source.",
	},
	timeField("created_at", "Added", func(c *Company) *time.Time { return &c.CreatedAt }).
		is("When the company was added to the catalog."),
	timeField("updated_at", "Updated", func(c *Company) *time.Time { return &c.UpdatedAt }).
		is("When its record last changed."),
}

func textField(name, label string, text func(*Company) *string) Field {
	return Field{Name: name, Label: label, Kind: KindText, Text: text, CharsMax: TextCharsMax}
}

func listField(name, label string, list func(*Company) *[]string) Field {
	return Field{Name: name, Label: label, Kind: KindList, List: list, CharsMax: TextCharsMax}
}

func intField(name, label string, most int64, value func(*Company) **int64) Field {
	return Field{Name: name, Label: label, Kind: KindInteger, Int: value, Max: most}
}

func timeField(name, label string, value func(*Company) *time.Time) Field {
	return Field{Name: name, Label: label, Kind: KindTime, Time: value}
}

func (f Field) atMost(chars int) Field {
	f.CharsMax = chars
	return f
}

func (f Field) is(doc string) Field {
	f.Doc = doc
	return f
}

// The fields of each kind that records hold, in the table's order.
var (
	textFields = fieldsOf(KindText)
	listFields = fieldsOf(KindList)
	intFields  = fieldsOf(KindInteger)
	timeFields = fieldsOf(KindTime)
)

func fieldsOf(k Kind) (fields []*Field) {
	for i := range Fields {
		if Fields[i].Kind == k {
			fields = append(fields, &Fields[i])
		}
	}
	return fields
}

// FieldNamed returns the field of a name, nil if there is none.
func FieldNamed(name string) *Field {
	i := slices.IndexFunc(Fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &Fields[i]
}

// Known reports whether the company has a value of the field.
func (f *Field) Known(c *Company) bool {
	switch f.Kind {
	case KindText:
		return *f.Text(c) != ""
	case KindList:
		return len(*f.List(c)) > 0
	case KindInteger:
		return *f.Int(c) != nil
	case KindTime:
		return !f.Time(c).IsZero()
	case KindID:
		return !c.ID.IsZero()
	case KindConnections:
		return len(c.Connections) > 0
	case KindAttributes:
		return len(c.Attributes) > 0
	}
	return false
}

// Knowable lists the names of the fields that a source may leave out: all but the id, the times and the attributes, which
// have whatever fits no field.
var Knowable = func() (names []string) {
	for i := range Fields {
		if f := &Fields[i]; f.isKnowable() {
			names = append(names, f.Name)
		}
	}
	return names
}()

func (f *Field) isKnowable() bool {
	return f.Kind != KindID && f.Kind != KindTime && f.Kind != KindAttributes
}

// KnownFields returns the names of the Knowable fields that the company has a value of.
func (c *Company) KnownFields() []string {
	names := make([]string, 0, len(Knowable))
	for i := range Fields {
		if f := &Fields[i]; f.isKnowable() && f.Known(c) {
			names = append(names, f.Name)
		}
	}
	return names
}

// Texts returns the company's known values of a text or a list as it spells them, nil for another kind.
func (f *Field) Texts(c *Company) []string {
	switch {
	case f.Kind == KindText && *f.Text(c) != "":
		return []string{*f.Text(c)}
	case f.Kind == KindList:
		return *f.List(c)
	}
	return nil
}

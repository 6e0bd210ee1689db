package query

import "slices"

// Param is a row of the table of filter parameters. Of the access functions, the one for its Kind is set.
type Param struct {
	Name    string
	Kind    Kind
	Field   Field  // what it reads of a company
	Exclude bool   // leaves out the companies that match
	Facet   string // what matches are counted by to choose values for it; empty if it is not chosen so
	Label   string // for people
	Hint    string // for people: what to type
	Doc     string
	Example string // a value, as JSON
	Max     int64  // the largest bound that makes sense, 0 for any
	All     bool   // a company must have every value; without it any of them
	Closed  bool   // Read accepts only values that exist, so none can be unknown to the index

	// Read returns what a value of KindValues means, or what is wrong with it. Values mean themselves without it.
	Read func(raw string) (value, problem string)
	// ValueLabel returns a value for people. Values are shown as they are without it.
	ValueLabel func(value string) string

	Text  func(*Filters) *string
	Texts func(*Filters) *[]string
	Int   func(*Filters) **int64
	Flag  func(*Filters) *bool
	Sets  func(*Filters) *[]SetRef
}

// Kind says how a parameter's values are read.
type Kind uint8

// The kinds of parameters.
const (
	KindWords       Kind = iota // a text: every word and every quoted phrase must occur
	KindPhrases                 // texts: any of them, as a phrase
	KindValues                  // texts: the field's values
	KindCodes                   // NAICS codes: any of the field's values that begins with one
	KindMin                     // the lower bound of a number
	KindMax                     // the upper bound of the number
	KindConnections             // ConnectionFilters
	KindSets                    // SetRefs: any of them
	KindSince                   // a time or the id of an export: what is newer
	KindFlag                    // whether to read the text of the same field in another way
)

// ParamNamed returns the parameter of a name, nil if there is none.
func ParamNamed(name string) *Param {
	return findParam(func(p Param) bool { return p.Name == name })
}

// Opposite returns the exclusion of a filter, or the filter of an exclusion; nil if there is none.
func (p *Param) Opposite() *Param {
	return findParam(func(o Param) bool { return o.Field == p.Field && o.Kind == p.Kind && o.Exclude != p.Exclude })
}

// ParamsOf returns the parameters that read the field, in the table's order.
func ParamsOf(f Field) (params []*Param) {
	for i := range Params {
		if Params[i].Field == f {
			params = append(params, &Params[i])
		}
	}
	return params
}

// IsSet reports whether the filters have a value of the parameter.
func (p *Param) IsSet(f *Filters) bool {
	switch {
	case p.Text != nil:
		return *p.Text(f) != ""
	case p.Texts != nil:
		return len(*p.Texts(f)) > 0
	case p.Int != nil:
		return *p.Int(f) != nil
	case p.Flag != nil:
		return *p.Flag(f)
	case p.Sets != nil:
		return len(*p.Sets(f)) > 0
	}
	return len(f.Connections) > 0
}

// Clear takes the parameter out of the filters.
func (p *Param) Clear(f *Filters) {
	switch {
	case p.Text != nil:
		*p.Text(f) = ""
	case p.Texts != nil:
		*p.Texts(f) = nil
	case p.Int != nil:
		*p.Int(f) = nil
	case p.Flag != nil:
		*p.Flag(f) = false
	case p.Sets != nil:
		*p.Sets(f) = nil
	default:
		f.Connections = nil
	}
}

func findParam(is func(Param) bool) *Param {
	i := slices.IndexFunc(Params, is)
	if i < 0 {
		return nil
	}
	return &Params[i]
}

package view

import (
	"cmp"
	"strings"

	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/text"
)

// Chip is one filter of a search, with the address of the search without it.
type Chip struct {
	Name, Value string
	Out         bool
	Without     string
}

// Chips returns the filters of the form in the order of query.Params.
func (w *SearchForm) Chips(page string) (chips []Chip) {
	for i := range query.Params {
		p := &query.Params[i]
		switch {
		case !p.IsSet(&w.Filters):
		case p.Text != nil:
			chips = append(chips, Chip{p.Label, *p.Text(&w.Filters), p.Exclude, w.At(page, p.Name, "")})
		case p.Texts != nil:
			for _, value := range *p.Texts(&w.Filters) {
				chips = append(chips, Chip{p.Label, LabelOf(p.Name, value), p.Exclude, w.without(page, p.Name, value)})
			}
		case p.Int != nil:
			chips = append(chips, Chip{p.Label, bound(*p.Int(&w.Filters)), p.Exclude, w.At(page, p.Name, "")})
		case p.Sets != nil:
			for _, ref := range *p.Sets(&w.Filters) {
				chips = append(chips, Chip{p.Label, text.Short(SetName(ref, w.SetNames)), p.Exclude, w.without(page, p.Name, SetText(ref))})
			}
		case p.Flag != nil: // says how the text is read, which has a chip
		default:
			for _, c := range w.Connections {
				chips = append(chips, Chip{
					cmp.Or(c.Category, p.Label), cmp.Or(c.ConnectedDomain, c.ConnectedCompanyID, "any"), p.Exclude,
					w.without(page, p.Name, connectionText(c)),
				})
			}
		}
	}
	if !w.NotOn.IsZero() {
		chips = append(chips, Chip{"Not on list", cmp.Or(w.NotOnName, "a list"), true, w.At(page, "not_on", "")})
	}
	return chips
}

// saysLittle are the labels of filters whose values say little without them.
var saysLittle = map[string]bool{
	"Employees from": true, "Employees to": true, "Founded from": true, "Founded to": true, "Has": true, "NAICS code": true,
	"Added since": true, "Changed since": true,
}

// summary names the search in a few words, at most 100 characters.
func (w *SearchForm) summary() string {
	var words []string
	for _, c := range w.Chips("") {
		word := c.Value
		switch {
		case c.Out:
			word = "not " + word
		case saysLittle[c.Name] || c.Value == "any":
			word = c.Name + " " + word
		}
		words = append(words, word)
	}
	if name := showNames[w.Show]; name != "" {
		words = append(words, name)
	}
	return text.Start(strings.Join(words, ", "), 100)
}

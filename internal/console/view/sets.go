package view

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/text"
)

// SetGroup is the sets of one kind that can be chosen by name.
type SetGroup struct {
	Title string
	Sets  []SetChoice
	More  bool // there are more than these
}

// SetChoice is a set that can be chosen.
type SetChoice struct {
	Text  string // as an address writes it
	Name  string
	About string // its kind, size and day, which tell sets of one name apart
}

// Label returns the name with its kind, size and day. It is the same for every reader, because a form sends it back.
func (c SetChoice) Label() string {
	if c.About == "" {
		return c.Name
	}
	return text.Start(c.Name, 60) + " (" + c.About + ")"
}

// PlainCompanies writes a number of companies in the same way for every reader.
func PlainCompanies(n int) string { return Companies(context.Background(), n) }

// Sets is the page on which sets are chosen for a search.
type Sets struct {
	*SearchForm
	Groups   []SetGroup
	Contains string // what the names contain
}

// chosen reports whether the parameter in or not_in has the set.
func (v *Sets) chosen(param, set string) bool { return slices.Contains(v.Values()[param], set) }

// AddChosen adds a group of the chosen sets that the others do not have, such as deleted ones, so that they can be taken out.
func (v *Sets) AddChosen() {
	chosen := SetGroup{Title: "Chosen"}
	for _, refs := range [][]query.SetRef{v.In, v.NotIn} {
		for _, ref := range refs {
			c := SetChoice{Text: SetText(ref), Name: SetName(ref, v.SetNames)}
			if !slices.ContainsFunc(append(v.Groups, chosen), func(g SetGroup) bool { return g.has(c.Text) }) {
				chosen.Sets = append(chosen.Sets, c)
			}
		}
	}
	if len(chosen.Sets) > 0 {
		v.Groups = slices.Insert(v.Groups, 0, chosen)
	}
}

func (g SetGroup) has(set string) bool {
	return slices.ContainsFunc(g.Sets, func(c SetChoice) bool { return c.Text == set })
}

// isEmpty reports whether there is nothing to choose.
func (v *Sets) isEmpty() bool {
	return !slices.ContainsFunc(v.Groups, func(g SetGroup) bool { return len(g.Sets) > 0 })
}

// rest returns the parameters of the search that the boxes of the page do not send.
func (v *Sets) rest() url.Values {
	rest := v.Values()
	for _, param := range []string{"in", "not_in"} {
		rest[param] = slices.DeleteFunc(rest[param], func(set string) bool {
			return slices.ContainsFunc(v.Groups, func(g SetGroup) bool { return g.has(set) })
		})
	}
	return rest
}

// hasMore reports whether there are sets that the page does not show.
func (v *Sets) hasMore() bool {
	return slices.ContainsFunc(v.Groups, func(g SetGroup) bool { return g.More })
}

// ComparedMax is how many sets the page compares.
const ComparedMax = 3

// Compare is the page that compares two or three sets.
type Compare struct {
	Sets     []ComparedSet
	Offered  []SetChoice // for the fields
	More     bool        // there are more than those
	Problems []Problem
	Found    *search.Compared // nil if there are fewer than two sets, or errors
}

// ComparedSet is a set that is compared, or a name that may mean several.
type ComparedSet struct {
	Ref     query.SetRef
	Text    string // as an address writes it; empty if only Typed is known
	Name    string
	Label   string // what the field has; empty if the set is not stored under a name
	Gone    bool   // it was deleted
	Typed   string
	Choices []SetChoice // what Typed may mean
}

// Refs returns the sets that are known.
func (v *Compare) Refs() (refs []query.SetRef) {
	for _, s := range v.Sets {
		if s.Text != "" {
			refs = append(refs, s.Ref)
		}
	}
	return refs
}

// SetNames sets the names of the sets; names are those of stored sets, by their text in an address.
func (v *Compare) SetNames(names map[string]string) {
	for i := range v.Sets {
		s := &v.Sets[i]
		s.Name = SetName(s.Ref, names)
		s.Gone = s.Text != "" && s.Name == DeletedName(s.Ref)
	}
}

// Deleted returns an error for each set that was deleted.
func (v *Compare) Deleted() (errs []fault.FieldError) {
	for i, s := range v.Sets {
		if s.Gone {
			errs = append(errs, fault.FieldError{Field: "set[" + strconv.Itoa(i) + "]", Message: SetName(s.Ref, nil) + " was deleted; choose another set"})
		}
	}
	return errs
}

// offeredBytes is about how many bytes of labels the fields offer.
const offeredBytes = 15_000

// Offer sets what the fields offer: the newest of each kind in turn, as many as a page should have. Any other name can be typed.
func (v *Compare) Offer(stored []SetGroup) {
	bytes := 0
	for i, left := 0, true; left && !v.More; i++ {
		left = false
		for _, g := range stored {
			if i >= len(g.Sets) {
				continue
			}
			if left = true; bytes > offeredBytes {
				v.More = true
				break
			}
			v.Offered = append(v.Offered, g.Sets[i])
			bytes += len(g.Sets[i].Label())
		}
	}
	for _, g := range stored {
		for _, c := range g.Sets {
			for i := range v.Sets {
				if v.Sets[i].Text == c.Text {
					v.Sets[i].Label = c.Label()
				}
			}
		}
	}
}

// SetLabel returns what the page calls a set by its position.
func SetLabel(i int) string { return "Set " + letters[i] }

// letters are what the picture calls the sets.
var letters = []string{"A", "B", "C"}

// fields returns the sets, and empty ones up to the most that can be compared.
func (v *Compare) fields() []ComparedSet {
	return append(slices.Clip(v.Sets), make([]ComparedSet, ComparedMax-len(v.Sets))...)
}

// At returns the address of the comparison.
func (v *Compare) At(page string) string { return v.with(page, -1, "") }

// with returns the address of the comparison with another set at a position; without one if it is empty.
func (v *Compare) with(page string, at int, set string) string {
	values := url.Values{}
	for i, s := range v.Sets {
		given := cmp.Or(s.Text, s.Typed)
		if i == at {
			given = set
		}
		if given != "" {
			values.Add("set", given)
		}
	}
	return withQuery(page, values)
}

// choicesShown is how many sets a page offers for a name that means several.
const choicesShown = 20

// region is the companies in some of the sets and in no other.
type region struct {
	search.Credits
	Label string
	In    string // the set, as an address writes it
	X, Y  int    // the centre of its place in the picture
}

func (r region) count() int { return r.AlreadyUnlocked + r.NewCount }

// price is the price of the region in words.
func (r region) price(ctx context.Context) string {
	if r.NewCount == 0 {
		return "free"
	}
	return Plural(ctx, r.NewCount, "credit", "credits")
}

// export says what an export of the region buys, which is a part of it if it is larger than a file.
func (r region) export(ctx context.Context) string {
	if r.count() > export.RowsMax {
		return "Export the first " + Count(ctx, export.RowsMax)
	}
	return "Export, " + r.price(ctx)
}

// circle is a set in the picture, with the place of its letter.
type circle struct{ X, Y, LetterX, LetterY int }

// The picture: circles of one radius, and the places of the regions by the bits of their sets.
const circleRadius = 150

var (
	twoCircles   = []circle{{230, 180, 105, 40}, {390, 180, 515, 40}}
	threeCircles = []circle{{220, 180, 95, 40}, {400, 180, 525, 40}, {310, 335, 470, 470}}
	twoPlaces    = [][2]int{1: {150, 180}, 2: {470, 180}, 3: {310, 180}}
	threePlaces  = [][2]int{1: {140, 150}, 2: {480, 150}, 3: {310, 115}, 4: {310, 425}, 5: {208, 285}, 6: {412, 285}, 7: {310, 232}}
)

func (v *Compare) circles() []circle {
	if len(v.Sets) == 2 {
		return twoCircles
	}
	return threeCircles
}

// height is the height of the picture, whose width is 620.
func (v *Compare) height() int {
	last := v.circles()[len(v.Sets)-1]
	return last.Y + circleRadius + 10
}

// regions returns the regions in the order of their bits.
func (v *Compare) regions() (regions []region) {
	places := twoPlaces
	if len(v.Sets) == 3 {
		places = threePlaces
	}
	for bits, credits := range v.Found.Regions {
		if bits == 0 {
			continue
		}
		regions = append(regions, region{
			Credits: credits, Label: regionLabel(bits, len(v.Sets)), In: SetText(search.RegionSet(bits, v.Refs())),
			X: places[bits][0], Y: places[bits][1],
		})
	}
	return regions
}

// regionLabel names a region by the letters of its sets.
func regionLabel(bits, sets int) string {
	var in, out []string
	for i := range sets {
		if bits>>i&1 == 1 {
			in = append(in, letters[i])
		} else {
			out = append(out, letters[i])
		}
	}
	switch {
	case len(out) == 0:
		return "in " + strings.Join(in, " and ")
	case len(in) == 1:
		return "only in " + in[0]
	}
	return "in " + strings.Join(in, " and ") + ", not in " + out[0]
}

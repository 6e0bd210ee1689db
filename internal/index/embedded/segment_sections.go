package embedded

import (
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/opencapi/capi/internal/query"
)

// section is one flat slice of a segment, as stored in a file.
type section struct {
	group group
	name  string
	data  flat
}

// flat is a slice that is stored in a file as it is in memory.
type flat interface {
	bytes() []byte
	set(p []byte) error // uses p, aligned to 8 bytes, as the slice's memory
	drop()
}

type flatOf[T uint8 | uint16 | occurrence | uint32 | uint64 | int64] struct{ slice *[]T }

func (f flatOf[T]) size() int {
	var one T
	return int(unsafe.Sizeof(one))
}

func (f flatOf[T]) bytes() []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(*f.slice))), len(*f.slice)*f.size())
}

func (f flatOf[T]) set(p []byte) error {
	if len(p)%f.size() != 0 {
		return fmt.Errorf("%d bytes are not a multiple of %d", len(p), f.size())
	}
	if len(p) == 0 {
		*f.slice = nil
		return nil
	}
	*f.slice = unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(p))), len(p)/f.size())
	return nil
}

func (f flatOf[T]) drop() { *f.slice = nil }

// sections returns all slices of a segment, in the order of the file. scalars stands for the values that are not slices.
func (s *segment) sections(scalars *[]uint64) []section {
	all := make([]section, 0, sectionCount)
	add := func(g group, name string, data flat) { all = append(all, section{g, name, data}) }
	addDict := func(g group, name string, d *dict) {
		add(g, name+" keys", flatOf[byte]{&d.bytes})
		add(g, name+" ends", flatOf[uint32]{&d.ends})
	}
	addPostings := func(g group, name string, p *postings) {
		add(g, name+" starts", flatOf[uint32]{&p.starts})
		add(g, name+" offsets", flatOf[uint32]{&p.offsets})
		add(g, name+" lists", flatOf[uint32]{&p.lists})
		add(g, name+" sets", flatOf[uint64]{&p.sets})
	}
	add(groupLayout, "scalars", flatOf[uint64]{scalars})
	add(groupLayout, "numbers", flatOf[uint32]{&s.numbers})
	add(groupLayout, "holes", flatOf[uint32]{&s.holes})
	add(groupLayout, "frequent values", flatOf[uint32]{&s.rows.frequent})
	for f := range s.values {
		v, g, name := &s.values[f], keysOf(field(f)), field(f).String()
		addDict(g, name, &v.dict)
		add(g, name+" spellings", flatOf[byte]{&v.spellings.bytes})
		add(g, name+" spelling ends", flatOf[uint32]{&v.spellings.ends})
		add(g, name+" spelling counts", flatOf[uint32]{&v.spellings.counts})
		add(g, name+" spelling starts", flatOf[uint32]{&v.spellings.starts})
		addPostings(holdersOf(field(f)), name, &v.postings)
	}
	addDict(groupWords, "word", &s.words.dict)
	addPostings(groupWords, "word", &s.words.postings)
	add(groupWords, "word occurrences", flatOf[occurrence]{&s.words.occurrences})
	add(groupWords, "texts", flatOf[uint32]{&s.words.stream})
	add(groupWords, "text ends", flatOf[uint32]{&s.words.ends})
	add(groupWords, "name lengths", flatOf[uint8]{&s.words.nameLen})
	addDict(groupLinks, "target", &s.links.targets)
	add(groupLinks, "target starts", flatOf[uint32]{&s.links.starts})
	add(groupLinks, "target slots", flatOf[uint32]{&s.links.slots})
	add(groupLinks, "target categories", flatOf[uint8]{&s.links.categories})
	add(groupLinks, "targets by id", flatOf[uint32]{&s.links.byID})
	for f := range s.ints {
		add(intsOf(intField(f)), intField(f).String(), flatOf[int64]{&s.ints[f].values})
		add(intsOf(intField(f)), intField(f).String()+" order", flatOf[uint32]{&s.ints[f].order})
		add(intsOf(intField(f)), intField(f).String()+" value starts", flatOf[uint64]{(*[]uint64)(&s.ints[f].valueStarts)})
	}
	add(groupNames, "names", flatOf[byte]{&s.names.bytes})
	add(groupNames, "name ends", flatOf[uint32]{&s.names.ends})
	add(groupNames, "name order", flatOf[uint32]{&s.names.order})
	add(groupNames, "name value starts", flatOf[uint64]{(*[]uint64)(&s.names.valueStarts)})
	add(groupDomains, "domains", flatOf[byte]{&s.domains.bytes})
	add(groupDomains, "domain ends", flatOf[uint32]{&s.domains.ends})
	add(groupDomains, "domain order", flatOf[uint32]{&s.domains.order})
	add(groupDomains, "domain value starts", flatOf[uint64]{(*[]uint64)(&s.domains.valueStarts)})
	add(groupRows, "rows", flatOf[uint64]{&s.rows.cells})
	add(groupRows, "row overflow slots", flatOf[uint32]{&s.rows.overflow.slots})
	add(groupRows, "row overflow ends", flatOf[uint32]{&s.rows.overflow.ends})
	add(groupRows, "row overflow", flatOf[uint64]{&s.rows.overflow.words})
	add(groupRows, "cities", flatOf[uint32]{&s.rows.city})
	add(groupTotals, "totals", flatOf[uint32]{&s.rows.totals})
	add(groupTotals, "city totals", flatOf[uint32]{&s.rows.cityTotals})
	return all
}

// sectionCount is the number of sections of every segment.
const sectionCount = 4 + int(fieldCount)*10 + 10 + 6 + int(intCount)*3 + 4 + 4 + 7

// scalarCount is the number of scalars: slots, base, whether numbers are listed, total words of names and of descriptions,
// and the rows' first ids.
const scalarCount = 5 + int(rowFields) + 1

func (s *segment) scalars() []uint64 {
	listed := uint64(0)
	if s.numbers != nil {
		listed = 1
	}
	all := []uint64{uint64(s.slots), uint64(s.base), listed, s.words.nameTokens, s.words.descriptionTokens}
	for _, id := range s.rows.first {
		all = append(all, uint64(id))
	}
	return all
}

// setScalars sets the values that are not slices, and checks that the lengths of all slices are consistent. It reads no
// section but the scalars.
func (s *segment) setScalars(scalars []uint64) error {
	if len(scalars) != scalarCount {
		return fmt.Errorf("%d scalars instead of %d", len(scalars), scalarCount)
	}
	if scalars[0] == 0 || scalars[0] > 1<<32 || scalars[1] > 1<<32-1 || scalars[2] > 1 {
		return fmt.Errorf("impossible scalars %v", scalars)
	}
	s.slots, s.base = int(scalars[0]), uint32(scalars[1])
	s.words.nameTokens, s.words.descriptionTokens = scalars[3], scalars[4]
	var sizes [rowFields]int
	for f := range sizes {
		sizes[f] = s.values[f].len()
	}
	want := newRows(sizes)
	for f, id := range scalars[5:] {
		if uint64(want.first[f]) != id {
			return errors.New("rows do not match their values")
		}
	}
	s.rows.first, s.rows.wide = want.first, want.wide
	s.words.slots = s.slots
	for f := range s.values {
		s.values[f].slots = s.slots
	}
	return s.checkLengths(scalars[2] == 1)
}

// checkLengths checks the lengths of the slices against each other.
func (s *segment) checkLengths(listed bool) error {
	type pair struct {
		name      string
		got, want int
	}
	pairs := []pair{
		{"word starts", len(s.words.starts), s.words.len() + 1},
		{"word offsets", len(s.words.offsets), s.words.len()},
		{"text ends", len(s.words.ends), s.slots},
		{"name lengths", len(s.words.nameLen), s.slots},
		{"target starts", len(s.links.starts), s.links.targets.len() + 1},
		{"name ends", len(s.names.ends), s.slots},
		{"name value starts", len(s.names.valueStarts), wordsFor(len(s.names.order))},
		{"domain ends", len(s.domains.ends), s.slots},
		{"domain value starts", len(s.domains.valueStarts), wordsFor(len(s.domains.order))},
		{"rows", len(s.rows.cells), s.slots * max(s.rows.width(), s.rows.bitWords())},
		{"row overflow ends", len(s.rows.overflow.ends), len(s.rows.overflow.slots)},
		{"cities", len(s.rows.city), s.slots},
		{"totals", len(s.rows.totals), s.rows.ids()},
		{"city totals", len(s.rows.cityTotals), s.values[fieldCity].len() + 1},
	}
	if listed {
		pairs = append(pairs, pair{"numbers", len(s.numbers), s.slots})
	} else {
		pairs = append(pairs, pair{"numbers", len(s.numbers), 0})
	}
	for f := range s.ints {
		pairs = append(pairs, pair{intField(f).String(), len(s.ints[f].values), s.slots},
			pair{intField(f).String() + " value starts", len(s.ints[f].valueStarts), wordsFor(len(s.ints[f].order))})
	}
	for f := range s.values {
		v, name := &s.values[f], field(f).String()
		pairs = append(pairs,
			pair{name + " starts", len(v.starts), v.len() + 1}, pair{name + " offsets", len(v.offsets), v.len()},
			pair{name + " spellings", len(v.spellings.counts), len(v.spellings.ends)})
		if v.len() > 0 {
			pairs = append(pairs, pair{name + " spelling starts", len(v.spellings.starts), v.len() + 1})
		}
	}
	if width := len(s.links.categories) / max(1, len(s.links.slots)); width != 1 && width != 2 && width != 4 && len(s.links.slots) > 0 ||
		len(s.links.categories) != width*len(s.links.slots) {
		return fmt.Errorf("target categories: %d bytes for %d", len(s.links.categories), len(s.links.slots))
	}
	for _, p := range pairs {
		if p.got != p.want {
			return fmt.Errorf("%s: %d instead of %d", p.name, p.got, p.want)
		}
	}
	if !listed && uint64(s.base)+uint64(s.slots) > 1<<32 || s.base%64 != 0 || len(s.holes) >= s.slots {
		return errors.New("slots do not match their numbers")
	}
	if !slices.IsSorted(s.holes) || len(s.holes) > 0 && int(s.holes[len(s.holes)-1]) >= s.slots {
		return errors.New("holes are not valid slots")
	}
	if all := s.rows.frequent; len(all) > bitsMax || !ascending(all, true) || !below(all, s.rows.ids()) {
		return errors.New("frequent values are not valid")
	}
	return nil
}

// group is a set of sections that are verified together before their first use.
type group uint8

const (
	groupLayout group = iota
	groupTotals
	groupRows
	groupNames
	groupDomains
	groupLinks
	groupWords
	groupInts                                  // one group for each intField
	groupKeys    = groupInts + group(intCount) // one group for each field: its values and their spellings
	groupHolders = groupKeys + group(fieldCount)
	groupCount   = groupHolders + group(fieldCount)
)

func intsOf(f intField) group { return groupInts + group(f) }
func keysOf(f field) group    { return groupKeys + group(f) }
func holdersOf(f field) group { return groupHolders + group(f) } // the slots that have each value

// groups is a set of groups.
type groups uint64

const allGroups groups = 1<<groupCount - 1

func groupSet(all ...group) (g groups) {
	for _, one := range all {
		g |= 1 << one
	}
	return g
}

func (g groups) has(one group) bool { return g>>one&1 != 0 }

// openingGroups returns the groups that are read when a segment is added to an index.
func openingGroups() groups {
	g := groupSet(groupLayout)
	for f := range facetFields {
		g |= groupSet(keysOf(f))
	}
	return g
}

// groupsOf returns the groups that are read to evaluate the node.
func groupsOf(n query.Node) (g groups) {
	switch n := n.(type) {
	case query.And:
		for _, part := range n {
			g |= groupsOf(part)
		}
	case query.Or:
		for _, part := range n {
			g |= groupsOf(part)
		}
	case query.Not:
		g = groupsOf(n.Node)
	case query.Within:
		g = groupsOf(n.Node)
	case query.OneOf:
		g = groupsOfField(n.Field)
	case query.Prefix:
		g = groupsOfField(n.Field)
	case query.Range:
		if f, ok := intFieldOf(n.Field); ok {
			g = groupSet(intsOf(f))
		}
	case query.Term, query.Phrase, query.Word:
		g = groupSet(groupWords)
	case query.Domain:
		g = groupSet(groupDomains)
	case query.Connected:
		g = groupSet(groupLinks, keysOf(fieldConnectionCategory), holdersOf(fieldConnectionCategory))
	}
	return g
}

func groupsOfField(of query.Field) groups {
	if f, ok := fieldOf(of); ok {
		return groupSet(keysOf(f), holdersOf(f))
	}
	if of == query.FieldConnectedDomain || of == query.FieldConnectedCompany {
		return groupSet(groupLinks)
	}
	return 0
}

func groupsOfSort(by query.Sort) groups {
	switch by.By {
	case query.ByRelevance:
		return groupSet(intsOf(intEmployees)) // and those of the query's words and domains, which it reads anyway
	case query.ByName:
		return groupSet(groupNames)
	default:
		return groupSet(intsOf(intOf(by.By)))
	}
}

// groups returns the groups that counting always reads.
func (a *facetRequest) groups() (g groups) {
	if a.limit == 0 {
		return 0
	}
	for f := range facetFields {
		if a.fields[f] {
			g |= groupSet(groupTotals, keysOf(f))
		}
	}
	return g
}

// groupsOfRows returns the groups that counting reads if not all slots of a segment match.
func (a *facetRequest) groupsOfRows() groups {
	g := groupSet(groupRows)
	for f := range facetFields {
		if a.fields[f] {
			g |= groupSet(holdersOf(f))
		}
	}
	return g
}

package embedded

import (
	"slices"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/query"
)

// none marks a slot, an id or an offset that does not exist.
const none = ^uint32(0)

// segment is an immutable index of some companies. Each company has a slot; slots are in ascending order of company numbers.
// Every section is a flat slice without pointers.
type segment struct {
	slots   int
	base    uint32   // the number of slot 0, a multiple of 64; used if numbers is nil
	numbers []uint32 // the number of each slot; nil if slot i has number base+i
	holes   []uint32 // slots without a company, ascending

	words  words
	values [fieldCount]values
	rows   rows
	links  links
	ints   [intCount]ints
	names  names
	// The domains in lower case.
	domains names

	// Derived when the segment is added to an index:
	globalIDs  globalIDs
	isFrequent bitset // by row id: the values that are bits of a row

	tombstoneCache tombstoneCache
	slotSetCache   slotSetCache // the companies of workspaces, as slots

	file *file // the file that the slices are views of; nil if they are on the heap
}

// companies returns the number of slots that have a company.
func (s *segment) companies() int { return s.slots - len(s.holes) }

func (s *segment) number(slot uint32) uint32 {
	if s.numbers == nil {
		return s.base + slot
	}
	return s.numbers[slot]
}

// slotFrom returns the first slot whose number is at least n, or the number of slots if all numbers are lower.
func (s *segment) slotFrom(n uint32) uint32 {
	if s.numbers != nil {
		i, _ := slices.BinarySearch(s.numbers, n)
		return uint32(i)
	}
	if n <= s.base {
		return 0
	}
	return min(n-s.base, uint32(s.slots))
}

// slot returns the company's slot. It reports true for every number that has a slot, also for a hole.
func (s *segment) slot(n company.Number) (uint32, bool) {
	at := s.slotFrom(uint32(n))
	return at, int(at) < s.slots && s.number(at) == uint32(n)
}

// layout assigns slots to companies in ascending order of their numbers. If the numbers are dense, every number in their
// range gets a slot: slots and numbers then differ by a constant, and sets can be translated by copying words.
type layout struct {
	slots   int
	base    uint32
	numbers []uint32
	holes   []uint32
	slotOf  []uint32 // of each company, in the given order
}

func newLayout(numbers []uint32) layout {
	if len(numbers) == 0 {
		return layout{}
	}
	base := numbers[0] &^ 63
	span := int(numbers[len(numbers)-1]-base) + 1
	l := layout{slots: len(numbers), slotOf: make([]uint32, len(numbers))}
	if span > len(numbers)+len(numbers)/3 {
		l.numbers = numbers
		for i := range l.slotOf {
			l.slotOf[i] = uint32(i)
		}
		return l
	}
	l.slots, l.base = span, base
	next := uint32(0)
	for i, n := range numbers {
		for ; next < n-base; next++ {
			l.holes = append(l.holes, next)
		}
		l.slotOf[i] = next
		next++
	}
	return l
}

// field is one of the segment's indexed fields.
type field uint8

const (
	fieldCountry field = iota
	fieldState
	fieldIndustry
	fieldTechnology
	fieldCategory // of technologies
	fieldKnown    // the names of the fields with a known value
	fieldSector   // the first two digits of a NAICS code
	fieldBand     // of employee counts
	fieldDecade   // of founding years
	fieldCity     // has too many values for the rows, so it is a column
	fieldNAICS
	fieldConnectionCategory // the category of a connection
	fieldCount

	rowFields   = fieldCity     // the fields before it are stored in rows
	facetFields = fieldCity + 1 // the fields before it are counted
)

// fieldOf returns the field that a query's field refers to; false if it is not one of values.
func fieldOf(f query.Field) (field, bool) {
	switch f {
	case query.FieldCountry:
		return fieldCountry, true
	case query.FieldState:
		return fieldState, true
	case query.FieldCity:
		return fieldCity, true
	case query.FieldIndustry:
		return fieldIndustry, true
	case query.FieldNAICS:
		return fieldNAICS, true
	case query.FieldTechnology:
		return fieldTechnology, true
	case query.FieldTechnologyCategory:
		return fieldCategory, true
	case query.FieldKnown:
		return fieldKnown, true
	case query.FieldConnectionCategory:
		return fieldConnectionCategory, true
	case query.FieldEmployeeCount, query.FieldFoundedYear, query.FieldConnectedDomain, query.FieldConnectedCompany,
		query.FieldText, query.FieldDomain, query.FieldConnection, query.FieldSet:
	}
	return 0, false
}

// intField is one of the segment's number columns.
type intField uint8

const (
	intEmployees intField = iota
	intFounded
	intUpdated
	intCount
)

func intFieldOf(f query.Field) (intField, bool) {
	switch f {
	case query.FieldEmployeeCount:
		return intEmployees, true
	case query.FieldFoundedYear:
		return intFounded, true
	default:
		return 0, false
	}
}

var fieldNames = [fieldCount]string{
	"country", "state", "industry", "technology", "technology category", "known field", "sector", "size band", "decade", "city",
	"NAICS code", "relation",
}

func (f field) String() string { return fieldNames[f] }

var intNames = [intCount]string{"employee count", "founded year", "updated"}

func (f intField) String() string { return intNames[f] }

package query

import (
	"cmp"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/text"
)

// SortNames lists the values of sort_by in the order of the keys.
var SortNames = []string{"relevance", "employee_count", "name", "founded_year", "updated_at"}

// ParseSort reads sort_by and sort_order. An empty one is the default: relevance for a query with text, else
// employee_count; descending, but names ascending. Default is set if both are empty. A fault.Validation error lists every fault.
func ParseSort(by, order string, hasText bool) (Sort, error) {
	var errs []fault.FieldError
	key, ok := parseSortKey(by, hasText)
	if !ok {
		errs = append(errs, fault.FieldError{Field: "sort_by", Message: oneOfMessage(by, SortNames)})
	}
	s := Sort{By: key, Desc: key != ByName, Default: by == "" && order == ""}
	switch order {
	case "":
	case "asc", "desc":
		s.Desc = order == "desc"
	default:
		errs = append(errs, fault.FieldError{Field: "sort_order", Message: oneOfMessage(order, []string{"asc", "desc"})})
	}
	if err := fault.Invalid(errs...); err != nil {
		return Sort{}, err
	}
	return s, nil
}

func parseSortKey(by string, hasText bool) (SortKey, bool) {
	switch {
	case by == "" && hasText:
		return ByRelevance, true
	case by == "":
		return ByEmployeeCount, true
	}
	for i, name := range SortNames {
		if by == name {
			return SortKey(i), true
		}
	}
	return 0, false
}

func oneOfMessage(given string, known []string) string {
	message := "must be one of " + strings.Join(known, ", ")
	if near := text.Nearest(given, known); near != "" {
		message += "; did you mean " + near + "?"
	}
	return message
}

func (k SortKey) String() string {
	if int(k) < len(SortNames) {
		return SortNames[k]
	}
	return "unknown sort key"
}

// String is the sort as its two parameters: employee_count desc.
func (s Sort) String() string {
	if s.Desc {
		return s.By.String() + " desc"
	}
	return s.By.String() + " asc"
}

// Compare orders two companies. Relevance is unknown here, so that order is by number.
func (s Sort) Compare(a, b *company.Company) int {
	var c int
	switch s.By {
	case ByEmployeeCount:
		c = compareKnown(a.EmployeeCount, b.EmployeeCount, s.Desc)
	case ByFoundedYear:
		c = compareKnown(a.FoundedYear, b.FoundedYear, s.Desc)
	case ByName:
		c = compareKnown(folded(a.Name), folded(b.Name), s.Desc)
	case ByUpdatedAt:
		c = compareKnown(micros(a.UpdatedAt), micros(b.UpdatedAt), s.Desc)
	case ByRelevance:
	}
	return cmp.Or(c, cmp.Compare(a.Number, b.Number))
}

func folded(name string) *string {
	if f := text.Fold(name); f != "" {
		return &f
	}
	return nil
}

func micros(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	v := t.UnixMicro()
	return &v
}

// compareKnown puts nil last in both directions.
func compareKnown[T cmp.Ordered](a, b *T, desc bool) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	case desc:
		return cmp.Compare(*b, *a)
	}
	return cmp.Compare(*a, *b)
}

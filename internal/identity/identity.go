// Package identity has the rules by which two records are of one company. Imports and the matching of a caller's list share them.
// It finds no companies; it only compares values.
package identity

import (
	"strings"
	"unicode"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/text"
)

// Name returns what names are compared by: folded, without punctuation and spaces, which sources write as they like.
// A sign that makes another word, as in C++, stays, and digits stay apart. A name of signs alone is only folded.
func Name(name string) string {
	folded := text.Fold(name)
	var out strings.Builder
	before := rune(0) // the last that was written
	apart := false    // whether something was left out after it
	for _, r := range folded {
		switch {
		case r == '&':
			out.WriteString("and")
			before, apart = 'd', false
			continue
		case !unicode.In(r, unicode.L, unicode.N, unicode.M) && r != '+' && r != '#':
			apart = true
			continue
		case apart && unicode.IsDigit(r) && unicode.IsDigit(before):
			out.WriteByte(' ')
		}
		out.WriteRune(r)
		before, apart = r, false
	}
	if out.Len() == 0 {
		return folded
	}
	return out.String()
}

// Place is the location of a company, folded; empty values are unknown.
type Place struct{ Country, State, City string }

// PlaceOf returns the place of the company.
func PlaceOf(c *company.Company) Place {
	return Place{text.Fold(c.Country), text.Fold(c.State), text.Fold(c.City)}
}

// Agree reports whether the values are equal or one is unknown.
func Agree(a, b string) bool { return a == b || a == "" || b == "" }

// Page returns the name or number of a company's page on LinkedIn, in lower case; empty if the URL is not one.
func Page(url string) string {
	_, path, found := strings.Cut(strings.ToLower(url), "linkedin.com/")
	if !found {
		return ""
	}
	kind, page, _ := strings.Cut(path, "/")
	if kind != "company" && kind != "school" && kind != "showcase" {
		return ""
	}
	if i := strings.IndexAny(page, "/?#"); i >= 0 {
		page = page[:i]
	}
	return page
}

// OtherPage reports whether the URLs are different pages on LinkedIn, which belong to two companies. A page's number says nothing
// of its name.
func OtherPage(a, b string) bool {
	a, b = Page(a), Page(b)
	return !Agree(a, b) && IsNumber(a) == IsNumber(b)
}

// IsNumber reports whether s has only digits. As an id, a number may be another company's in another source.
func IsNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

package view

import (
	"cmp"
	"context"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/text"
)

// connectionCategories are suggestions; any other category can be typed.
var connectionCategories = []string{
	"vendor", "customer", "partner", "investor", "portfolio", "acquirer", "acquisition", "owner", "owned_company", "competitor",
}

// CompanyPath returns the address of the company's page.
func CompanyPath(ctx context.Context, c id.Company) string {
	return ViewerOf(ctx).Path("/companies/" + c.String())
}

// CompanyName returns the display name of a company.
func CompanyName(c *company.Company) string {
	return cmp.Or(c.Name, c.Domain, "Unnamed company")
}

// locationOf returns the city, state and country of a company.
func locationOf(c *company.Company) string {
	var parts []string
	for _, part := range []string{c.City, c.State, cmp.Or(c.Country, c.CountryCode)} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, ", ")
}

func joined(texts []string) string { return strings.Join(texts, ", ") }

func oneOrMany(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// instead returns the address of a page with the search, with the suggestion in place of the unknown value. It is empty if the
// value cannot be replaced.
func (w *SearchForm) instead(page string, unknown search.Warning) string {
	if v := w.corrected(unknown); v != nil {
		return withQuery(page, v)
	}
	return ""
}

// replaceWord replaces the first occurrence of a word in a text, in whatever letter case it is there.
func replaceWord(s, word, by string) string {
	isPart := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
	for _, at := range regexp.MustCompile("(?i)"+regexp.QuoteMeta(word)).FindAllStringIndex(s, -1) {
		before, _ := utf8.DecodeLastRuneInString(s[:at[0]])
		after, _ := utf8.DecodeRuneInString(s[at[1]:])
		if !isPart(before) && !isPart(after) {
			return s[:at[0]] + by + s[at[1]:]
		}
	}
	return s
}

// corrected returns the parameters of the search, with the suggestion in place of the unknown value; nil if there is no suggestion
// or the value is not in the form, such as one of a set.
func (w *SearchForm) corrected(unknown search.Warning) url.Values {
	if unknown.Suggestion == nil {
		return nil
	}
	v := w.Values()
	before := v.Encode()
	param, _, part := splitField(unknown.Field)
	for i, have := range v[param] {
		c := parseConnection(have)
		switch of := query.ParamNamed(param); {
		case of != nil && (of.Kind == query.KindWords || of.Kind == query.KindPhrases):
			v[param][i] = replaceWord(have, unknown.Value, *unknown.Suggestion)
		case param != "connections" && text.Short(have) == unknown.Value:
			v[param][i] = *unknown.Suggestion
		case part == "category" && text.Short(c.Category) == unknown.Value:
			c.Category = *unknown.Suggestion
			v[param][i] = connectionText(c)
		case part == "connected_domain" && text.Short(c.ConnectedDomain) == unknown.Value:
			c.ConnectedDomain = *unknown.Suggestion
			v[param][i] = connectionText(c)
		}
	}
	if v.Encode() == before {
		return nil
	}
	return v
}

// homepage returns the address if it is safe to link to (http or https), else an empty text.
func homepage(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return u.String()
}

// searchFor returns the address of a search for one value.
func searchFor(ctx context.Context, param, value string) string {
	return withQuery(ViewerOf(ctx).Path("/search"), url.Values{param: {value}})
}

// clip shortens a text to at most the given number of bytes.
func clip(t string, bytes int) string {
	if len(t) <= bytes {
		return t
	}
	return strings.ToValidUTF8(t[:bytes], "") + "…"
}

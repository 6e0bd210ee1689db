package view

import (
	"cmp"
	"context"
	"net/url"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/search"
)

// sortOptions are the orders of a search.
var sortOptions = []struct{ value, label string }{
	{"", "Best first"},
	{"relevance", "Relevance"},
	{"employee_count", "Employees"},
	{"name", "Name"},
	{"founded_year", "Founded"},
	{"updated_at", "Updated"},
}

// connectionCategories are the usual words for what one company is to another; others may be typed.
var connectionCategories = []string{
	"vendor", "customer", "partner", "investor", "portfolio", "acquirer", "acquisition", "owner", "owned_company", "competitor",
}

func CompanyPath(ctx context.Context, c id.Company) string {
	return ViewerOf(ctx).Path("/companies/" + c.String())
}

// CompanyName is what a company is called on a page.
func CompanyName(c *company.Company) string {
	return cmp.Or(c.Name, c.Domain, "Unnamed company")
}

// locationOf is where a company is, from the small to the large.
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

// instead is the address of the search with the value that may have been meant in place of the unknown one.
func (w *SearchForm) instead(page string, unknown search.Warning) string {
	v := w.Values()
	for i, have := range v[unknown.Field] {
		switch c := parseConnection(have); {
		case have == unknown.Value:
			v[unknown.Field][i] = *unknown.Suggestion
		case unknown.Field != "connections":
		case c.Category == unknown.Value:
			c.Category = *unknown.Suggestion
			v[unknown.Field][i] = connectionText(c)
		case c.ConnectedDomain == unknown.Value:
			c.ConnectedDomain = *unknown.Suggestion
			v[unknown.Field][i] = connectionText(c)
		}
	}
	return withQuery(page, v)
}

// homepage is the address of a company's website if it is one that a link may lead to, else empty.
func homepage(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		return ""
	}
	return u.String()
}

// searchFor is the address of the search by one value.
func searchFor(ctx context.Context, param, value string) string {
	return withQuery(ViewerOf(ctx).Path("/search"), url.Values{param: {value}})
}

// clip is the beginning of a text, up to so many bytes.
func clip(t string, bytes int) string {
	if len(t) <= bytes {
		return t
	}
	return strings.ToValidUTF8(t[:bytes], "") + "…"
}

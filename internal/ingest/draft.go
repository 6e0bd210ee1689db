package ingest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
)

// draft is a company while its record is read.
type draft struct {
	company *company.Company
	item    *item
}

// attribute keeps a value under the source's name for it.
func (d *draft) attribute(f *Field) {
	if d.company.Attributes == nil {
		d.company.Attributes = map[string]any{}
	}
	v := f.Value.any()
	if s, ok := v.(string); ok {
		v = company.CleanText(s)
	}
	d.company.Attributes[company.CleanText(f.Name)] = v
}

func (d *draft) set(col column, f *Field) {
	c, v := d.company, &f.Value
	switch col {
	case colID:
		c.ID = catalog.CompanyID(strings.TrimSpace(v.text()))
	case colName:
		c.Name = v.text()
	case colDomain:
		c.Domain = v.text()
	case colWebsite:
		c.Website = v.text()
	case colLinkedIn:
		c.LinkedInURL = v.text()
	case colDescription:
		c.Description = v.text()
	case colCountry:
		c.Country = v.text()
	case colCountryCode:
		c.CountryCode = v.text()
	case colState:
		c.State = v.text()
	case colCity:
		c.City = v.text()
	case colIndustries:
		c.Industries = v.texts()
	case colNAICS:
		c.NAICSCodes = v.texts()
	case colTechnologies:
		c.Technologies = v.texts()
	case colTechnologyCategories:
		c.TechnologyCategories = v.texts()
	case colEmployees:
		c.EmployeeCount = d.integer(f)
	case colFounded:
		c.FoundedYear = d.integer(f)
	case colConnections:
		d.connections(v)
	case colAttributes:
		d.attributes(f)
	default:
	}
}

func (d *draft) integer(f *Field) *int64 {
	n, err := f.Value.integer()
	if err != nil && d.item.reason == "" {
		d.item.reason = ReasonNumber
		d.item.detail = fmt.Sprintf("%s: %q", f.Name, shorten(f.Value.text()))
	}
	return n
}

func (d *draft) attributes(f *Field) {
	members, ok := f.Value.object()
	if !ok {
		d.attribute(f)
		return
	}
	for name, v := range members {
		d.attribute(&Field{name, Value{Kind: Other, Other: v}})
	}
}

// finish cleans and checks the company and makes the item.
func (d *draft) finish() {
	if d.item.reason != "" {
		return
	}
	c := d.company
	given := c.Domain != ""
	c.Clean()
	if !given && isShared(c.Domain, c.Website) {
		c.Domain = ""
	}
	if problem := validate(c); problem != "" {
		d.item.reason, d.item.detail = ReasonInvalid, problem
		return
	}
	in := catalog.Prepare(c)
	d.item.company = &in
}

// validate says what is wrong with a company; it may lack a name, for the catalog may know it by its id or domain.
func validate(c *company.Company) string {
	checked := *c
	if checked.Name == "" && (!c.ID.IsZero() || c.Domain != "") {
		checked.Name = "-"
	}
	err := checked.Validate()
	if err == nil {
		return ""
	}
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message
	}
	return err.Error()
}

// sharedHosts are sites on which many companies have a page; its address is not a company's domain.
var sharedHosts = []string{
	"angel.co", "apple.com", "bit.ly", "blogspot.com", "business.site", "crunchbase.com", "facebook.com", "github.com",
	"github.io", "google.com", "instagram.com", "linkedin.com", "linktr.ee", "medium.com", "myshopify.com", "notion.site",
	"t.me", "tiktok.com", "twitter.com", "webflow.io", "weebly.com", "wixsite.com", "wordpress.com", "x.com", "youtube.com",
}

// isShared holds for a website that is a page on somebody else's site.
func isShared(domain, website string) bool {
	i := slices.IndexFunc(sharedHosts, func(h string) bool {
		return domain == h || strings.HasSuffix(domain, h) && domain[len(domain)-len(h)-1] == '.'
	})
	if i < 0 {
		return false
	}
	if domain != sharedHosts[i] {
		return sharedSubdomains(sharedHosts[i], domain)
	}
	u, err := url.Parse(website)
	return err == nil && strings.Trim(u.Path, "/") != ""
}

// sharedSubdomains holds where the host in front of a shared site's names a page of it, such as de.linkedin.com; a
// builder's customers have a name of their own there, which tells them apart.
func sharedSubdomains(site, domain string) bool {
	switch site {
	case "apple.com", "facebook.com", "google.com", "instagram.com", "linkedin.com", "twitter.com", "youtube.com", "crunchbase.com":
		return true
	}
	return domain == ""
}

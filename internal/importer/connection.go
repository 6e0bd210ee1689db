package importer

import (
	"fmt"
	"strings"
	"sync"

	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/importer/source"
	"github.com/opencapi/capi/internal/text"
)

// connections reads the connections in a company's record: a list of objects with a category and the connected company,
// flat or nested, or a cell such as "vendor: Salesforce (salesforce.com); investor: …".
func (b *builder) connections(v *source.Value) {
	isText := v.Kind == source.Cell || v.Kind == source.Text
	if isText && !strings.HasPrefix(strings.TrimSpace(v.Text), "[") {
		for _, s := range listOf(v, false) {
			b.connection(connectionFromText(s))
		}
		return
	}
	list, _ := v.Any().([]any)
	if isText {
		if err := decode(v.Text, &list); err != nil {
			b.item.rejects = append(b.item.rejects, "connections: "+err.Error())
			return
		}
	}
	if list == nil {
		b.item.rejects = append(b.item.rejects, "connections: not a list")
	}
	for _, e := range list {
		switch e := e.(type) {
		case map[string]any:
			b.connection(connectionFromObject(e))
		case string:
			b.connection(connectionFromText(e))
		default:
			b.item.rejects = append(b.item.rejects, fmt.Sprintf("connections: %v is neither an object nor text", e))
		}
	}
}

func (b *builder) connection(c catalog.Connection) {
	if problem := check(&c, false); problem != "" {
		b.item.rejects = append(b.item.rejects, "connections: "+problem)
		return
	}
	b.item.connections = append(b.item.connections, c)
}

func connectionFromObject(o map[string]any) catalog.Connection {
	var c catalog.Connection
	c.Category = text.Clean(member(o, "category", "type", "relation"))
	target := o
	if nested, ok := o["company"].(map[string]any); ok {
		target = nested
	}
	for col, value := range map[column]string{
		colID:     member(target, "connected_company_id", "connected_id", "company_id", "id"),
		colName:   member(target, "connected_name", "connected_company_name", "company_name", "name", "company"),
		colDomain: member(target, "connected_domain", "connected_company_domain", "company_domain", "domain"),
	} {
		if value = text.Clean(value); value != "" {
			setEnd(&c.Target, col, value)
		}
	}
	return c
}

// member returns the first of the members that is a single text or number; empty if none is.
func member(o map[string]any, names ...string) string {
	for _, name := range names {
		v := &source.Value{Kind: source.Other, Other: o[name]}
		if list := listOf(v, false); v.Other != nil && len(list) == 1 {
			return list[0]
		}
	}
	return ""
}

// connectionFromText reads "category: Name (domain)". The name or the domain may be missing.
func connectionFromText(s string) catalog.Connection {
	var c catalog.Connection
	category, rest, found := strings.Cut(text.Clean(s), ":")
	if !found {
		return c
	}
	c.Category = strings.TrimSpace(category)
	rest = strings.TrimSpace(rest)
	if name, domain, ok := strings.Cut(strings.TrimSuffix(rest, ")"), "("); ok && strings.HasSuffix(rest, ")") {
		if i := strings.LastIndex(rest, "("); i >= 0 {
			name, domain = rest[:i], rest[i+1:len(rest)-1]
		}
		if clean, isDomain := company.CleanDomain(domain); isDomain {
			c.Target = catalog.End{Name: strings.TrimSpace(name), Domain: clean}
			return c
		}
	}
	c.Target.Name = rest
	return c
}

// categories are the kinds of connection that names of columns say.
var categories = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for _, category := range relations {
		m[category] = true
	}
	for role, both := range roles {
		m[role], m[both[0]], m[both[1]] = true, true, true
	}
	return m
})

// relation reads connected companies of one category, each by name, domain or both. It returns false if there are only numbers,
// which are counts or another source's ids.
func (b *builder) relation(category string, v *source.Value) bool {
	if list, ok := v.Other.([]any); ok && v.Kind == source.Other {
		for _, e := range list {
			if o, ok := e.(map[string]any); ok {
				c := connectionFromObject(o)
				c.Category = category
				b.connection(c)
			}
		}
		return true
	}
	if o, ok := v.Other.(map[string]any); ok && v.Kind == source.Other {
		c := connectionFromObject(o)
		c.Category = category
		b.connection(c)
		return true
	}
	names := 0
	for _, s := range splitNames(v) {
		if s = text.Clean(repair(s)); isNull(s) || isNumber(s) {
			continue
		}
		names++
		named := category
		if before, after, ok := strings.Cut(s, ":"); ok && categories()[text.Fold(before)] {
			named, s = strings.TrimSpace(before), strings.TrimSpace(after) // "vendor: SAP (sap.com)" in a column of partners
		}
		c := connectionFromText(named + ": " + s)
		if domain, ok := company.CleanDomain(s); ok && !strings.Contains(s, " ") && company.KnownSuffix(domain) {
			c.Target = catalog.End{Domain: domain}
		}
		b.connection(c)
	}
	return names > 0
}

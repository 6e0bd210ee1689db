package view

import (
	"net/url"
	"strings"

	"github.com/opencapi/capi/internal/search"
	"github.com/opencapi/capi/internal/text"
	"github.com/opencapi/capi/internal/workspace"
)

// Palette is what was found for the text that was typed.
type Palette struct {
	Typed  string
	Groups []Group
}

// Group is a group of places to go to.
type Group struct {
	Title string
	Items []Place
}

// Place is a page, or a part of one where something is done.
type Place struct{ Name, Hint, Path string }

// Places returns the pages, actions and workspaces whose names have every word that was typed; all without one.
func Places(v Viewer, typed string) (groups []Group) {
	add := func(title string, all []Place) {
		var some []Place
		for _, p := range all {
			if hasWords(p.Name+" "+p.Hint, typed) {
				some = append(some, p)
			}
		}
		if len(some) > 0 {
			groups = append(groups, Group{title, some})
		}
	}
	if !v.Home.ID.IsZero() {
		var pages []Place
		for _, e := range entries(v) {
			pages = append(pages, Place{e.Name, v.Home.Name, e.Path})
		}
		at := func(rest string) string { return WorkspacePath(v.Home.ID, rest) }
		pages = append(pages, Place{"Match a list", "paste or upload companies", at("/match")}, Place{"Table", "count matches by two fields", at("/pivot")},
			Place{"Standing orders", "exports on a schedule", at("/orders")}, Place{"Column presets", "columns of exports and orders", at("/presets")},
			Place{"Compare sets", "what lists, searches and exports have in common", at("/compare")},
			Place{"Sets", "search in lists, searches and exports", at("/search/sets")})
		pages = append(pages, Place{"Notifications", "emails, low balance", at("/notifications")})
		actions := []Place{{"New export", "", at("/exports/new")}, {"New order", "", at("/orders/new")}, {"Create a list", "", at("/lists#name")}, {"Create a token", "", at("/tokens#new")}}
		if v.Home.Role.Allows(workspace.Owner) {
			pages = append(pages, Place{"Workspace settings", v.Home.Name, at("/settings")}, Place{"Webhooks", "where events are sent", at("/webhooks")}, Place{"Destinations", "where exports are delivered", at("/destinations")})
			actions = append(actions, Place{"Invite someone", "", at("/members#invite-title")})
		}
		if v.Person.Operator {
			actions = append(actions, Place{"Grant credits", v.Home.Name, GrantPath(v.Home.ID)})
		}
		add("Pages", pages)
		add("Actions", actions)
	}
	others := []Place{{"Your account", "name, email, theme, password", BasePath + "/account"}, {"All workspaces", "", BasePath + "/workspaces"}, {"Documentation", "", docsPath}}
	if v.Person.Operator {
		others = append(others, Place{"Operator", "installation", BasePath + "/operator"}, Place{"Imports", "operator", BasePath + "/operator/imports"},
			Place{"Doctor", "operator", BasePath + "/operator/doctor"})
	}
	add("Other pages", others)
	var workspaces []Place
	for _, m := range v.Memberships {
		if m.ID != v.Home.ID {
			workspaces = append(workspaces, Place{m.Name, "workspace", WorkspacePath(m.ID, "")})
		}
	}
	add("Workspaces", workspaces)
	return groups
}

// hasWords reports whether the name has every word that was typed, in any spelling.
func hasWords(name, typed string) bool {
	folded := text.Fold(name)
	for _, word := range strings.Fields(text.Fold(typed)) {
		if !strings.Contains(folded, word) {
			return false
		}
	}
	return true
}

// CompaniesFound returns the group of companies, which ends with the search for what was typed.
func CompaniesFound(v Viewer, typed string, items []search.Item) Group {
	g := Group{Title: "Companies"}
	for _, i := range items {
		g.Items = append(g.Items, Place{
			text.Short(CompanyName(i.Company)), text.Short(i.Domain), WorkspacePath(v.Home.ID, "/companies/"+i.ID.String()),
		})
	}
	g.Items = append(g.Items, Place{
		"Search for " + text.Short(typed), "", withQuery(WorkspacePath(v.Home.ID, "/search"), url.Values{"query": {typed}}),
	})
	return g
}

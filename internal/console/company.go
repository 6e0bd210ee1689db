package console

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/search"
)

// Company is the page of a company.
type Company struct {
	search.Item
	Out        []outgoing
	Attributes []attribute
	In         search.Incomings
	InNext     string
	Lists      []list.List
}

// outgoing are the companies that a company names as connected, of one category.
type outgoing struct {
	Category  string
	Companies []company.Connection
	More      int // those that are not shown
}

type attribute struct{ Name, Value string }

// What the page shows at most, so that it stays small: companies of a category, categories, attributes, values of a list.
const (
	outgoingMax   = 15
	categoriesMax = 12
	attributesMax = 40
	valuesMax     = 24
)

func (s *server) showCompany(w http.ResponseWriter, r *http.Request) error {
	c, err := id.Parse[id.Company](r.PathValue("company_id"))
	if err != nil {
		return noPage()
	}
	ctx, v := r.Context(), ViewerOf(r.Context())
	view := &Company{}
	if view.Item, err = s.Search.Company(ctx, v.Workspace.ID, c); err != nil {
		return err
	}
	view.Out, view.Attributes = outgoingOf(view.Connections), attributesOf(view.Company)
	if view.In, err = s.Search.Incoming(ctx, v.Workspace.ID, c, r.URL.Query().Get("cursor"), pageSize); err != nil {
		return err
	}
	if view.In.NextCursor != "" {
		view.InNext = CompanyPath(ctx, c) + "?cursor=" + view.In.NextCursor + "#incoming"
	}
	if view.Lists, err = s.Lists.List(ctx, v.Workspace.ID, id.List{}, list.ListsMax); err != nil {
		return err
	}
	return render(w, r, http.StatusOK, CompanyPage(view))
}

func outgoingOf(connections []company.Connection) (all []outgoing) {
	for _, c := range connections {
		i := slices.IndexFunc(all, func(o outgoing) bool { return o.Category == c.Category })
		if i < 0 && len(all) == categoriesMax {
			i = len(all) - 1
			all[i].Category = "and others"
		}
		if i < 0 {
			i, all = len(all), append(all, outgoing{Category: c.Category})
		}
		if len(all[i].Companies) == outgoingMax {
			all[i].More++
			continue
		}
		all[i].Companies = append(all[i].Companies, c)
	}
	return all
}

func attributesOf(c *company.Company) (all []attribute) {
	for _, name := range slices.Sorted(maps.Keys(c.Attributes)) {
		if len(all) == attributesMax {
			break
		}
		all = append(all, attribute{name, fmt.Sprint(c.Attributes[name])})
	}
	return all
}

// connectionName is what a connected company is called.
func connectionName(c company.Connection) string { return cmp.Or(c.Name, c.Domain, "unnamed") }

// addCompany puts the company on a list, or on a new one.
func (s *server) addCompany(w http.ResponseWriter, r *http.Request) error {
	c, err := id.Parse[id.Company](r.PathValue("company_id"))
	if err != nil {
		return noPage()
	}
	ctx, v := r.Context(), ViewerOf(r.Context())
	item, err := s.Search.Company(ctx, v.Workspace.ID, c)
	if err != nil {
		return err
	}
	l, err := s.listOf(r)
	if fault.CodeOf(err) == fault.Validation {
		s.notice(ctx, "Nothing was added: "+messageIn(err))
		return redirect(w, r, CompanyPath(ctx, c))
	}
	if err != nil {
		return err
	}
	l, added, err := s.Lists.Add(ctx, v.Workspace.ID, l.ID, company.SetOf(item.Number))
	if err != nil {
		return err
	}
	if added == 0 {
		s.notice(ctx, CompanyName(item.Company)+" is on "+l.Name+" already.")
	} else {
		s.notice(ctx, CompanyName(item.Company)+" is on "+l.Name+" now.")
	}
	return redirect(w, r, CompanyPath(ctx, c))
}

// listOf is the list that a form names, or a new one of the name that it gives.
func (s *server) listOf(r *http.Request) (list.List, error) {
	ctx, ws := r.Context(), ViewerOf(r.Context()).Workspace.ID
	if text := r.PostFormValue("list_id"); text != "" {
		l, err := id.Parse[id.List](text)
		if err != nil {
			return list.List{}, fault.New(fault.NotFound, "There is no such list.")
		}
		return s.Lists.Get(ctx, ws, l)
	}
	return s.Lists.Create(ctx, ws, r.PostFormValue("name"))
}

package console

import (
	"net/http"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
)

func (s *server) showCompany(w http.ResponseWriter, r *http.Request) error {
	c, err := id.Parse[id.Company](r.PathValue("company_id"))
	if err != nil {
		return notFound()
	}
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	page := &view.Company{}
	if page.Item, err = s.Search.Company(ctx, v.Caller(), c); err != nil {
		return err
	}
	page.Out, page.Attributes = view.OutgoingOf(page.Connections), view.AttributesOf(page.Company)
	if page.In, err = s.Search.Incoming(ctx, v.Caller(), c, r.URL.Query().Get("cursor"), pageSize); err != nil {
		return err
	}
	if page.In.NextCursor != "" {
		page.InNext = view.CompanyPath(ctx, c) + "?cursor=" + page.In.NextCursor + "#incoming"
	}
	if page.Lists, err = s.Lists.List(ctx, v.Workspace.ID, id.List{}, list.ListsMax); err != nil {
		return err
	}
	return render(w, r, http.StatusOK, view.CompanyPage(page))
}

// addCompany adds the company to an existing or a new list.
func (s *server) addCompany(w http.ResponseWriter, r *http.Request) error {
	c, err := id.Parse[id.Company](r.PathValue("company_id"))
	if err != nil {
		return notFound()
	}
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	item, err := s.Search.Company(ctx, v.Caller(), c)
	if err != nil {
		return err
	}
	l, err := s.listOf(r)
	if fault.CodeOf(err) == fault.Validation {
		s.warn(ctx, "Nothing was added: "+messageOf(err))
		return redirect(w, r, view.CompanyPath(ctx, c))
	}
	if err != nil {
		return err
	}
	l, added, err := s.Lists.Add(ctx, v.Workspace.ID, l.ID, company.SetOf(item.Number))
	if err != nil {
		return err
	}
	if added == 0 {
		s.notice(ctx, view.CompanyName(item.Company)+" is already on "+l.Name+".")
	} else {
		s.notice(ctx, "Added "+view.CompanyName(item.Company)+" to "+l.Name+".")
	}
	return redirect(w, r, view.CompanyPath(ctx, c))
}

// listOf returns the list that the form names, or creates one with the name in the form.
func (s *server) listOf(r *http.Request) (list.List, error) {
	ctx, ws := r.Context(), view.ViewerOf(r.Context()).Workspace.ID
	if text := r.PostFormValue("list_id"); text != "" {
		l, err := id.Parse[id.List](text)
		if err != nil {
			return list.List{}, fault.New(fault.NotFound, "There is no such list.")
		}
		return s.Lists.Get(ctx, ws, l)
	}
	return s.Lists.Create(ctx, ws, r.PostFormValue("name"))
}

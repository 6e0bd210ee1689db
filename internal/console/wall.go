package console

import (
	"net/http"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
)

// wallPage shows operators what a workspace sees of companies that it does not own.
func (s *server) wallPage(w http.ResponseWriter, r *http.Request) error {
	return s.showWall(w, r, http.StatusOK, nil)
}

func (s *server) showWall(w http.ResponseWriter, r *http.Request, status int, faults map[string]string) error {
	ws, err := id.Parse[id.Workspace](r.PathValue("id"))
	if err != nil {
		return notFound()
	}
	of, err := s.Workspaces.Get(r.Context(), ws)
	if err != nil {
		return err
	}
	today, err := s.Wall.LimitOf(r.Context(), ws, id.Token{})
	if err != nil {
		return err
	}
	return render(w, r, status, view.WallPage(&view.Wall{Workspace: of, Default: s.Wall.Default(), Today: today, Faults: faults}))
}

// setWall changes what a workspace sees of companies that it does not own.
func (s *server) setWall(w http.ResponseWriter, r *http.Request) error {
	ws, err := id.Parse[id.Workspace](r.PathValue("id"))
	if err != nil {
		return notFound()
	}
	var visible []string
	switch r.PostFormValue("show") {
	case view.ShowDefault:
	case view.ShowEverything:
		visible = []string{company.VisibleAll}
	case view.ShowChosen:
		visible = append([]string{"id"}, r.PostForm["field"]...)
	default:
		err = fault.Invalid(fault.FieldError{Field: "show", Message: "choose what is shown"})
	}
	most := int64(0)
	if err == nil {
		most, err = view.ReadDaily(r.PostFormValue("daily"))
	}
	if err == nil {
		err = s.Workspaces.SetVisibleFields(r.Context(), ws, visible)
	}
	if err == nil {
		err = s.Workspaces.SetDailyCompanies(r.Context(), ws, most)
	}
	if faults := fieldErrors(err); faults != nil {
		return s.showWall(w, r, httpx.Status(fault.KindInvalid), faults)
	}
	if err != nil {
		return err
	}
	s.notice(r.Context(), "Saved. It applies from the next request on.")
	return redirect(w, r, view.WallPath(ws))
}

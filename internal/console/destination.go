package console

import (
	"net/http"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/ratelimit"
)

// destinationTests is how often a workspace may have a destination tried: each time waits for a server elsewhere.
var destinationTests = ratelimit.PerMinute(10)

func (s *server) listDestinations(w http.ResponseWriter, r *http.Request) error {
	return s.destinationsPage(w, r, http.StatusOK, &view.Destinations{})
}

func (s *server) destinationsPage(w http.ResponseWriter, r *http.Request, status int, page *view.Destinations) (err error) {
	if page.All, err = s.Destinations.List(r.Context(), view.ViewerOf(r.Context()).Workspace.ID); err != nil {
		return err
	}
	return render(w, r, status, view.DestinationsPage(page))
}

// createDestination creates a destination, after a file was written there and deleted.
func (s *server) createDestination(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	if err := s.limit("destination test "+v.Workspace.ID.String(), destinationTests); err != nil {
		return err
	}
	form := view.ReadDestination(r.PostForm)
	form.Workspace = v.Workspace.ID
	made, err := s.Destinations.Create(ctx, form.Destination, form.Secrets)
	if faults := fieldErrors(err); faults != nil {
		return s.destinationsPage(w, r, http.StatusUnprocessableEntity, &view.Destinations{Form: form, Faults: view.DestinationFaults(faults)})
	}
	if err != nil {
		return err
	}
	s.notice(ctx, "Exports can be delivered to "+made.Name+" now.")
	return redirect(w, r, v.Path("/destinations"))
}

// destinationIn returns the destination in the path.
func (s *server) destinationIn(r *http.Request) (destination.Destination, error) {
	d, err := id.Parse[id.Destination](r.PathValue("destination_id"))
	if err != nil {
		return destination.Destination{}, notFound()
	}
	return s.Destinations.Get(r.Context(), view.ViewerOf(r.Context()).Workspace.ID, d)
}

func (s *server) showDestination(w http.ResponseWriter, r *http.Request) error {
	d, err := s.destinationIn(r)
	if err != nil {
		return err
	}
	return s.destinationPage(w, r, http.StatusOK, &view.Destination{Destination: d, Form: view.FormOfDestination(d)})
}

func (s *server) destinationPage(w http.ResponseWriter, r *http.Request, status int, page *view.Destination) error {
	before, err := id.Parse[id.Export](r.URL.Query().Get("cursor"))
	page.Later = err == nil
	if page.Deliveries, err = s.Deliveries.To(r.Context(), page.Workspace, page.ID, before, pageSize+1); err != nil {
		return err
	}
	if len(page.Deliveries) > pageSize {
		page.Deliveries = page.Deliveries[:pageSize]
		page.More = view.DestinationPath(r.Context(), page.ID, "?cursor="+page.Deliveries[pageSize-1].Export.String())
	}
	return render(w, r, status, view.DestinationPage(page))
}

func (s *server) changeDestination(w http.ResponseWriter, r *http.Request) error {
	d, err := s.destinationIn(r)
	if err == nil {
		err = s.limit("destination test "+d.Workspace.String(), destinationTests)
	}
	if err != nil {
		return err
	}
	r.PostForm.Set("kind", string(d.Kind)) // which does not change
	form := view.ReadDestination(r.PostForm)
	_, err = s.Destinations.Update(r.Context(), d.Workspace, d.ID, form.Change(d))
	if faults := fieldErrors(err); faults != nil {
		return s.destinationPage(w, r, http.StatusUnprocessableEntity, &view.Destination{Destination: d, Form: form, Faults: view.DestinationFaults(faults)})
	}
	if err != nil {
		return err
	}
	s.notice(r.Context(), "Saved. It applies to deliveries from now on.")
	return redirect(w, r, view.DestinationPath(r.Context(), d.ID, ""))
}

func (s *server) testDestination(w http.ResponseWriter, r *http.Request) error {
	d, err := s.destinationIn(r)
	if err == nil {
		err = s.limit("destination test "+d.Workspace.String(), destinationTests)
	}
	if err != nil {
		return err
	}
	result, err := s.Destinations.Test(r.Context(), d.Workspace, d.ID)
	switch {
	case err != nil:
		return err
	case result.OK:
		s.notice(r.Context(), d.Name+": "+result.Message)
	default:
		s.warn(r.Context(), d.Name+": "+result.Message)
	}
	return redirect(w, r, view.DestinationPath(r.Context(), d.ID, ""))
}

func (s *server) deleteDestination(w http.ResponseWriter, r *http.Request) error {
	d, err := s.destinationIn(r)
	if err == nil {
		err = s.Destinations.Delete(r.Context(), d.Workspace, d.ID)
	}
	if err != nil {
		return err
	}
	s.notice(r.Context(), "The destination was deleted.")
	return redirect(w, r, view.ViewerOf(r.Context()).Path("/destinations"))
}

// deliverExport delivers an export again.
func (s *server) deliverExport(w http.ResponseWriter, r *http.Request) error {
	e, err := s.exportOf(r)
	if err != nil {
		return err
	}
	_, err = s.Deliveries.Again(r.Context(), e.Workspace, e.ID)
	switch code := fault.CodeOf(err); {
	case code == fault.ExportNotDeliverable || code == fault.ExportNotCompleted:
		s.warn(r.Context(), messageOf(err))
	case err != nil:
		return err
	default:
		s.notice(r.Context(), "The export is being delivered.")
	}
	return redirect(w, r, view.ViewerOf(r.Context()).Path("/exports/"+e.ID.String()))
}

// destinationOf returns the destination that a form names; zero for none.
func destinationOf(given string) (to id.Destination, err error) {
	if given == "" {
		return to, nil
	}
	if to, err = id.Parse[id.Destination](given); err != nil {
		return to, fault.New(fault.NotFound, "There is no such destination. Nothing was charged. Review the price again.")
	}
	return to, nil
}

package console

import (
	"net/http"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/preset"
)

func (s *server) listPresets(w http.ResponseWriter, r *http.Request) error {
	return s.presetsPage(w, r, http.StatusOK, &view.Presets{})
}

func (s *server) presetsPage(w http.ResponseWriter, r *http.Request, status int, page *view.Presets) (err error) {
	if page.All, err = s.Presets.List(r.Context(), view.ViewerOf(r.Context()).Workspace.ID); err != nil {
		return err
	}
	return render(w, r, status, view.PresetsPage(page))
}

func (s *server) createPreset(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	form := view.ReadPreset(r.PostForm, preset.Preset{Workspace: v.Workspace.ID})
	made, err := s.Presets.Create(ctx, form)
	if faults := fieldErrors(err); faults != nil {
		return s.presetsPage(w, r, http.StatusUnprocessableEntity, &view.Presets{Form: form, Faults: view.PresetFaults(faults), Refused: true})
	}
	if err != nil {
		return err
	}
	s.notice(ctx, "Exports and orders can have the columns of "+made.Name+" now.")
	return redirect(w, r, v.Path("/presets"))
}

// presetIn returns the preset in the path.
func (s *server) presetIn(r *http.Request) (preset.Preset, error) {
	p, err := id.Parse[id.Preset](r.PathValue("preset_id"))
	if err != nil {
		return preset.Preset{}, notFound()
	}
	return s.Presets.Get(r.Context(), view.ViewerOf(r.Context()).Workspace.ID, p)
}

func (s *server) changePreset(w http.ResponseWriter, r *http.Request) error {
	old, err := s.presetIn(r)
	if err != nil {
		return err
	}
	form := view.ReadPreset(r.PostForm, old)
	_, err = s.Presets.Update(r.Context(), old.Workspace, old.ID, preset.Change{Name: &form.Name, Columns: &form.Columns, Labels: &form.Labels})
	if faults := fieldErrors(err); faults != nil {
		return s.presetsPage(w, r, http.StatusUnprocessableEntity, &view.Presets{Form: form, Faults: view.PresetFaults(faults), Refused: true})
	}
	if err != nil {
		return err
	}
	s.notice(r.Context(), "Saved. It applies to new exports and orders.")
	return redirect(w, r, view.ViewerOf(r.Context()).Path("/presets"))
}

func (s *server) deletePreset(w http.ResponseWriter, r *http.Request) error {
	p, err := s.presetIn(r)
	if err == nil {
		err = s.Presets.Delete(r.Context(), p.Workspace, p.ID)
	}
	if err != nil {
		return err
	}
	s.notice(r.Context(), "The preset was deleted.")
	return redirect(w, r, view.ViewerOf(r.Context()).Path("/presets"))
}

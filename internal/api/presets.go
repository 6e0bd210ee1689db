package api

import (
	"context"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/preset"
)

// Preset is a choice of columns and headers under a name.
type Preset struct {
	ID        id.Preset `json:"id" format:"uuid" doc:"The id of the preset, for preset_id of an export, a quote or an order."`
	Name      string    `json:"name" doc:"The name, which no other preset of the workspace has."`
	Columns   []string  `json:"columns" doc:"The columns of the file, in this order."`
	HeaderRow string    `json:"header_row" enum:"name,label" doc:"What the header row of a csv or xlsx file says. Other formats have the names of the fields."`
	CreatedAt time.Time `json:"created_at" doc:"When it was created."`
}

// PresetsResponse holds all presets of the workspace.
type PresetsResponse struct {
	Items []Preset `json:"items" doc:"The presets, by name. A workspace has at most 50."`
}

// PresetRequest describes a preset to create.
type PresetRequest struct {
	Name      string   `json:"name" required:"true" minLength:"1" maxLength:"100" doc:"A name, which no other preset of the workspace has." example:"CRM"`
	Columns   []string `json:"columns" required:"true" minItems:"1" maxItems:"20" doc:"The columns of the file, in this order." example:"[\"name\",\"domain\",\"employee_count\"]"`
	HeaderRow string   `json:"header_row,omitempty" enum:"name,label" default:"name" doc:"What the header row of a csv or xlsx file says. name: the names of the fields. label: their labels for people. Other formats have the names of the fields."`
}

// PresetChange says what to change of a preset.
type PresetChange struct {
	Name      *string  `json:"name,omitempty" minLength:"1" maxLength:"100" doc:"Another name."`
	Columns   []string `json:"columns,omitempty" minItems:"1" maxItems:"20" doc:"Other columns, in place of all old ones."`
	HeaderRow *string  `json:"header_row,omitempty" enum:"name,label" doc:"Another header row."`
}

type (
	newPresetInput struct{ Body PresetRequest }
	onePresetInput struct {
		Preset id.Preset `path:"preset_id" format:"uuid" doc:"The id of the preset."`
	}
	changePresetInput struct {
		onePresetInput
		Body PresetChange
	}
)

func presetOf(p preset.Preset) *Preset {
	out := &Preset{ID: p.ID, Name: p.Name, Columns: orEmpty(p.Columns), HeaderRow: string(format.HeadersName), CreatedAt: p.CreatedAt}
	if p.Labels {
		out.HeaderRow = string(format.HeadersLabel)
	}
	return out
}

func (s *server) createPreset(ctx context.Context, caller auth.Caller, in *newPresetInput) (*Preset, error) {
	b := in.Body
	made, err := s.Presets.Create(ctx, preset.Preset{
		Workspace: caller.Workspace, Name: b.Name, Columns: b.Columns, Labels: b.HeaderRow == string(format.HeadersLabel),
	})
	if err != nil {
		return nil, err
	}
	return presetOf(made), nil
}

func (s *server) listPresets(ctx context.Context, caller auth.Caller, _ *nothingIn) (*PresetsResponse, error) {
	all, err := s.Presets.List(ctx, caller.Workspace)
	if err != nil {
		return nil, err
	}
	out := &PresetsResponse{Items: []Preset{}}
	for _, p := range all {
		out.Items = append(out.Items, *presetOf(p))
	}
	return out, nil
}

func (s *server) getPreset(ctx context.Context, caller auth.Caller, in *onePresetInput) (*Preset, error) {
	p, err := s.Presets.Get(ctx, caller.Workspace, in.Preset)
	if err != nil {
		return nil, err
	}
	return presetOf(p), nil
}

func (s *server) updatePreset(ctx context.Context, caller auth.Caller, in *changePresetInput) (*Preset, error) {
	c := preset.Change{Name: in.Body.Name}
	if in.Body.Columns != nil {
		c.Columns = &in.Body.Columns
	}
	if h := in.Body.HeaderRow; h != nil {
		c.Labels = new(*h == string(format.HeadersLabel))
	}
	p, err := s.Presets.Update(ctx, caller.Workspace, in.Preset, c)
	if err != nil {
		return nil, err
	}
	return presetOf(p), nil
}

func (s *server) deletePreset(ctx context.Context, caller auth.Caller, in *onePresetInput) (*nothingOut, error) {
	return &nothingOut{}, s.Presets.Delete(ctx, caller.Workspace, in.Preset)
}

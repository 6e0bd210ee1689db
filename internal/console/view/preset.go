package view

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/preset"
)

// Presets is the page of the column presets of a workspace.
type Presets struct {
	All     []preset.Preset
	Form    preset.Preset // as it was filled in; its id is that of the preset to change, or zero
	Faults  map[string]string
	Refused bool // the form has errors
}

// ReadPreset reads the form of a preset. Columns that old has keep their order; others follow in their usual order.
func ReadPreset(form url.Values, old preset.Preset) preset.Preset {
	ticked := form["column"]
	columns := slices.DeleteFunc(slices.Clone(old.Columns), func(c string) bool { return !slices.Contains(ticked, c) })
	for _, c := range format.AllColumns() {
		if slices.Contains(ticked, c) && !slices.Contains(columns, c) {
			columns = append(columns, c)
		}
	}
	for _, c := range ticked { // what is no column is refused
		if !slices.Contains(columns, c) {
			columns = append(columns, c)
		}
	}
	return preset.Preset{
		ID: old.ID, Workspace: old.Workspace, Name: strings.TrimSpace(form.Get("name")), Columns: columns,
		Labels: form.Get("header_row") == string(format.HeadersLabel), CreatedAt: old.CreatedAt,
	}
}

// PresetFaults names the errors of a preset by the fields of the form.
func PresetFaults(faults map[string]string) map[string]string {
	named := make(map[string]string, len(faults))
	for field, message := range faults {
		field, _, _ = strings.Cut(field, "[")
		if field == "columns" {
			message = "Choose at least one of these columns."
		} else if field != "" {
			message = "This " + message + "."
		}
		named[field] = message
	}
	return named
}

// form returns the form of a preset, or of a new one if it is the zero Preset, and its errors.
func (v *Presets) form(p preset.Preset) (preset.Preset, map[string]string) {
	if v.Refused && v.Form.ID == p.ID {
		return v.Form, v.Faults
	}
	return p, nil
}

// presetText says what a preset has, in a few words.
func presetText(p preset.Preset) string {
	text := strconv.Itoa(len(p.Columns)) + " " + oneOrMany(int64(len(p.Columns)), "column", "columns")
	if p.Labels {
		text += ", with labels"
	}
	return text
}

// presetOptions are the lines of the menu of presets in the form of an export.
func presetOptions(all []preset.Preset, chosen string) []option {
	options := []option{{Label: "as chosen here"}}
	for _, p := range all {
		options = append(options, option{Value: p.ID.String(), Label: p.Name + " (" + presetText(p) + ")"})
	}
	return choose(options, chosen, "a preset that was deleted")
}

func presetHeaders(p preset.Preset) format.Headers {
	if p.Labels {
		return format.HeadersLabel
	}
	return format.HeadersName
}

// presetSuffix keeps the ids of several forms in one page apart.
func presetSuffix(p id.Preset) string {
	if p.IsZero() {
		return "-new"
	}
	return "-" + p.String()
}

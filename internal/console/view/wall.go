package view

import (
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/wall"
	"github.com/opencapi/capi/internal/workspace"
)

// The choices of the form that says what a workspace sees of companies that it does not own.
const (
	ShowDefault    = "default"
	ShowEverything = "all"
	ShowChosen     = "chosen"
)

// Wall is the page on which operators choose what a workspace sees of companies that it does not own.
type Wall struct {
	workspace.Workspace
	Default []string    // what the installation shows; none for all fields
	Today   *wall.Daily // nil without a daily limit
	Faults  map[string]string
}

// WallPath returns the address of the page for a workspace.
func WallPath(ws id.Workspace) string {
	return BasePath + "/operator/workspaces/" + ws.String() + "/wall"
}

// chosen returns which of the choices is in force.
func (v *Wall) chosen() string {
	switch {
	case len(v.VisibleFields) == 0:
		return ShowDefault
	case company.LockedBy(v.VisibleFields).IsEmpty():
		return ShowEverything
	}
	return ShowChosen
}

// daily returns the daily limit as it is typed.
func (v *Wall) daily() string { return dailyText(v.DailyCompanies) }

// dailyText returns a daily limit as a form has it: empty for none.
func dailyText(most int64) string {
	if most == 0 {
		return ""
	}
	return strconv.FormatInt(most, 10)
}

// shows reports whether a company that the workspace does not own is shown with the field.
func (v *Wall) shows(field string) bool {
	visible := v.VisibleFields
	if len(visible) == 0 {
		visible = v.Default
	}
	return !company.LockedBy(visible).Has(field)
}

// lockable returns the fields that can be locked.
func lockable() []company.Field {
	return slices.DeleteFunc(slices.Clone(company.Fields), func(f company.Field) bool { return company.AlwaysVisible.Has(f.Name) })
}

// labelsOfFields returns the labels of fields, as a text; "every field" for none.
func labelsOfFields(names []string) string {
	var labels []string
	for _, name := range names {
		if f := company.FieldNamed(name); f != nil {
			labels = append(labels, f.Label)
		}
	}
	if len(labels) == 0 {
		return "every field"
	}
	return strings.Join(labels, ", ")
}

// lockedText is shown in place of a value that is locked.
const lockedText = "locked"

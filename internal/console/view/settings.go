package view

import (
	"slices"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/wall"
)

// unbudgetedChoices are the choices of who may create tokens without a budget.
var unbudgetedChoices = []struct {
	Choice token.Unbudgeted
	Label  string
}{
	{token.Everyone, "Everyone may create them"},
	{token.Owners, "Only owners may create them"},
	{token.Nobody, "Nobody may create them"},
}

// Settings is the page of a workspace's settings.
type Settings struct {
	Name   string // as it was filled in
	Faults map[string]string
	Empty  bool // the workspace owns nothing, so that it can be deleted
	Locked company.FieldSet
	Today  *wall.Daily // the daily limit of companies and what is left of it; nil without one
}

// exports reports whether new exports of the workspace begin with the column.
func exports(v Viewer, column string) bool {
	return len(v.Workspace.ExportColumns) == 0 || slices.Contains(v.Workspace.ExportColumns, column)
}

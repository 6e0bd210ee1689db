package view

import "slices"

// Settings is the page of a workspace's settings.
type Settings struct {
	Name   string // as it was filled in
	Faults map[string]string
	Empty  bool // the workspace owns nothing, so that it can be deleted
}

// exports reports whether new exports of the workspace begin with the column.
func exports(v Viewer, column string) bool {
	return len(v.Workspace.ExportColumns) == 0 || slices.Contains(v.Workspace.ExportColumns, column)
}

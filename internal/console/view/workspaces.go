package view

import (
	"github.com/opencapi/capi/internal/workspace"
)

// Workspaces is the page of workspaces.
type Workspaces struct {
	Name, Credits string // of the workspace to create
	Faults        map[string]string
	Rest          []workspace.Workspace // for an operator: workspaces they are not a member of
}

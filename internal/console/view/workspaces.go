package view

import (
	"github.com/opencapi/capi/internal/workspace"
)

// Workspaces is the state of the page of workspaces.
type Workspaces struct {
	Name, Credits string // of the one to create
	Faults        map[string]string
	Rest          []workspace.Workspace // for an operator: those they do not belong to
}

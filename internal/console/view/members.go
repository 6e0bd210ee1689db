package view

import (
	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/workspace"
)

// Members is the state of the page of members.
type Members struct {
	Members []workspace.Belonging
	Invited []account.Invitation // for owners alone
	Email   string               // what was filled in
	Role    workspace.Role
	Link    string // of the invitation that was just made; shown this once
	For     string // whom Link is for
	Faults  map[string]string
}

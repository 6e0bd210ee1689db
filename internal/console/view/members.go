package view

import (
	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/budget"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

// Members is the page of members.
type Members struct {
	Members []workspace.Belonging
	Budgets map[id.Person]budget.Use // of every member for owners; else only the viewer's
	Invited []account.Open           // only for owners
	Email   string                   // what was filled in
	Role    workspace.Role
	Link    string // the new invitation, shown only once
	For     string // the email that Link is for
	Mailed  bool   // whether the link is also sent by email
	Faults  map[string]string
}

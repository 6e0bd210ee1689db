package view

import (
	"net/url"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/workspace"
)

// Join is the state of the page that an invitation's link leads to.
type Join struct {
	Link       string
	Invitation account.Invitation
	Workspace  string                // the name of what one is invited to; empty if it is no workspace
	InvitedBy  string                // empty if it was made at the command line
	There      []workspace.Workspace // what a first owner will own; none if they make one
	Given      membership.Newcomer
	Faults     map[string]string
}

// JoinPath is the page to which an invitation's secret leads.
func JoinPath(secret string) string { return BasePath + "/join?link=" + url.QueryEscape(secret) }

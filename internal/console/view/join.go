package view

import (
	"net/url"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/workspace"
)

// Join is the page that an invitation's link opens.
type Join struct {
	Link       string
	Invitation account.Invitation
	Workspace  string                // the name of the workspace; empty if the invitation has none
	InvitedBy  string                // empty if it was created at the command line
	There      []workspace.Workspace // the existing workspaces, which a first user will own
	Confirm    bool                  // the form sends the link that creates the account to its address
	HasAccount bool                  // so the invited person signs in; only known of a link that was sent to their address
	Given      membership.Newcomer
	Faults     map[string]string
}

// JoinPath returns the path of the page that accepts an invitation, for its secret.
func JoinPath(secret string) string { return BasePath + "/join?link=" + url.QueryEscape(secret) }

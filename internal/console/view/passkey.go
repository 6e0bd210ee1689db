package view

import "github.com/opencapi/capi/internal/account"

// PasskeySite says where passkeys work.
type PasskeySite struct {
	Origin  string // scheme, host and port; empty if they work nowhere
	Missing string // why they work nowhere, as a sentence
}

// Passkeys is the page of the passkeys of a person.
type Passkeys struct {
	All   []account.Passkey
	Site  PasskeySite
	App   bool   // the person has an app that computes codes
	Fault string // of the form that was sent
}

// passkeyPath returns the address of an action on a passkey.
func passkeyPath(one account.Passkey, action string) string {
	return BasePath + "/account/passkeys/" + one.ID.String() + action
}

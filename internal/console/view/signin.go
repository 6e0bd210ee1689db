package view

import (
	"net/url"
)

// SignIn is the sign-in page.
type SignIn struct {
	Email, Next string
	Fault       string
	Nobody      bool   // has an account yet
	Mails       bool   // whether a link to set a new password can be sent by email
	Provider    string // the name of the OpenID provider; empty if no provider is configured
	Passkeys    PasskeySite
}

// Forgot is the page that asks for the address to which a link to set a new password is sent.
type Forgot struct{ Email, Fault string }

func signInPath(next string) string {
	return BasePath + "/sign-in?next=" + url.QueryEscape(next)
}

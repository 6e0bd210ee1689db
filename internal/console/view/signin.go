package view

import (
	"net/url"
)

// SignIn is the sign-in page.
type SignIn struct {
	Email, Next string
	Fault       string
	Provider    string // the name of the OpenID provider; empty if no provider is configured
}

func signInPath(next string) string {
	return BasePath + "/sign-in?next=" + url.QueryEscape(next)
}

package view

import (
	"net/url"
)

// SignIn is the page's state.
type SignIn struct {
	Email, Next string
	Fault       string
	Provider    string // the OpenID provider's name; empty without one
}

func signInPath(next string) string {
	return BasePath + "/sign-in?next=" + url.QueryEscape(next)
}

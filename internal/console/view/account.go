package view

import (
	"net/url"
	"strings"

	"github.com/opencapi/capi/internal/account"
)

// Account is the page of the person who is signed in.
type Account struct {
	Sessions []account.Session

	// The form, as it was filled in.
	Name, Email string
	Theme       account.Theme
	Faults      map[string]string

	Provider string // the name of the OpenID provider that emails come from; empty if none is configured
	Mails    bool   // whether a link that confirms an email can be sent
}

// Email is the page that confirms another email.
type Email struct{ Link, Email string }

// EmailPath returns the address of the page that confirms another email, for the secret of its link.
func EmailPath(secret string) string {
	return BasePath + "/account/email?link=" + url.QueryEscape(secret)
}

// browserOf describes the browser of a session, as far as its user agent says.
func browserOf(one account.Session) string {
	has := func(part string) bool { return strings.Contains(one.Agent, part) }
	first := func(pairs ...[2]string) string {
		for _, p := range pairs {
			if has(p[0]) {
				return p[1]
			}
		}
		return ""
	}
	browser := first([2]string{"Edg/", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"Firefox/", "Firefox"},
		[2]string{"Chrome/", "Chrome"}, [2]string{"Safari/", "Safari"})
	system := first([2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"},
		[2]string{"Windows", "Windows"}, [2]string{"Mac OS", "macOS"}, [2]string{"Linux", "Linux"})
	switch {
	case browser == "":
		return "Unknown browser"
	case system == "":
		return browser
	default:
		return browser + " on " + system
	}
}

// themes are the choices of how the console looks.
var themes = []struct {
	value account.Theme
	label string
}{{account.ThemeSystem, "As my system"}, {account.ThemeLight, "Light"}, {account.ThemeDark, "Dark"}}

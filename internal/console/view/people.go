package view

import (
	"net/url"
	"strconv"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/workspace"
)

// People is a page of the people of the installation.
type People struct {
	Query  string
	Found  int // on all pages
	People []PersonRow
	Next   string
	Later  bool
}

// At returns the address of the page that begins with the given person.
func (v *People) At(from int) string {
	params := url.Values{}
	if v.Query != "" {
		params.Set("query", v.Query)
	}
	if from > 0 {
		params.Set("from", strconv.Itoa(from))
	}
	return withQuery(BasePath+"/operator/people", params)
}

// PersonRow is a person with their workspaces.
type PersonRow struct {
	account.Person
	Workspaces []workspace.Membership
}

// PersonDetails is the page of a person, for operators.
type PersonDetails struct {
	account.Person
	Workspaces   []workspace.Membership
	Sessions     []account.Session
	Tokens       int // that end with the person
	LastOperator bool
}

// PersonPath returns the address of a person's page, or of an action on them.
func PersonPath(p id.Person, action string) string {
	return BasePath + "/operator/people/" + p.String() + action
}

// passkeysEnd says what removing all passkeys of the person means.
func passkeysEnd(v *PersonDetails) string {
	if !v.HasPassword {
		return "Then " + v.Name + " needs another way to sign in: send them a link to set a password. Sessions and tokens stay."
	}
	return "From then on, " + v.Name + " signs in with the password. If a passkey is asked for after it, two-factor sign-in is switched off. " +
		"Make sure first that it is really they who ask. Sessions and tokens stay."
}

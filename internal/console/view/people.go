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

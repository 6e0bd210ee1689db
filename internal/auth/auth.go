// Package auth describes who sent a request and what they may do. It neither stores nor checks tokens and people: the
// packages token and account do.
package auth

import (
	"fmt"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Caller is the sender of a request: a program with its token, or a person in the console.
type Caller struct {
	Token     id.Token  // zero for a person
	Person    id.Person // zero for a token
	Workspace id.Workspace
	Scope     Scope
	Name      string // the token's, or the person's
	Owner     bool   // whether the person, or the person whom the token belongs to, is an owner of the workspace

	// Wall is read together with the token or the person, so that it costs nothing more. If nil, the package wall reads it.
	Wall *Wall
}

// Wall is what is stored about what a caller may see of companies that the workspace does not own. The package wall applies it.
type Wall struct {
	Visible []string // names of fields; empty for what the installation shows

	// The most different ones that are shown in a day, to the workspace and to the token; 0 for no limit.
	WorkspaceDaily, TokenDaily int64
}

// Actor returns the caller's name in the ledger: token:<id> or person:<id>.
func (c Caller) Actor() string {
	if c.Token.IsZero() {
		return "person:" + c.Person.String()
	}
	return "token:" + c.Token.String()
}

// Scope is what a token may do.
type Scope string

// The scopes. ReadWrite includes Read; Reconcile stands alone.
const (
	Read      Scope = "read"       // search, details, credits, reading and downloading exports
	ReadWrite Scope = "read_write" // all of Read, and creating exports
	Reconcile Scope = "reconcile"  // only /reconcile, with the token in the address
)

// ParseScope parses the name of a scope.
func ParseScope(s string) (Scope, error) {
	if scope := Scope(s); scope == Read || scope == ReadWrite || scope == Reconcile {
		return scope, nil
	}
	return "", fmt.Errorf("%q is not a scope; use %s, %s or %s", s, Read, ReadWrite, Reconcile)
}

// Allows reports whether scope s includes the required one.
func (s Scope) Allows(required Scope) bool {
	return s == required || s == ReadWrite && required == Read
}

// Require returns fault.InsufficientScope unless the caller has the scope.
func (c Caller) Require(required Scope) error {
	if c.Scope.Allows(required) {
		return nil
	}
	e := fault.New(fault.InsufficientScope, "The token has the scope %s, but this needs %s.", c.Scope, required)
	if c.Scope == Reconcile {
		e = fault.New(fault.InsufficientScope, "The token has the scope %s: it works only in the address of /reconcile, and in no header. "+
			"Send a token with the scope %s.", c.Scope, required)
	}
	return e.With("token_scope", string(c.Scope)).With("required", string(required))
}

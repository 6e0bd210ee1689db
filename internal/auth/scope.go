package auth

import (
	"fmt"

	"github.com/opencapi/capi/internal/fault"
)

// Scope is what a token may do.
type Scope string

// The scopes; a wider one includes the narrower.
const (
	Read      Scope = "read"       // search, details, credits, reading and downloading exports
	ReadWrite Scope = "read_write" // all of Read, and creating exports
)

// ParseScope reads a scope's name.
func ParseScope(s string) (Scope, error) {
	if scope := Scope(s); scope == Read || scope == ReadWrite {
		return scope, nil
	}
	return "", fmt.Errorf("%q is not a scope; it is %s or %s", s, Read, ReadWrite)
}

// Allows holds if a token of scope s may do what needs the required one.
func (s Scope) Allows(required Scope) bool {
	return s == required || s == ReadWrite && required == Read
}

// Require is fault.InsufficientScope unless the caller's token has the scope.
func (c Caller) Require(required Scope) error {
	if c.Scope.Allows(required) {
		return nil
	}
	return fault.New(fault.InsufficientScope, "The token has the scope %s, but this needs %s.", c.Scope, required).
		With("token_scope", string(c.Scope)).With("required", string(required))
}

package workspace

import "fmt"

// Role is what a member may do in a workspace.
type Role string

// The roles; an owner may all that a member may.
const (
	Owner  Role = "owner"  // invites, removes and promotes members, makes and revokes any token
	Member Role = "member" // searches, exports, keeps lists
)

// ParseRole reads a role's name.
func ParseRole(s string) (Role, error) {
	if r := Role(s); r == Owner || r == Member {
		return r, nil
	}
	return "", fmt.Errorf("%q is not a role; it is %s or %s", s, Owner, Member)
}

// Allows holds if one with role r may do what needs the required one.
func (r Role) Allows(required Role) bool { return r == required || r == Owner && required == Member }

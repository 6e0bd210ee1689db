package workspace

import "fmt"

// Role is what a member may do in a workspace.
type Role string

// The roles. An owner may do everything that a member may.
const (
	Owner  Role = "owner"  // invites, removes and promotes members, creates and revokes any token
	Member Role = "member" // searches, exports, keeps lists
)

// ParseRole parses the name of a role.
func ParseRole(s string) (Role, error) {
	if r := Role(s); r == Owner || r == Member {
		return r, nil
	}
	return "", fmt.Errorf("%q is not a role; use %s or %s", s, Owner, Member)
}

// Allows reports whether role r includes the required one.
func (r Role) Allows(required Role) bool { return r == required || r == Owner && required == Member }

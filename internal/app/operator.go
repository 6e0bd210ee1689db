package app

import (
	"os/user"

	"github.com/opencapi/capi/internal/credit"
)

// Operator is who the ledger names for what is entered at this machine: person:<login>, or the system where the login is
// not known.
func Operator() string {
	u, err := user.Current()
	if err != nil || u.Username == "" {
		return credit.ActorSystem
	}
	return "person:" + u.Username
}

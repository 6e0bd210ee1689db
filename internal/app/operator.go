package app

import (
	"os/user"

	"github.com/opencapi/capi/internal/credit"
)

// Operator returns the actor that the ledger records for commands run on this machine: person:<login>, or
// credit.ActorSystem if the login is unknown.
func Operator() string {
	u, err := user.Current()
	if err != nil || u.Username == "" {
		return credit.ActorSystem
	}
	return "person:" + u.Username
}

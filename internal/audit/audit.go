// Package audit is what audits report. It runs none: each package that stores something audits it, and package doctor runs
// all of them.
package audit

import "fmt"

// Finding is something that an audit found wrong.
type Finding struct {
	Area    string `json:"area"` // the part of the data; package doctor fills it in
	Subject string `json:"subject"`
	Problem string `json:"problem"`
}

// Found returns a Finding whose subject is of a kind, as in "workspace" or "export", and has an id.
func Found(kind string, id fmt.Stringer, problem string) Finding {
	return Finding{Subject: kind + " " + id.String(), Problem: problem}
}

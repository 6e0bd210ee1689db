package api

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/opencapi/capi/internal/fault"
)

// place is where a value stands; its text is only made for an error.
type place struct {
	parent *place
	name   string
	index  int
}

// shownNameMax is how much of a name an error repeats, in bytes.
const shownNameMax = 100

func (p *place) String() string {
	if p == nil {
		return ""
	}
	before, name := p.parent.String(), p.name
	if len(name) > shownNameMax {
		name = strings.ToValidUTF8(name[:shownNameMax], "") + "…"
	}
	switch {
	case name == "":
		return fmt.Sprintf("%s[%d]", before, p.index)
	case before == "":
		return name
	default:
		return before + "." + name
	}
}

// faultsMax bounds what is told of one body; a megabyte of faults would make an answer of many.
const faultsMax = 100

// tell adds a fault, unless enough are told.
func tell(told []fault.FieldError, where *place, message string) []fault.FieldError {
	if len(told) >= faultsMax {
		return told
	}
	return append(told, fault.FieldError{Field: cmp.Or(where.String(), "body"), Message: message})
}

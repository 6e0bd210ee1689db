package reqbody

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/fault"
)

// path is the path of a field from the root, such as connections[0].category. Its text is only built for an error.
type path struct {
	parent *path
	name   string // empty for an item of a list
	index  int
}

// shownNameBytesMax is how much of a name an error repeats.
const shownNameBytesMax = 100

func (p *path) String() string {
	if p == nil {
		return ""
	}
	before, name := p.parent.String(), p.name
	if len(name) > shownNameBytesMax {
		name = strings.ToValidUTF8(name[:shownNameBytesMax], "") + "…"
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

// errorsMax bounds the errors reported for one body: without it, one request of 1 MiB could cause a response of many.
const errorsMax = 100

// appendError adds an error unless errs has errorsMax already. The root is called body.
func appendError(errs []fault.FieldError, at *path, message string) []fault.FieldError {
	if len(errs) >= errorsMax {
		return errs
	}
	return append(errs, fault.FieldError{Field: cmp.Or(at.String(), "body"), Message: message})
}

// appendNew appends the errors in more, skipping any whose field (or a part of it) already has one; those are follow-on
// errors.
func appendNew(errs, more []fault.FieldError) []fault.FieldError {
	for _, f := range more {
		if len(errs) >= errorsMax {
			break
		}
		if !slices.ContainsFunc(errs, func(e fault.FieldError) bool { return within(e.Field, f.Field) }) {
			errs = append(errs, f)
		}
	}
	return errs
}

// within reports whether field is other or a part of it.
func within(field, other string) bool {
	rest, ok := strings.CutPrefix(field, other)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

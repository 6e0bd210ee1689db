package company

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/text"
)

// ColumnFaults returns the errors of columns of a file that are no field or that come twice. field is the name of the list in a request.
func ColumnFaults(field string, columns []string) (errs []fault.FieldError) {
	all := make([]string, len(Fields))
	for i := range Fields {
		all[i] = Fields[i].Name
	}
	for i, name := range columns {
		var message string
		switch {
		case slices.Contains(columns[:i], name):
			message = "is listed twice"
		case slices.Contains(all, name):
			continue
		case text.Nearest(name, all) != "":
			message = "is not a column; did you mean " + text.Nearest(name, all) + "?"
		default:
			message = "is not a column; the columns are " + strings.Join(all, ", ")
		}
		errs = append(errs, fault.FieldError{Field: fmt.Sprintf("%s[%d]", field, i), Message: message})
	}
	return errs
}

package fault

import "errors"

// FieldError describes what is wrong with one field of a request's body or parameters.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Invalid returns a Validation error that lists all field errors, or nil if there are none.
func Invalid(errs ...FieldError) error {
	if len(errs) == 0 {
		return nil
	}
	message := errs[0].Field + ": " + errs[0].Message
	if errs[0].Field == "" {
		message = errs[0].Message
	}
	e := New(Validation, "%s", message)
	if len(errs) > 1 {
		e.Message += " (and more, see details.errors)"
	}
	return e.With("errors", errs)
}

// Fields returns the field errors that a Validation error in err's chain lists, and nil for every other error.
func Fields(err error) []FieldError {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != Validation {
		return nil
	}
	fields, _ := e.Details["errors"].([]FieldError)
	return fields
}

package fault

// FieldError is one fault of a request's body or parameters.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Invalid makes the Validation error that lists every fault found; it is nil without one.
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

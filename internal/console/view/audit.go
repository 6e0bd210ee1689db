package view

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Audit is a page of the audit log.
type Audit struct {
	Page         string // the address without parameters
	Installation bool   // the log of the whole installation, not of one workspace
	Filter       AuditFilter
	Faults       map[string]string
	Entries      []auditlog.Entry
	Next         string
	Sheet        string // the address of the log as CSV
}

// AuditFilter selects entries of the audit log, as it was typed.
type AuditFilter struct{ From, To, Action, Before string }

// Read returns the filter for the log, and the entry before which the page begins. Days are whole days in UTC.
func (f AuditFilter) Read() (filter auditlog.Filter, before id.AuditEntry, err error) {
	var faults []fault.FieldError
	filter.From, filter.To, faults = readDays(f.From, f.To)
	if filter.Action = auditlog.Action(f.Action); f.Action != "" && !slices.Contains(auditlog.Selectable(), filter.Action) {
		faults = append(faults, fault.FieldError{Field: "action", Message: "is not a known action"})
	}
	if f.Before != "" {
		if before, err = id.Parse[id.AuditEntry](f.Before); err != nil {
			faults = append(faults, fault.FieldError{Field: "before", Message: "is not a valid position in the log"})
		}
	}
	return filter, before, fault.Invalid(faults...)
}

// At returns the address of the page with parameters changed, given as pairs of name and value. An empty value removes the
// parameter.
func (v *Audit) At(changes ...string) string {
	params := url.Values{}
	for _, p := range [][2]string{{"from", v.Filter.From}, {"to", v.Filter.To}, {"action", v.Filter.Action}, {"before", v.Filter.Before}} {
		changes = append([]string{p[0], p[1]}, changes...)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if params.Del(changes[i]); changes[i+1] != "" {
			params.Set(changes[i], changes[i+1])
		}
	}
	return withQuery(v.Page, params)
}

// actionText returns an action for people: token.budget_changed is Token: budget changed.
func actionText(a auditlog.Action) string {
	kind, done, single := strings.Cut(string(a), ".")
	kind = strings.ToUpper(kind[:1]) + kind[1:]
	if !single {
		return kind + ": all"
	}
	return kind + ": " + strings.ReplaceAll(done, "_", " ")
}

// auditActor returns who made the entry, for people.
func auditActor(e auditlog.Entry) string {
	kind, actor := e.ActorParts()
	switch {
	case e.ActorName != "" && kind == "token":
		return "token " + e.ActorName
	case e.ActorName != "":
		return e.ActorName
	case actor == "":
		return "the system"
	}
	return actor
}

// auditDetails returns the details of the entry as text, in the order of their names.
func auditDetails(e auditlog.Entry) string {
	names := make([]string, 0, len(e.Details))
	for name := range e.Details {
		names = append(names, name)
	}
	slices.Sort(names)
	var parts []string
	for _, name := range names {
		value, isText := e.Details[name].(string)
		if !isText {
			encoded, err := json.Marshal(e.Details[name])
			if err != nil {
				continue // it was read from JSON
			}
			value = string(encoded)
		}
		if value != "" && value != "null" {
			parts = append(parts, strings.ReplaceAll(name, "_", " ")+" "+value)
		}
	}
	return strings.Join(parts, " · ")
}

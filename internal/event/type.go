package event

import (
	"slices"
	"strings"

	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/text"
)

// Type is what happened: a kind of subject, a dot, and what happened to it.
type Type string

// The types.
const (
	ExportCreated   Type = "export.created"
	ExportCompleted Type = "export.completed"
	ExportFailed    Type = "export.failed"
	ExportCancelled Type = "export.cancelled"
	ExportRefunded  Type = "export.refunded"

	ExportDelivered      Type = "export.delivered"
	ExportDeliveryFailed Type = "export.delivery_failed"

	QuoteExpired Type = "quote.expired"

	OrderRan     Type = "order.ran"
	OrderSkipped Type = "order.skipped"

	CreditsGranted Type = "credits.granted"
	CreditsLow     Type = "credits.low"

	BudgetThreshold Type = "budget.threshold"

	TokenCreated               Type = "token.created"
	TokenRotated               Type = "token.rotated"
	TokenRevoked               Type = "token.revoked"
	TokenBudgetChanged         Type = "token.budget_changed"
	TokenDailyCompaniesChanged Type = "token.daily_companies_changed"

	MemberAdded         Type = "member.added"
	MemberRoleChanged   Type = "member.role_changed"
	MemberBudgetChanged Type = "member.budget_changed"
	MemberRemoved       Type = "member.removed"
)

// Entry describes one type for people.
type Entry struct {
	Type   Type
	Owners bool // only owners of the workspace may read events of the type
	When   string
}

// Catalogue returns every type, in the order in which they are shown.
func Catalogue() []Entry {
	return []Entry{
		{ExportCreated, false, "An export was bought."},
		{ExportCompleted, false, "The file of an export is ready."},
		{ExportFailed, false, "An export failed for good and delivers nothing."},
		{ExportCancelled, false, "An export was cancelled and delivers nothing."},
		{ExportRefunded, false, "Credits of an export were refunded, because it or another one ended without a file."},
		{ExportDelivered, false, "The file of an export and its manifest are at its destination."},
		{ExportDeliveryFailed, false, "The first attempt to deliver an export failed, and is repeated; or the last one did, and next_attempt_at is null."},
		{QuoteExpired, false, "A quote that nobody bought has expired. The event comes up to two minutes later."},
		{OrderRan, false, "A standing order ran: it made an export, or found nothing new."},
		{OrderSkipped, false, "A run of a standing order was skipped, such as for a price above its limit."},
		{CreditsGranted, false, "An operator granted, sold or corrected credits."},
		{CreditsLow, false, "A purchase or a correction took the balance below the low balance that is set for the workspace."},
		{BudgetThreshold, true, "A purchase took what a token or member has spent to 80 % or 100 % of a budget."},
		{TokenCreated, true, "A token was created."},
		{TokenRotated, true, "A token got a new secret."},
		{TokenRevoked, true, "A token was revoked."},
		{TokenBudgetChanged, true, "The budget of a token was changed."},
		{TokenDailyCompaniesChanged, true, "The daily limit of companies of a token was changed."},
		{MemberAdded, true, "A person became a member."},
		{MemberRoleChanged, true, "A member got another role."},
		{MemberBudgetChanged, true, "The budget of a member was changed."},
		{MemberRemoved, true, "A person is no longer a member."},
	}
}

// anyOf follows a kind and a dot, to select all types of the kind.
const anyOf = "*"

// Select returns the types that the names select, in the order of the catalogue; without names, all. A name is a type, or a kind
// and ".*", as in export.*. field is where errors are reported.
func Select(field string, names []string) ([]Type, error) {
	var errs []fault.FieldError
	chosen := map[Type]bool{}
	for _, name := range names {
		kind, isKind := strings.CutSuffix(name, anyOf)
		known := false
		for _, e := range Catalogue() {
			if string(e.Type) == name || isKind && strings.HasSuffix(kind, ".") && strings.HasPrefix(string(e.Type), kind) {
				chosen[e.Type], known = true, true
			}
		}
		if !known {
			errs = append(errs, fault.FieldError{Field: field, Message: unknownType(name)})
		}
	}
	var types []Type
	for _, e := range Catalogue() {
		if len(names) == 0 || chosen[e.Type] {
			types = append(types, e.Type)
		}
	}
	return types, fault.Invalid(errs...)
}

func unknownType(name string) string {
	var known []string
	for _, e := range Catalogue() {
		kind, _, _ := strings.Cut(string(e.Type), ".")
		if all := kind + "." + anyOf; !slices.Contains(known, all) {
			known = append(known, all)
		}
		known = append(known, string(e.Type))
	}
	message := `"` + text.Short(name) + `" is not a type of events`
	if near := text.Nearest(name, known); near != "" {
		return message + "; did you mean " + near + "?"
	}
	return message + "; use a type such as export.completed, or a kind such as export.*"
}

// ForOwners reports whether only owners of the workspace may read events of the type.
func (t Type) ForOwners() bool {
	return slices.ContainsFunc(Catalogue(), func(e Entry) bool { return e.Type == t && e.Owners })
}

package export

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dustin/go-humanize"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/index"
	"github.com/opencapi/capi/internal/query"
)

// resolved is a request with the companies that it selects.
type resolved struct {
	Request
	selection selection
	sort      string // as an export stores it
	costMax   *int64 // what the quote promised; nil without a quote
	warnings  []Warning
}

// overtaken reports whether the selection lacks companies because some of it was unlocked since it was found.
func (r resolved) overtaken(s selection, owned company.Set) bool {
	return r.Terms.OnlyNew && r.costMax == nil && s.matches > len(r.selection.numbers) && s.set.AndLen(owned) > 0
}

// resolve finds the request's companies, or reads those of its quote. NoCandidates if there are none, Validation if a file of
// the format cannot hold one of them as it is now.
func (x *Exports) resolve(ctx context.Context, caller auth.Caller, r Request) (resolved, error) {
	found, err := x.chosen(ctx, caller, r)
	if err != nil {
		return resolved{}, err
	}
	return found, x.checkLimits(ctx, caller, found)
}

func (x *Exports) chosen(ctx context.Context, caller auth.Caller, r Request) (resolved, error) {
	if !r.Quote.IsZero() {
		return x.readQuote(ctx, caller, r)
	}
	r, err := x.bounded(ctx, caller, r)
	if err != nil {
		return resolved{}, err
	}
	s, err := x.find(ctx, caller.Workspace, r)
	if err != nil {
		return resolved{}, err
	}
	warnings, err := index.Warnings(ctx, x.index, r.Query)
	if err != nil {
		return resolved{}, err
	}
	if len(s.numbers) == 0 {
		return resolved{}, x.empty(ctx, r, s, warnings)
	}
	found := resolved{Request: r, selection: s, warnings: warnings}
	found.Options.MatchKeys = s.keys != nil
	if r.Source == SourceSearch || r.Source == SourceSet {
		found.sort = r.Sort.String()
	}
	return found, nil
}

// empty returns why the request selects nothing.
func (x *Exports) empty(ctx context.Context, r Request, s selection, warnings []Warning) error {
	if s.excluded > 0 {
		return allExcluded(s.excluded)
	}
	if r.Instead == nil {
		together, err := index.Together(ctx, x.index, r.Query)
		if err != nil {
			return err
		}
		warnings = append(warnings, together...)
	}
	return noCandidates(r, warnings)
}

// checkLimits returns a Validation error if a file of the request's format cannot hold one of the companies. One that changes
// after that fails the export, with a refund.
func (x *Exports) checkLimits(ctx context.Context, caller auth.Caller, r resolved) error {
	if !format.HasLimits(r.Format, r.Options) {
		return nil
	}
	seq, err := x.catalog.Seq(ctx)
	if err != nil {
		return err
	}
	removed, err := x.catalog.Removed(ctx)
	if err != nil {
		return err
	}
	o := r.Options
	o.KeysOf = func(c company.Number) []string { return r.selection.keys[c] }
	err = x.catalog.Rows(ctx, r.selection.without(removed).numbers, seq, func(c *company.Company) error {
		return format.Fits(r.Format, o, c)
	})
	if long, ok := errors.AsType[*format.TooLongError](err); ok {
		message, shownErr := x.tooLong(ctx, caller, long)
		return cmp.Or(shownErr, fault.Invalid(fault.FieldError{Field: "export_format", Message: message}))
	}
	return err
}

// tooLong returns what the caller may know about a text that a file cannot hold: nothing of a locked one, not even its length.
func (x *Exports) tooLong(ctx context.Context, caller auth.Caller, long *format.TooLongError) (string, error) {
	locked, err := x.wall.Locked(ctx, caller)
	if err != nil || !locked.Has(long.Column) {
		return long.Error(), err
	}
	delivered, err := x.unlock.Delivered(ctx, caller.Workspace)
	if err != nil || delivered.Has(long.Number) {
		return long.Error(), err
	}
	return long.Locked(), nil
}

// bounded returns the request without what its search would show of locked fields, and with the companies of the sets that it names.
// Validation for a filter on a locked field.
func (x *Exports) bounded(ctx context.Context, caller auth.Caller, r Request) (Request, error) {
	locked, err := x.wall.Locked(ctx, caller)
	if err != nil || r.Source != SourceSearch && r.Source != SourceSet {
		return r, err
	}
	if r.Query, err = r.Query.Bounded(locked); err == nil {
		r.Query, err = x.resolveSets(ctx, caller, locked, r.Query)
	}
	if err != nil {
		return r, cmp.Or(fault.Invalid(r.placed(caller, fault.Fields(err))...), err)
	}
	var notice *query.Notice
	r.Sort, notice = r.Sort.Bounded(locked)
	r.Query = r.Query.With(notice)
	return r, nil
}

// placed returns errors of filters where the caller's request has them: a program's filters are in an object.
func (r Request) placed(caller auth.Caller, errs []fault.FieldError) []fault.FieldError {
	if caller.Token.IsZero() || r.Source != SourceSearch {
		return errs
	}
	placed := slices.Clone(errs)
	for i := range placed {
		placed[i].Field = "search_filters." + placed[i].Field
	}
	return placed
}

// refuseWidened returns an error if the request would buy more than it asks for, because some filters cover more than they say. A quote shows
// what more it costs.
func (r Request) refuseWidened(caller auth.Caller) error {
	return fault.Invalid(r.placed(caller, r.Query.Widened())...)
}

// without returns the selection without the companies that were removed from the catalog since they were found. A quote
// is sold as a whole or not at all, so it is QuoteOutdated if any of its companies was removed.
func (r resolved) without(removed company.Set) (selection, error) {
	gone := r.selection.set.AndLen(removed)
	switch {
	case gone == 0:
		return r.selection, nil
	case r.costMax != nil:
		return selection{}, withdrawn(gone)
	case gone == len(r.selection.numbers):
		return selection{}, noCandidates(r.Request, r.warnings)
	}
	return r.selection.without(removed), nil
}

// price returns the rows to deliver and the figures, or why they cannot be bought. The selection of a quote was made
// under its terms already, and must not cost more than the quote said.
func (r resolved) price(s selection, owned company.Set, balance int64) (selection, Figures, error) {
	terms := r.Terms
	if r.costMax != nil {
		terms.OnlyNew, terms.OnlyOwned, terms.Partial = false, false, false
	}
	sold, figures, err := terms.price(s, owned, balance)
	if err == nil && r.costMax != nil && figures.Cost > *r.costMax {
		err = outdated(figures.Cost, *r.costMax)
	}
	if err == nil {
		err = terms.refusal(sold, figures)
	}
	return sold, figures, err
}

// find returns the companies that the request selects; there may be none. It leaves out what was removed from the
// catalog, because the index learns that a little later and a list never does.
func (x *Exports) find(ctx context.Context, ws id.Workspace, r Request) (selection, error) {
	out, err := x.catalog.Removed(ctx)
	if err != nil {
		return selection{}, err
	}
	out = out.Or(r.Without)
	within := r.Instead
	if r.Terms.OnlyNew || r.Terms.OnlyOwned {
		owned, err := x.unlock.Owned(ctx, ws)
		if err != nil {
			return selection{}, err
		}
		switch {
		case r.Terms.OnlyNew:
			out = out.Or(owned)
		case within != nil:
			within = new(within.And(owned))
		default:
			within = &owned
		}
	}
	if !r.Terms.NotOn.IsZero() {
		excluded, err := x.lists.Companies(ctx, ws, r.Terms.NotOn)
		if err != nil {
			return selection{}, err
		}
		out = out.Or(excluded)
	}
	excluded, err := x.lists.Excluded(ctx, ws)
	if err != nil {
		return selection{}, err
	}
	var found *index.Selected
	var keys matchKeys
	switch {
	case r.Source == SourceList && r.Instead == nil:
		found, err = x.findListed(ctx, ws, r, within, out, excluded)
	case r.Source == SourceMatch && r.Instead == nil:
		found, keys, err = x.findMatched(ctx, ws, r, within, out, excluded)
	default:
		if r.Instead != nil {
			r.Query = query.Query{}
		}
		s := index.Selection{Query: r.Query, Sort: r.Sort, Limit: r.Terms.rowsMax(), Within: within, Excluded: excluded}
		if !out.IsEmpty() {
			s.Without = &out
		}
		found, err = x.index.Select(ctx, s)
	}
	if err != nil {
		return selection{}, fmt.Errorf("select companies: %w", err)
	}
	return selection{
		numbers: found.Numbers, set: company.SetOf(found.Numbers...), matches: found.Total, excluded: found.Excluded,
		capped: found.Total > RowsMax && r.Terms.rowsMax() == RowsMax, keys: keys,
	}, nil
}

// findMatched returns the companies of a match in the order of the caller's list, with the caller's keys.
func (x *Exports) findMatched(
	ctx context.Context, ws id.Workspace, r Request, within *company.Set, out company.Set, excluded []company.Set,
) (*index.Selected, matchKeys, error) {
	matched, err := x.matches.Get(ctx, ws, r.Match)
	if err != nil {
		return nil, nil, err
	}
	numbers := slices.DeleteFunc(matched.Numbers(), func(n company.Number) bool {
		return out.Has(n) || within != nil && !within.Has(n)
	})
	all := len(numbers)
	numbers = slices.DeleteFunc(numbers, func(n company.Number) bool {
		return slices.ContainsFunc(excluded, func(s company.Set) bool { return s.Has(n) })
	})
	found := &index.Selected{Numbers: numbers[:min(len(numbers), r.Terms.rowsMax())], Total: len(numbers), Excluded: all - len(numbers)}
	return found, matched.Keys(), nil
}

// findListed returns the companies of a list in ascending order of their numbers, the order in which they came into the
// catalog.
func (x *Exports) findListed(
	ctx context.Context, ws id.Workspace, r Request, within *company.Set, out company.Set, excluded []company.Set,
) (*index.Selected, error) {
	set, err := x.lists.Companies(ctx, ws, r.List)
	if err != nil {
		return nil, err
	}
	if set = set.Minus(out); within != nil {
		set = set.And(*within)
	}
	all := set.Len()
	for _, e := range excluded {
		set = set.Minus(e)
	}
	numbers := make([]company.Number, 0, min(set.Len(), r.Terms.rowsMax()))
	for n := range set.All() {
		if len(numbers) == r.Terms.rowsMax() {
			break
		}
		numbers = append(numbers, n)
	}
	return &index.Selected{Numbers: numbers, Total: set.Len(), Excluded: all - set.Len()}, nil
}

// allExcluded is the error of a request that selects only companies that the workspace excludes.
func allExcluded(companies int) error {
	return fault.New(fault.NoCandidates, "All %s companies that match are on excluded lists. Switch the exclusion of a list off to export them.",
		humanize.Comma(int64(companies))).
		With("warnings", []Warning{}).With("excluded_count", companies)
}

// noCandidates is the error of a request that selects nothing, with the most likely reason.
func noCandidates(r Request, warnings []Warning) error {
	reason := "."
	switch w := worst(warnings); {
	case w != nil:
		reason = fmt.Sprintf(": %s %q: %s", w.Field, w.Value, w.Message)
	case r.Instead != nil: // also only what is owned
		reason = ": none that the workspace owns has left the source since the last run."
	case r.Terms.OnlyOwned:
		reason = " that the workspace has unlocked."
	case !r.Without.IsEmpty():
		reason = " that the order has not delivered yet."
	case r.Terms.OnlyNew:
		reason = " that the workspace has not unlocked yet. Without only_new, unlocked companies are exported again for free."
	case r.Source == SourceList:
		reason = ": the list is empty."
	case r.Source == SourceMatch:
		reason = ": the match found no company."
	case r.Query.Root != nil:
		reason = ": no company meets all filters at once. Leave one out; POST /companies/search counts the matches for free."
	}
	return fault.New(fault.NoCandidates, "No companies match the export criteria%s", reason).
		With("warnings", append([]Warning{}, warnings...))
}

// worst returns the warning that most likely explains an empty result: one about a value that companies must have,
// preferably with a suggestion. It is nil if there is none.
func worst(warnings []Warning) *Warning {
	var found *Warning
	for i, w := range warnings {
		if strings.HasPrefix(w.Field, "exclude_") {
			continue
		}
		if w.Suggestion != nil {
			return &warnings[i]
		}
		if found == nil {
			found = &warnings[i]
		}
	}
	return found
}

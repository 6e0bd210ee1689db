package search

import (
	"context"
	"fmt"
	"slices"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/query"
)

// seen is what a caller sees: the companies in full with all their fields, the others without the locked ones.
type seen struct {
	locked   company.FieldSet
	owned    company.Set
	by       auth.Caller
	excluded []company.Set // the lists that are left out of everything
	full     company.Set   // the owned ones that were delivered; not set if nothing is locked
}

func (s *Searcher) seenBy(ctx context.Context, caller auth.Caller) (seen, error) {
	locked, err := s.Wall.Locked(ctx, caller)
	if err != nil {
		return seen{}, err
	}
	v := seen{locked: locked, by: caller}
	if v.excluded, err = s.Lists.Excluded(ctx, caller.Workspace); err != nil {
		return seen{}, err
	}
	if v.owned, err = s.Unlock.Owned(ctx, caller.Workspace); err != nil || locked.IsEmpty() {
		return v, err
	}
	delivered, err := s.Unlock.Delivered(ctx, caller.Workspace)
	// A purchase may have been delivered since owned was read: one answer shows nothing in full that it does not call owned.
	v.full = delivered.And(v.owned)
	return v, err
}

// item returns the company as the caller sees it.
func (v seen) item(c *company.Company) Item {
	if v.locked.IsEmpty() || v.full.Has(c.Number) {
		return Item{Company: c, Unlocked: v.owned.Has(c.Number)}
	}
	return Item{Company: c.Masked(v.locked), Unlocked: v.owned.Has(c.Number), Locked: v.locked}
}

// bound returns the query and the sort without what they would show of locked fields, and with the companies of the sets that the
// query names. A search for the connections of companies that are shown in full is not limited.
func (s *Searcher) bound(ctx context.Context, caller auth.Caller, seen seen, q query.Query, by query.Sort) (query.Query, query.Sort, error) {
	q, err := q.Bounded(seen.locked)
	if err == nil {
		q, err = s.ResolveSets(ctx, caller, seen.locked, q)
	}
	if err != nil {
		return q, by, err
	}
	by, notice := by.Bounded(seen.locked)
	return q.With(notice), by, nil
}

// hides reports whether the facet would name values of a locked field.
func (v seen) hides(f Facet) bool { return Hides(v.locked, f) }

// Hides reports whether the facet is not counted for somebody who does not see the locked fields, because it would name their values.
// Bands of numbers, sectors and which fields are known are what they may know.
func Hides(locked company.FieldSet, f Facet) bool {
	return f.Field().IsIn(locked) && !f.HasBands() && f.Field() != query.FieldNAICS
}

// hidden returns the facets that the caller does not see.
func (v seen) hidden() []Facet {
	if v.locked.IsEmpty() {
		return nil
	}
	return slices.DeleteFunc(AllFacets(), func(f Facet) bool { return !v.hides(f) })
}

// facets returns the facets to count of those that are asked for; nil asks for all. Validation for one of a locked field, and for
// the beginnings of its values.
func (v seen) facets(asked []Facet, prefix FacetPrefix) ([]Facet, error) {
	if v.locked.IsEmpty() {
		return asked, nil
	}
	var errs []fault.FieldError
	if prefix.Facet != "" && prefix.Facet.Field().IsIn(v.locked) {
		errs = append(errs, lockedFacet("facet_prefix.facet", prefix.Facet))
	}
	for i, f := range asked {
		if v.hides(f) {
			errs = append(errs, lockedFacet(fmt.Sprintf("facets[%d]", i), f))
		}
	}
	if asked == nil {
		asked = slices.DeleteFunc(AllFacets(), v.hides)
	}
	return asked, fault.Invalid(errs...)
}

func lockedFacet(field string, f Facet) fault.FieldError {
	return fault.FieldError{Field: field, Message: fmt.Sprintf("%s is locked: the workspace sees it only for companies that it owns, so its values are not counted", f.Field())}
}

// Package set finds the companies of the sets that a query names: lists, saved searches, exports, matches, and what a workspace owns.
// It does not search; a saved search becomes a part of the query.
package set

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/catalog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/list"
	"github.com/opencapi/capi/internal/match"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/unlock"
)

// Deps are what Sets need.
type Deps struct {
	DB      *db.DB
	Catalog *catalog.Store
	Lists   *list.Store
	Matches *match.Store
	Unlock  *unlock.Store
}

// Sets finds the companies of stored sets. It is safe for concurrent use.
type Sets struct{ Deps }

// New returns Sets.
func New(d Deps) *Sets { return &Sets{d} }

// partsMax is the number of stored sets that a query may have once its saved searches have taken the place of their references.
const partsMax = 1000

// Resolve returns the query with the companies of the sets that it names, as they are now. Saved searches are bounded by the locked
// fields as the query must be already. NotFound for a list, a saved search, an export or a match that the caller's workspace does not have;
// Validation for a saved search that contains itself, or filters by a locked field.
func (s *Sets) Resolve(ctx context.Context, caller auth.Caller, locked company.FieldSet, q query.Query) (query.Query, error) {
	r := &resolver{Sets: s, ctx: ctx, ws: caller.Workspace, locked: locked, found: map[string]content{}}
	return q.Resolve(r.content)
}

// resolver resolves the sets of one query.
type resolver struct {
	*Sets
	ctx    context.Context //nolint:containedctx // a resolver is one call of Resolve
	ws     id.Workspace
	locked company.FieldSet
	found  map[string]content // by key
	within []string           // the ids of the saved searches around the set
	broken string             // the id of the innermost saved search with an error
	parts  int                // stored sets so far
}

type content struct {
	query.SetContent
	parts int
}

func (r *resolver) content(use query.SetUse) (query.SetContent, error) {
	key := use.Of.Key()
	before := r.parts
	found, known := r.found[key]
	if known {
		r.parts += found.parts
	} else {
		var err error
		if found.SetContent, err = r.read(use); err != nil {
			return query.SetContent{}, err
		}
		r.parts++
		found.parts = r.parts - before
		r.found[key] = found
	}
	if r.parts > partsMax {
		return query.SetContent{}, invalid(use, "has saved searches with too many sets: over %d in all", partsMax)
	}
	if known {
		found.Notices = nil
	}
	return found.SetContent, nil
}

func (r *resolver) read(use query.SetUse) (c query.SetContent, err error) {
	switch s := use.Of; s.Kind {
	case query.SetOwned:
		c.Companies, err = r.Unlock.Owned(r.ctx, r.ws)
	case query.SetOfList:
		c.Companies, err = r.Lists.Companies(r.ctx, r.ws, parsed[id.List](s.ID))
	case query.SetOfMatch:
		matched, err := r.Matches.Get(r.ctx, r.ws, parsed[id.MatchResult](s.ID))
		return query.SetContent{Companies: company.SetOf(matched.Numbers()...)}, err
	case query.SetOfExport:
		return r.export(use)
	case query.SetOfCompanies:
		return r.companies(use)
	case query.SetOfSavedSearch:
		return r.savedSearch(use)
	case query.SetAddedSince, query.SetChangedSince:
		c.Companies, err = r.since(use)
	default:
		err = fmt.Errorf("unknown kind of set %q", s.Kind)
	}
	return c, err
}

func (r *resolver) export(use query.SetUse) (query.SetContent, error) {
	delivered, status, err := export.Delivered(r.ctx, r.DB.Read(), r.ws, parsed[id.Export](use.Of.ID))
	if err != nil {
		return query.SetContent{}, err
	}
	c := query.SetContent{Companies: delivered}
	if delivered.IsEmpty() {
		c.Notices = []query.Notice{{Param: use.Field, Value: use.Of.ID, Message: fmt.Sprintf("is an export that delivers nothing, because it is %s", status)}}
	}
	return c, nil
}

func (r *resolver) since(use query.SetUse) (company.Set, error) {
	var m catalog.Moment
	t, err := time.Parse(time.RFC3339, use.Of.ID)
	if err == nil {
		m, err = r.Catalog.MomentAt(r.ctx, t)
	} else {
		var seq uint64
		if seq, err = export.BoughtAt(r.ctx, r.DB.Read(), r.ws, parsed[id.Export](use.Of.ID)); err == nil {
			m, err = r.Catalog.MomentOf(r.ctx, seq)
		}
	}
	var newer company.Set
	if err == nil && use.Of.Kind == query.SetAddedSince {
		newer, err = r.Catalog.AddedSince(r.ctx, m)
	} else if err == nil {
		newer, err = r.Catalog.ChangedSince(r.ctx, m)
	}
	if errs := fault.Fields(err); len(errs) > 0 {
		return company.Set{}, invalid(use, "%s", errs[0].Message)
	}
	return newer, err
}

func (r *resolver) companies(use query.SetUse) (query.SetContent, error) {
	numbers, unknown, err := r.Catalog.Numbers(r.ctx, use.Of.Companies)
	if err != nil {
		return query.SetContent{}, err
	}
	c := query.SetContent{Companies: company.SetOf(numbers...)}
	if len(unknown) > 0 {
		message := "is the id of no company"
		if len(unknown) > 1 {
			message = fmt.Sprintf("is the id of no company, like %d others", len(unknown)-1)
		}
		c.Notices = []query.Notice{{Param: use.Field, Value: unknown[0].String(), Message: message}}
	}
	return c, nil
}

// savedSearch returns the query of a saved search, with what it shows of its matches.
func (r *resolver) savedSearch(use query.SetUse) (query.SetContent, error) {
	if slices.Contains(r.within, use.Of.ID) {
		return query.SetContent{}, invalid(use, "is a saved search that contains itself")
	}
	if len(r.within) == query.SetDepthMax {
		return query.SetContent{}, invalid(use, "is nested too deeply: saved searches may contain each other over %d levels", query.SetDepthMax)
	}
	saved, err := r.Lists.GetSearch(r.ctx, r.ws, parsed[id.Search](use.Of.ID))
	if err != nil {
		return query.SetContent{}, err
	}
	q, err := query.Parse(saved.AsFilters())
	if err == nil {
		q, err = q.Bounded(r.locked)
	}
	if err == nil {
		r.within = append(r.within, use.Of.ID)
		q, err = q.Resolve(r.content)
		r.within = r.within[:len(r.within)-1]
	}
	return query.SetContent{Query: &q}, r.under(use, err)
}

// under places an error of a saved search at the reference to it that the request has: one in a saved search within another stays as it is
// until then. A set that is gone, such as a match that has expired, stays NotFound, but the message says which saved search names it.
func (r *resolver) under(use query.SetUse, err error) error {
	errs := fault.Fields(err)
	gone, ok := errors.AsType[*fault.Error](err)
	if missing := ok && gone.Code == fault.NotFound; len(errs) == 0 && !missing {
		return err
	}
	if r.broken == "" {
		r.broken = use.Of.ID
	}
	if len(r.within) > 0 {
		return err
	}
	nested := r.broken != use.Of.ID
	switch {
	case len(errs) > 0 && nested:
		return invalid(use, "cannot be used: in the saved search %s within it, the filter %s %s", r.broken, errs[0].Field, errs[0].Message)
	case len(errs) > 0:
		return invalid(use, "cannot be used: its filter %s %s", errs[0].Field, errs[0].Message)
	case nested:
		return fault.New(fault.NotFound, "The saved search %s, named by %s, cannot be used, because it contains the saved search %s: %s Change or delete that saved search.",
			use.Of.ID, use.Field, r.broken, gone.Message)
	}
	return fault.New(fault.NotFound, "The saved search %s, named by %s, cannot be used: %s Change or delete the saved search.", use.Of.ID, use.Field, gone.Message)
}

func invalid(use query.SetUse, format string, args ...any) error {
	return fault.Invalid(fault.FieldError{Field: use.Field, Message: strings.TrimSpace(fmt.Sprintf(format, args...))})
}

// parsed returns the id that the query has checked.
func parsed[T id.ID[K], K any](s string) T {
	v, _ := id.Parse[T, K](s)
	return v
}

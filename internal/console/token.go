package console

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/workspace"
)

// Tokens is the page of a workspace's tokens.
type Tokens struct {
	Tokens []TokenRow
	Ended  int // of Tokens, those that no longer work; they come last
	Form   TokenForm
	Faults map[string]string
}

// TokenRow is a token with what it spent.
type TokenRow struct {
	token.Token
	Owner      string // the member's name; empty if it belongs to nobody
	Mine       bool   // the viewer may change it
	Spent      int64  // credits, less what was given back
	SpentMonth int64  // in this calendar month
}

// TokenForm is what a new token is made of, as it was typed.
type TokenForm struct{ Name, Scope, Days, Budget, BudgetMonth, Shared string }

// State is what a token is good for now, and how that looks.
func (t TokenRow) State(now time.Time) (text, tone string) {
	switch {
	case t.RevokedAt != nil:
		return "revoked", "bad"
	case t.ExpiresAt != nil && !t.ExpiresAt.After(now):
		return "expired", "warn"
	}
	return "works", "good"
}

func (t TokenRow) ended(now time.Time) bool {
	text, _ := t.State(now)
	return text != "works"
}

func (s *server) listTokens(w http.ResponseWriter, r *http.Request) error {
	view, err := s.tokensView(r.Context())
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, TokensPage(view))
}

func (s *server) tokensView(ctx context.Context) (*Tokens, error) {
	v, now := ViewerOf(ctx), time.Now()
	tokens, err := s.Tokens.List(ctx, v.Workspace.ID)
	if err != nil {
		return nil, err
	}
	names, err := s.buyers(ctx, v.Workspace.ID)
	if err != nil {
		return nil, err
	}
	all, err := s.spentByToken(ctx, v.Caller(), time.Unix(0, 0))
	if err != nil {
		return nil, err
	}
	month, err := s.spentByToken(ctx, v.Caller(), time.Date(now.UTC().Year(), now.UTC().Month(), 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		return nil, err
	}
	view := &Tokens{Form: TokenForm{Scope: string(auth.ReadWrite), Days: "90"}}
	for _, t := range tokens {
		row := TokenRow{
			Token: t, Owner: names.people[t.Owner], Mine: mayChange(v, t), Spent: all[t.ID], SpentMonth: month[t.ID],
		}
		view.Tokens = append(view.Tokens, row)
		view.Ended += boolToInt(row.ended(now))
	}
	slices.SortStableFunc(view.Tokens, func(a, b TokenRow) int {
		return cmp.Or(cmp.Compare(boolToInt(a.ended(now)), boolToInt(b.ended(now))), b.CreatedAt.Compare(a.CreatedAt))
	})
	return view, nil
}

func (s *server) spentByToken(ctx context.Context, caller auth.Caller, from time.Time) (map[id.Token]int64, error) {
	spending, err := s.Exports.Spending(ctx, caller, from, time.Now().Add(time.Hour))
	spent := map[id.Token]int64{}
	for _, x := range spending {
		spent[x.Token] += x.Charged - x.Refunded
	}
	return spent, err
}

// mayChange tells whether the viewer may revoke a token: an owner any, a member their own.
func mayChange(v Viewer, t token.Token) bool {
	return v.Role.Allows(workspace.Owner) || t.Owner == v.Person.ID
}

// createToken makes a token and shows its secret, this once.
func (s *server) createToken(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), ViewerOf(r.Context())
	form := TokenForm{
		r.PostFormValue("name"), r.PostFormValue("scope"), r.PostFormValue("days"), r.PostFormValue("budget"),
		r.PostFormValue("budget_month"), r.PostFormValue("shared"),
	}
	n, err := form.Read(v, time.Now())
	if err == nil {
		var secret string
		var t token.Token
		if secret, t, err = s.Tokens.Create(ctx, n); err == nil {
			return render(w, r, http.StatusOK, SecretPage(t, secret, "Token created"))
		}
	}
	faults := fieldErrors(err)
	if faults == nil {
		return err
	}
	view, err := s.tokensView(ctx)
	if err != nil {
		return err
	}
	view.Form, view.Faults = form, faults
	return render(w, r, http.StatusUnprocessableEntity, TokensPage(view))
}

// daysMax is how many days a token may be good for at most.
const daysMax = 3650

func (f TokenForm) Read(v Viewer, now time.Time) (token.NewToken, error) {
	n := token.NewToken{Workspace: v.Workspace.ID, Name: f.Name, Scope: auth.Scope(f.Scope), Owner: v.Person.ID}
	if f.Shared != "" && v.Role.Allows(workspace.Owner) {
		n.Owner = id.Person{} // goes on when its maker has left
	}
	var faults []fault.FieldError
	n.Budget, faults = ReadBudget(f.Budget, f.BudgetMonth)
	if f.Days != "" {
		days, err := strconv.Atoi(f.Days)
		if err != nil || days < 1 || days > daysMax {
			faults = append(faults, fault.FieldError{Field: "days", Message: "must be a whole number from 1 to 3650"})
		} else {
			at := now.AddDate(0, 0, days)
			n.ExpiresAt = &at
		}
	}
	return n, fault.Invalid(faults...)
}

func ReadBudget(total, month string) (token.Budget, []fault.FieldError) {
	var b token.Budget
	var faults []fault.FieldError
	for _, f := range []struct {
		field, text string
		to          **int64
	}{{"budget", total, &b.Total}, {"budget_month", month, &b.Month}} {
		text := strings.TrimSpace(f.text)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			faults = append(faults, fault.FieldError{Field: f.field, Message: "must be a whole number of credits, or empty"})
			continue
		}
		*f.to = &n
	}
	return b, faults
}

// tokenOf is the token of the path, if the viewer may change it.
func (s *server) tokenOf(r *http.Request) (token.Token, error) {
	v := ViewerOf(r.Context())
	tokens, err := s.Tokens.List(r.Context(), v.Workspace.ID)
	if err != nil {
		return token.Token{}, err
	}
	i := slices.IndexFunc(tokens, func(t token.Token) bool { return t.ID.String() == r.PathValue("token_id") })
	if i < 0 {
		return token.Token{}, fault.New(fault.NotFound, "There is no such token in this workspace.")
	}
	if !mayChange(v, tokens[i]) {
		return token.Token{}, fault.New(fault.Forbidden, "Only an owner may change the tokens of others.")
	}
	return tokens[i], nil
}

func (s *server) revokeToken(w http.ResponseWriter, r *http.Request) error {
	t, err := s.tokenOf(r)
	if err != nil {
		return err
	}
	if err := s.Tokens.Revoke(r.Context(), t.ID); err != nil {
		return err
	}
	s.notice(r.Context(), t.Name+" was revoked: its next request is refused.")
	return redirect(w, r, ViewerOf(r.Context()).Path("/tokens"))
}

func (s *server) rotateToken(w http.ResponseWriter, r *http.Request) error {
	t, err := s.tokenOf(r)
	if err != nil {
		return err
	}
	hours, err := strconv.Atoi(r.PostFormValue("hours"))
	if err != nil || hours < 0 || hours > int(token.OverlapMax/time.Hour) {
		hours = -1 // refused below, in words
	}
	secret, t, err := s.Tokens.Rotate(r.Context(), t.Workspace, t.ID, time.Duration(hours)*time.Hour)
	if fault.CodeOf(err) == fault.Validation {
		s.notice(r.Context(), "The secret stays: "+messageIn(err))
		return redirect(w, r, ViewerOf(r.Context()).Path("/tokens"))
	}
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, SecretPage(t, secret, "New secret"))
}

func (s *server) setBudget(w http.ResponseWriter, r *http.Request) error {
	t, err := s.tokenOf(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), ViewerOf(r.Context())
	if !v.Role.Allows(workspace.Owner) {
		return fault.New(fault.Forbidden, "Only an owner may set budgets.")
	}
	budget, faults := ReadBudget(r.PostFormValue("budget"), r.PostFormValue("budget_month"))
	err = fault.Invalid(faults...)
	if err == nil {
		err = s.Tokens.SetBudget(ctx, t.ID, budget)
	}
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.notice(ctx, "The budget stays: "+messageIn(err))
	case err != nil:
		return err
	default:
		s.notice(ctx, fmt.Sprintf("The budget of %s holds from its next purchase on.", t.Name))
	}
	return redirect(w, r, v.Path("/tokens"))
}

func tokenPath(ctx context.Context, t id.Token, rest string) string {
	return ViewerOf(ctx).Path("/tokens/" + t.String() + rest)
}

func scopeText(s auth.Scope) string {
	if s == auth.ReadWrite {
		return "read and buy"
	}
	return "read"
}

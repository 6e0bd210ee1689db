package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/token"
	"github.com/opencapi/capi/internal/wall"
	"github.com/opencapi/capi/internal/workspace"
)

func (s *server) listTokens(w http.ResponseWriter, r *http.Request) error {
	page, err := s.tokensView(r.Context())
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, view.TokensPage(page))
}

func (s *server) tokensView(ctx context.Context) (*view.Tokens, error) {
	rows, err := s.tokenRows(ctx, time.Now())
	if err != nil {
		return nil, err
	}
	now := time.Now()
	page := &view.Tokens{Form: view.TokenForm{Scope: string(auth.ReadWrite), Days: "90"}}
	slices.SortStableFunc(rows, func(a, b view.TokenRow) int { return b.CreatedAt.Compare(a.CreatedAt) })
	var ended []view.TokenRow
	for _, row := range rows {
		if row.Ended(now) {
			ended = append(ended, row)
		} else {
			page.Tokens = append(page.Tokens, row)
		}
	}
	page.Tokens, page.Ended = append(page.Tokens, ended...), len(ended)
	return page, nil
}

// tokenRows returns the tokens of the workspace with what they have spent, oldest first.
func (s *server) tokenRows(ctx context.Context, now time.Time) (rows []view.TokenRow, err error) {
	v := view.ViewerOf(ctx)
	tokens, err := s.Tokens.List(ctx, v.Workspace.ID)
	if err != nil {
		return nil, err
	}
	names, err := s.buyerNames(ctx, v.Workspace.ID)
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
	for _, t := range tokens {
		var today *wall.Daily
		if t.DailyCompanies > 0 {
			if today, err = s.Wall.LimitOf(ctx, v.Workspace.ID, t.ID); err != nil {
				return nil, err
			}
		}
		rows = append(rows, view.TokenRow{
			Token: t, Today: today, Owner: names.people[t.Owner], CreatedBy: names.people[t.Creator], Mine: mayChange(v, t), Spent: all[t.ID], SpentMonth: month[t.ID],
		})
	}
	return rows, nil
}

func (s *server) spentByToken(ctx context.Context, caller auth.Caller, from time.Time) (map[id.Token]int64, error) {
	spending, err := s.Exports.Spending(ctx, caller, from, time.Now().Add(time.Hour))
	spent := map[id.Token]int64{}
	for _, x := range spending {
		spent[x.Token] += x.Charged - x.Refunded
	}
	return spent, err
}

// mayChange reports whether the viewer may change the token: owners may change any token, members their own.
func mayChange(v view.Viewer, t token.Token) bool {
	return v.Role.Allows(workspace.Owner) || t.Owner == v.Person.ID
}

// showToken shows a token, and its secret if it has just been created or changed.
func (s *server) showToken(w http.ResponseWriter, r *http.Request) error {
	rows, err := s.tokenRows(r.Context(), time.Now())
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rows, func(t view.TokenRow) bool { return t.ID.String() == r.PathValue("token_id") })
	if i < 0 {
		return noToken()
	}
	page := &view.TokenDetail{TokenRow: rows[i], Secret: s.revealed(w, r), Address: s.PublicURL}
	if err := s.tokenUse(r, page); err != nil {
		return err
	}
	return render(w, r, http.StatusOK, view.TokenPage(page))
}

// tokenUse adds to the page what the token requested in the last days, and what it may still request.
func (s *server) tokenUse(r *http.Request, page *view.TokenDetail) error {
	ctx := r.Context()
	before, err := id.Parse[id.Request](r.URL.Query().Get("before"))
	page.Later = err == nil
	var more bool
	if page.Requests, more, err = s.Requests.Recent(ctx, page.ID, before, pageSize); err != nil {
		return err
	}
	if more {
		page.Next = view.TokenPath(ctx, page.ID, "?before="+page.Requests[pageSize-1].Key.String()+"#requests")
	}
	hours, err := s.Requests.Hours(ctx, page.ID)
	if err != nil {
		return err
	}
	page.Days = view.RequestDays(ctx, hours, time.Now())
	if s.RateLimits != nil {
		page.Limits = s.RateLimits(page.Token)
	}
	return nil
}

func noToken() error { return fault.New(fault.NotFound, "This workspace has no such token.") }

// createToken creates a token. Its page shows the secret, only once.
func (s *server) createToken(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	form := view.TokenForm{
		Name: r.PostFormValue("name"), Scope: r.PostFormValue("scope"), Days: r.PostFormValue("days"),
		Budget: r.PostFormValue("budget"), BudgetMonth: r.PostFormValue("budget_month"), Shared: r.PostFormValue("shared"),
	}
	n, err := form.Read(v, time.Now())
	if err == nil {
		err = s.checkNewName(ctx, v.Workspace.ID, n.Name)
	}
	if err == nil {
		var secret string
		var t token.Token
		if secret, t, err = s.Tokens.Create(ctx, n); err == nil {
			return s.reveal(w, r, view.TokenPath(ctx, t.ID, ""), secret)
		}
	}
	faults := fieldErrors(err)
	if faults == nil {
		return err
	}
	page, err := s.tokensView(ctx)
	if err != nil {
		return err
	}
	page.Form, page.Faults = form, faults
	return render(w, r, http.StatusUnprocessableEntity, view.TokensPage(page))
}

// checkNewName refuses the name of another active token: people could not tell the two apart.
func (s *server) checkNewName(ctx context.Context, ws id.Workspace, name string) error {
	tokens, err := s.Tokens.List(ctx, ws)
	if err != nil {
		return err
	}
	taken := func(name string) bool {
		return slices.ContainsFunc(tokens, func(t token.Token) bool {
			return strings.EqualFold(t.Name, strings.TrimSpace(name)) && !(view.TokenRow{Token: t}).Ended(time.Now())
		})
	}
	if !taken(name) {
		return nil
	}
	n := 2
	for taken(fmt.Sprintf("%s %d", name, n)) {
		n++
	}
	return fault.Invalid(fault.FieldError{
		Field: "name", Message: fmt.Sprintf("is the name of an active token. Choose another one, such as %s %d.", strings.TrimSpace(name), n),
	})
}

// tokenOf returns the token in the path if the viewer may change it.
func (s *server) tokenOf(r *http.Request) (token.Token, error) {
	v := view.ViewerOf(r.Context())
	tokens, err := s.Tokens.List(r.Context(), v.Workspace.ID)
	if err != nil {
		return token.Token{}, err
	}
	i := slices.IndexFunc(tokens, func(t token.Token) bool { return t.ID.String() == r.PathValue("token_id") })
	if i < 0 {
		return token.Token{}, noToken()
	}
	if !mayChange(v, tokens[i]) {
		return token.Token{}, fault.New(fault.Forbidden, "Only an owner can change other members' tokens.")
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
	s.notice(r.Context(), t.Name+" was revoked and no longer works.")
	return redirect(w, r, view.ViewerOf(r.Context()).Path("/tokens"))
}

func (s *server) rotateToken(w http.ResponseWriter, r *http.Request) error {
	t, err := s.tokenOf(r)
	if err != nil {
		return err
	}
	hours, err := strconv.Atoi(r.PostFormValue("hours"))
	if err != nil || hours < 0 || hours > int(token.OverlapMax/time.Hour) {
		hours = -1 // Rotate refuses it with a message
	}
	secret, t, err := s.Tokens.Rotate(r.Context(), t.Workspace, t.ID, time.Duration(hours)*time.Hour)
	if fault.CodeOf(err) == fault.Validation {
		s.warn(r.Context(), "The secret was not changed: "+messageOf(err))
		return redirect(w, r, view.ViewerOf(r.Context()).Path("/tokens"))
	}
	if err != nil {
		return err
	}
	return s.reveal(w, r, view.TokenPath(r.Context(), t.ID, ""), secret)
}

// setTokenDaily sets how many companies a token is shown in a day without its workspace owning them.
func (s *server) setTokenDaily(w http.ResponseWriter, r *http.Request) error {
	t, err := s.tokenOf(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	if !v.Role.Allows(workspace.Owner) {
		return fault.New(fault.Forbidden, "Only an owner can set daily limits.")
	}
	most, err := view.ReadDaily(r.PostFormValue("daily"))
	if err == nil {
		err = s.Tokens.SetDailyCompanies(ctx, v.Workspace.ID, t.ID, most)
	}
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.warn(ctx, "The daily limit was not changed: "+messageOf(err))
	case err != nil:
		return err
	default:
		s.notice(ctx, fmt.Sprintf("The new daily limit of %s applies from its next request.", t.Name))
	}
	return redirect(w, r, view.TokenPath(ctx, t.ID, ""))
}

func (s *server) setBudget(w http.ResponseWriter, r *http.Request) error {
	t, err := s.tokenOf(r)
	if err != nil {
		return err
	}
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	if !v.Role.Allows(workspace.Owner) {
		return fault.New(fault.Forbidden, "Only an owner can set budgets.")
	}
	budget, faults := view.ReadBudget(r.PostFormValue("budget"), r.PostFormValue("budget_month"))
	err = fault.Invalid(faults...)
	if err == nil {
		err = s.Tokens.SetBudget(ctx, t.ID, budget)
	}
	switch {
	case fault.CodeOf(err) == fault.Validation:
		s.warn(ctx, "The budget was not changed: "+messageOf(err))
	case err != nil:
		return err
	default:
		s.notice(ctx, fmt.Sprintf("The new budget of %s applies from its next purchase.", t.Name))
	}
	return redirect(w, r, v.Path("/tokens"))
}

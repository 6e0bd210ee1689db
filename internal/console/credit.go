package console

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
)

func (s *server) showCredits(w http.ResponseWriter, r *http.Request) error {
	ctx, v, q := r.Context(), view.ViewerOf(r.Context()), r.URL.Query()
	f := view.LedgerFilter{From: q.Get("from"), To: q.Get("to"), Reason: q.Get("reason"), Before: q.Get("before")}
	filter, before, err := f.Read()
	if q.Get("format") == string(format.CSV) {
		if err != nil {
			return err
		}
		file := httpx.CSV{
			FileName: "transactions.csv", Columns: credit.Columns(), Rows: s.Credits.Rows(ctx, v.Workspace.ID, filter),
		}
		return file.Write(w, http.StatusOK)
	}
	page := &view.Credits{Page: v.Path("/credits"), Filter: f, Faults: fieldErrors(err), Spans: view.Spans(time.Now())}
	page.Span = page.Spans[max(0, slices.IndexFunc(page.Spans, func(sp view.Span) bool { return sp.Value == q.Get("span") }))]
	page.Sheet = page.At("format", string(format.CSV), "before", "")
	if page.Balance, err = s.Credits.Balance(ctx, v.Workspace.ID); err != nil {
		return err
	}
	if page.Budget, err = s.Workspaces.Spending(ctx, v.Workspace.ID, v.Person.ID); err != nil {
		return err
	}
	if page.Today, err = s.Wall.LimitOf(ctx, v.Workspace.ID, id.Token{}); err != nil {
		return err
	}
	if err := s.spending(ctx, page); err != nil {
		return err
	}
	if page.Faults == nil {
		if err := s.ledger(ctx, page, filter, before); err != nil {
			return err
		}
	}
	return render(w, r, http.StatusOK, view.CreditsPage(page))
}

// ledger adds one page of entries to the page.
func (s *server) ledger(ctx context.Context, page *view.Credits, filter credit.Filter, before int64) (err error) {
	page.Entries, err = s.Credits.Page(ctx, view.ViewerOf(ctx).Workspace.ID, filter, before, pageSize+1)
	if len(page.Entries) > pageSize {
		page.Entries = page.Entries[:pageSize]
		page.Next = page.At("before", strconv.FormatInt(page.Entries[pageSize-1].Seq, 10)) + "#ledger"
	}
	return err
}

// spending adds what was spent in the selected time: over time, by token and by member.
func (s *server) spending(ctx context.Context, page *view.Credits) error {
	v, end := view.ViewerOf(ctx), time.Now().Add(time.Hour)
	days, err := s.Credits.Days(ctx, v.Workspace.ID, page.Span.From, end)
	if err != nil {
		return err
	}
	page.Chart = page.Span.ChartOf(days)
	spent, err := s.Exports.Spending(ctx, v.Caller(), page.Span.From, end)
	if err != nil || len(spent) == 0 {
		return err
	}
	names, err := s.buyerNames(ctx, v.Workspace.ID)
	if err != nil {
		return err
	}
	page.ByToken = view.Spenders(spent, func(x export.Spending) string {
		if x.Token.IsZero() {
			return "the console"
		}
		return cmp.Or(names.tokens[x.Token].Name, "a deleted token")
	})
	page.ByMember = view.Spenders(spent, func(x export.Spending) string {
		return memberName(names, personOr(x.Person, names.tokens[x.Token].Owner))
	})
	return nil
}

func personOr(p, otherwise id.Person) id.Person {
	if p.IsZero() {
		return otherwise
	}
	return p
}

func memberName(names buyerNames, p id.Person) string {
	if p.IsZero() {
		return "workspace tokens"
	}
	return cmp.Or(names.people[p], "a former member")
}

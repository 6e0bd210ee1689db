package console

import (
	"context"
	"net/http"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// newExport shows the form of a new export with its price.
func (s *server) newExport(w http.ResponseWriter, r *http.Request) error {
	o := view.ReadExportForm(r.URL.Query())
	if again, err := id.Parse[id.Export](r.URL.Query().Get("again")); err == nil {
		e, err := s.Exports.Get(r.Context(), view.ViewerOf(r.Context()).Caller(), again)
		if err != nil {
			return err
		}
		o = view.ExportFormOf(e)
	}
	page, err := s.order(r.Context(), o)
	switch {
	case err != nil:
		return err
	case isFragment(r):
		return render(w, r, http.StatusOK, view.NewExportPrice(page))
	}
	return render(w, r, http.StatusOK, view.NewExportPage(page))
}

func (s *server) order(ctx context.Context, o view.ExportForm) (*view.NewExport, error) {
	v := view.ViewerOf(ctx)
	page := &view.NewExport{ExportForm: o, Page: v.Path("/exports/new")}
	if !o.List.IsZero() {
		var err error
		if page.Of, err = s.Lists.Get(ctx, v.Workspace.ID, o.List); err != nil {
			return nil, err
		}
	}
	if page.Name == "" {
		page.Name = page.SuggestName()
	}
	request, err := page.Request()
	if err == nil {
		var figures export.Figures
		request.Name = "" // the price does not depend on it
		if figures, err = s.Exports.Estimate(ctx, v.Caller(), request); err == nil {
			page.Price, page.Known = view.PriceOf(figures.RequestedCount, figures), true
			return page, nil
		}
	}
	if page.Faults = fieldErrors(err); page.Faults == nil {
		return nil, err
	}
	return page, nil
}

// quoteExport makes a quote with a guaranteed price, and asks for confirmation.
func (s *server) quoteExport(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	return s.quoted(w, r, view.ReadExportForm(r.PostForm), "")
}

func (s *server) quoted(w http.ResponseWriter, r *http.Request, o view.ExportForm, notice string) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	page, err := s.order(ctx, o)
	if err != nil {
		return err
	}
	page.Notice = notice
	if page.Faults != nil {
		return render(w, r, http.StatusUnprocessableEntity, view.NewExportPage(page))
	}
	request, err := page.Request()
	if err != nil {
		return err
	}
	page.Quote, err = s.Exports.Quote(ctx, v.Caller(), request)
	switch {
	case fault.CodeOf(err) == fault.NoCandidates:
		page.Notice = "There is nothing to export: " + messageOf(err)
		return render(w, r, http.StatusOK, view.NewExportPage(page))
	case fieldErrors(err) != nil:
		page.Faults = fieldErrors(err)
		return render(w, r, http.StatusUnprocessableEntity, view.NewExportPage(page))
	case err != nil:
		return err
	}
	page.Price = view.PriceOf(page.Quote.Figures.RequestedCount, page.Quote.Figures)
	return render(w, r, http.StatusOK, view.QuotePage(page))
}

// buyExport buys a quote. Sending the same form again leads to the same export.
func (s *server) buyExport(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	v := view.ViewerOf(r.Context())
	quote, err := id.Parse[id.Quote](r.PostForm.Get("quote_id"))
	if err != nil {
		return fault.New(fault.NotFound, "The form has no quote. Review the price again.")
	}
	o := view.ReadExportForm(r.PostForm)
	e, err := s.Exports.Buy(r.Context(), v.Caller(), export.Request{Name: o.Name, Quote: quote})
	switch fault.CodeOf(err) {
	case fault.QuoteExpired, fault.QuoteOutdated, fault.InsufficientBalance, fault.Validation:
		return s.quoted(w, r, o, messageOf(err)+" Nothing was charged. This is the current price.")
	default:
	}
	if err != nil {
		return err
	}
	return redirect(w, r, v.Path("/exports/"+e.ID.String()))
}

// messageOf is what a fault tells people.
func messageOf(err error) string {
	if e, ok := asFault(err); ok {
		return e.Message
	}
	return ""
}

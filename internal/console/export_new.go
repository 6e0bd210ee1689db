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

// createQuote makes a quote with a guaranteed price, and leads to its page.
func (s *server) createQuote(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	return s.quote(w, r, view.ReadExportForm(r.PostForm))
}

func (s *server) quote(w http.ResponseWriter, r *http.Request, o view.ExportForm) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	page, err := s.order(ctx, o)
	if err != nil {
		return err
	}
	if page.Faults != nil {
		return render(w, r, http.StatusUnprocessableEntity, view.NewExportPage(page))
	}
	request, err := page.Request()
	if err != nil {
		return err
	}
	quote, err := s.Exports.Quote(ctx, v.Caller(), request)
	switch {
	case fault.CodeOf(err) == fault.NoCandidates:
		s.warn(ctx, "There is nothing to export: "+messageOf(err))
		return redirect(w, r, page.Edit())
	case fieldErrors(err) != nil:
		page.Faults = fieldErrors(err)
		return render(w, r, http.StatusUnprocessableEntity, view.NewExportPage(page))
	case err != nil:
		return err
	}
	return redirect(w, r, view.QuotePath(ctx, quote.ID, page.Name))
}

// newQuote leads a browser that opens the address of a form to the form.
func (s *server) newQuote(w http.ResponseWriter, r *http.Request) error {
	return redirect(w, r, view.ViewerOf(r.Context()).Path("/exports/new"))
}

// showQuote shows a quote and asks for confirmation.
func (s *server) showQuote(w http.ResponseWriter, r *http.Request) error {
	quote, err := id.Parse[id.Quote](r.PathValue("quote_id"))
	if err != nil {
		return notFound()
	}
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	quoted, err := s.Exports.Quoted(ctx, v.Caller(), quote)
	page := s.quotePage(r, quoted)
	if isStale(err) && quoted.Bought.ID.IsZero() {
		s.warn(ctx, messageOf(err)+" This is the current price.")
		return redirect(w, r, page.Edit())
	}
	if err != nil && !isStale(err) {
		return err
	}
	if !page.List.IsZero() {
		if page.Of, err = s.Lists.Get(ctx, v.Workspace.ID, page.List); err != nil && fault.CodeOf(err) != fault.NotFound {
			return err
		}
	}
	return render(w, r, http.StatusOK, view.QuotePage(page))
}

// quotePage returns the page of a quote. The name of its export is a parameter of the address, because a quote has none.
func (s *server) quotePage(r *http.Request, quoted export.Quoted) *view.NewExport {
	page := &view.NewExport{
		ExportForm: view.ExportFormOf(quoted.Of), Page: view.ViewerOf(r.Context()).Path("/exports/new"),
		Quote: quoted.Quote, Bought: quoted.Bought.ID, Price: view.PriceOf(quoted.Figures.RequestedCount, quoted.Figures),
	}
	page.Part = quoted.Of.Terms.Partial
	page.Name = r.FormValue("name")
	if page.Name == "" {
		page.Name = page.SuggestName()
	}
	return page
}

// isStale reports whether a quote can no longer be bought, so that a new one is needed.
func isStale(err error) bool {
	code := fault.CodeOf(err)
	return code == fault.QuoteExpired || code == fault.QuoteOutdated
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
	ctx, name := r.Context(), r.PostForm.Get("name")
	e, err := s.Exports.Buy(ctx, v.Caller(), export.Request{Name: name, Quote: quote})
	switch {
	case isStale(err):
		quoted, again := s.Exports.Quoted(ctx, v.Caller(), quote)
		if again != nil && !isStale(again) {
			return again
		}
		s.warn(ctx, messageOf(err)+" Nothing was charged. This is the current price.")
		return s.quote(w, r, s.quotePage(r, quoted).ExportForm)
	case fault.CodeOf(err) == fault.InsufficientBalance, fault.CodeOf(err) == fault.Validation:
		s.warn(ctx, messageOf(err)+" Nothing was charged.")
		return redirect(w, r, view.QuotePath(ctx, quote, name))
	case err != nil:
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

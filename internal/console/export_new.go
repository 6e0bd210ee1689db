package console

import (
	"context"
	"net/http"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

// newExport shows the form of a new export with its price.
func (s *server) newExport(w http.ResponseWriter, r *http.Request) error {
	params, err := paramsOf(r)
	if err != nil {
		return err
	}
	form := view.ReadExportForm(params)
	usualColumns(view.ViewerOf(r.Context()), &form, params["column"])
	if given := params.Get(view.AgainParam); given != "" {
		again, err := id.Parse[id.Export](given)
		if err != nil {
			return fault.New(fault.NotFound, "There is no export %s in this workspace.", text.Short(given))
		}
		e, err := s.Exports.Get(r.Context(), view.ViewerOf(r.Context()).Caller(), again)
		if err != nil {
			return err
		}
		if form, err = view.ExportFormOf(e); err != nil {
			return err
		}
	}
	page, err := s.priced(r.Context(), form)
	switch {
	case err != nil:
		return err
	case isFragment(r):
		w.Header().Set(addressHeader, page.Edit())
		return render(w, r, http.StatusOK, view.NewExportPrice(page))
	}
	return render(w, r, http.StatusOK, view.NewExportPage(page))
}

// priced returns the page of the form with its price, or with its errors.
func (s *server) priced(ctx context.Context, form view.ExportForm) (*view.NewExport, error) {
	v := view.ViewerOf(ctx)
	page := &view.NewExport{ExportForm: form, Page: v.Path("/exports/new"), Usual: v.Workspace.ExportColumns}
	if !form.List.IsZero() {
		var err error
		if page.Of, err = s.Lists.Get(ctx, v.Workspace.ID, form.List); err != nil {
			return nil, err
		}
	}
	var err error
	if page.Presets, err = s.Presets.List(ctx, v.Workspace.ID); err != nil {
		return nil, err
	}
	_, _, err = s.explored(ctx, &page.SearchForm)
	if page.Name == "" {
		page.Name = page.SuggestName()
	}
	request := export.Request{}
	if err == nil {
		request, err = page.Request()
	}
	if err == nil {
		page.Warnings, err = s.Search.Warnings(ctx, view.ViewerOf(ctx).Caller(), request.Query)
	}
	if err == nil {
		var estimate export.Estimate
		request.Name = "" // the price does not depend on it
		estimate, err = s.Exports.Estimate(ctx, v.Caller(), request)
		page.Price, page.Known = view.PriceOf(view.Split{Rows: estimate.Matches}, estimate.Figures, estimate.BudgetLeft), err == nil
	}
	if fault.CodeOf(err) == fault.Validation {
		page.SetErrors(err)
		return page, nil
	}
	return page, err
}

// createQuote makes a quote with a guaranteed price, and leads to its page.
func (s *server) createQuote(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return err
	}
	return s.quote(w, r, view.ReadExportForm(r.PostForm))
}

func (s *server) quote(w http.ResponseWriter, r *http.Request, form view.ExportForm) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	page, err := s.priced(ctx, form)
	if err != nil {
		return err
	}
	if page.IsInvalid() {
		return render(w, r, http.StatusUnprocessableEntity, view.NewExportPage(page))
	}
	request, err := page.Request()
	if err != nil {
		return err
	}
	quote, err := s.Exports.Quote(ctx, v.Caller(), request)
	switch {
	case fault.CodeOf(err) == fault.NoCandidates:
		s.warn(ctx, page.WhyEmpty())
		return redirect(w, r, page.Edit())
	case fault.CodeOf(err) == fault.Validation:
		page.SetErrors(err)
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
	if err != nil && !isStale(err) {
		return err
	}
	page, unreadable := s.quotePage(r, quoted)
	if unreadable != nil {
		return unreadable
	}
	if isStale(err) && quoted.Bought.ID.IsZero() {
		s.warn(ctx, messageOf(err)+" This is the current price.")
		return redirect(w, r, page.Edit())
	}
	if !page.List.IsZero() {
		if page.Of, err = s.Lists.Get(ctx, v.Workspace.ID, page.List); err != nil && fault.CodeOf(err) != fault.NotFound {
			return err
		}
	}
	if page.Bought.IsZero() {
		request, err := page.Request()
		if err != nil {
			return err
		}
		if page.Mailed, err = s.tellsOfExports(ctx); err != nil {
			return err
		}
		if page.Destinations, err = s.Destinations.List(ctx, v.Workspace.ID); err != nil {
			return err
		}
		if page.Warnings, err = s.Search.Warnings(ctx, view.ViewerOf(ctx).Caller(), request.Query); err != nil {
			return err
		}
	}
	return render(w, r, http.StatusOK, view.QuotePage(page))
}

// quotePage returns the page of a quote. The name of its export is a parameter of the address, because a quote has none.
func (s *server) quotePage(r *http.Request, quoted export.Quoted) (*view.NewExport, error) {
	form, err := view.ExportFormOf(quoted.Of)
	if err != nil {
		return nil, err
	}
	page := &view.NewExport{
		ExportForm: form, Page: view.ViewerOf(r.Context()).Path("/exports/new"), Usual: view.ViewerOf(r.Context()).Workspace.ExportColumns,
		Quote: quoted.Quote, Bought: quoted.Bought.ID, Sharing: quoted.SharingDomain,
		Price: view.PriceOf(view.Split{Rows: quoted.Figures.RequestedCount}, quoted.Figures, quoted.BudgetLeft),
	}
	if _, err := s.nameSets(r.Context(), &page.SearchForm); err != nil { // a quote can be bought without the sets that it was made of
		return nil, err
	}
	page.Mails = s.Notifier.Enabled()
	page.Part = quoted.Of.Terms.Partial
	page.Name = r.FormValue("name")
	if page.Name == "" {
		page.Name = page.SuggestName()
	}
	return page, nil
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
	to, err := destinationOf(r.PostForm.Get("destination"))
	if err != nil {
		return err
	}
	ctx, name := r.Context(), r.PostForm.Get("name")
	e, err := s.Exports.Buy(ctx, v.Caller(), export.Request{
		Name: name, Quote: quote, Notify: r.PostForm.Get("notify") != "" && s.Notifier.Enabled(), Destination: to,
	})
	switch {
	case isStale(err):
		quoted, again := s.Exports.Quoted(ctx, v.Caller(), quote)
		if again != nil && !isStale(again) {
			return again
		}
		s.warn(ctx, messageOf(err)+" Nothing was charged. This is the current price.")
		page, err := s.quotePage(r, quoted)
		if err != nil {
			return err
		}
		return s.quote(w, r, page.ExportForm)
	case fault.CodeOf(err) == fault.TokenBudgetExceeded: // its message says that nothing was charged
		s.warn(ctx, messageOf(err))
		return redirect(w, r, view.QuotePath(ctx, quote, name))
	case fault.CodeOf(err) == fault.InsufficientBalance, fault.CodeOf(err) == fault.Validation:
		s.warn(ctx, messageOf(err)+" Nothing was charged.")
		return redirect(w, r, view.QuotePath(ctx, quote, name))
	case err != nil:
		return err
	}
	return redirect(w, r, v.Path("/exports/"+e.ID.String()))
}

// messageOf returns the message of a fault for people.
func messageOf(err error) string {
	if text := view.Sentences(err); text != "" {
		return text
	}
	if e, ok := asFault(err); ok {
		return e.Message
	}
	return ""
}

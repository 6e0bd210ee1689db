package console

import (
	"cmp"
	"net/http"
	"time"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/order"
)

func (s *server) listOrders(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	before, err := id.Parse[id.Order](r.URL.Query().Get("cursor"))
	page := &view.Orders{Later: err == nil}
	if page.Orders, err = s.Orders.List(ctx, v.Workspace.ID, before, pageSize+1); err != nil {
		return err
	}
	if len(page.Orders) > pageSize {
		page.Orders = page.Orders[:pageSize]
		page.Next = v.Path("/orders?cursor=" + page.Orders[pageSize-1].ID.String())
	}
	return render(w, r, http.StatusOK, view.OrdersPage(page))
}

// orderIn returns the order in the path.
func (s *server) orderIn(r *http.Request) (order.Order, error) {
	o, err := id.Parse[id.Order](r.PathValue("order_id"))
	if err != nil {
		return order.Order{}, notFound()
	}
	return s.Orders.Get(r.Context(), view.ViewerOf(r.Context()).Workspace.ID, o)
}

func (s *server) showOrder(w http.ResponseWriter, r *http.Request) error {
	o, err := s.orderIn(r)
	if err != nil {
		return err
	}
	return s.orderPage(w, r, http.StatusOK, o, view.OrderFormOf(r.Context(), o), nil)
}

// orderPage shows an order, with the form that changes it and the errors of that form.
func (s *server) orderPage(w http.ResponseWriter, r *http.Request, status int, o order.Order, form view.OrderForm, faults map[string]string) error {
	ctx := r.Context()
	o, err := s.Orders.Preview(ctx, o)
	if err != nil {
		return err
	}
	if form.Destinations, err = s.Destinations.List(ctx, o.Workspace); err != nil {
		return err
	}
	before, err := id.Parse[id.Run](r.URL.Query().Get("cursor"))
	page := &view.Order{Order: o, Next: o.Next, Later: err == nil, Form: form, Faults: faults}
	if page.Runs, err = s.Orders.Runs(ctx, o.Workspace, o.ID, before, pageSize+1); err != nil {
		return err
	}
	if len(page.Runs) > pageSize {
		page.Runs = page.Runs[:pageSize]
		page.More = view.OrderPath(ctx, o.ID) + "?cursor=" + page.Runs[pageSize-1].ID.String()
	}
	page.State = o.StateAt(time.Now())
	if o.Request.Source == export.SourceList {
		l, err := s.Lists.Get(ctx, o.Workspace, o.Request.List)
		if err != nil && fault.CodeOf(err) != fault.NotFound {
			return err
		}
		page.From = l.Name
	} else {
		asked, err := view.SearchFormOf(export.Export{Filters: o.Request.Filters, Sort: o.Request.Sort.String(), Terms: o.Request.Terms})
		if err == nil {
			_, err = s.nameSets(ctx, &asked)
		}
		page.Chips, page.Unreadable = asked.Chips(""), err != nil
	}
	names, err := s.buyerNames(ctx, o.Workspace)
	if err != nil {
		return err
	}
	page.By = names.of(o.Token, o.Person)
	if !o.Request.Destination.IsZero() {
		to, err := s.Destinations.Get(ctx, o.Workspace, o.Request.Destination)
		if err != nil && fault.CodeOf(err) != fault.NotFound {
			return err
		}
		page.To = cmp.Or(to.Name, "a destination that was deleted")
	}
	return render(w, r, status, view.OrderPage(page))
}

// changeOrder changes an order, which buys in the name of the person from then on.
func (s *server) changeOrder(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	o, err := s.orderIn(r)
	if err != nil {
		return err
	}
	form := view.ReadOrderTerms(ctx, r.PostForm)
	change, err := form.Change(o)
	if err == nil {
		_, err = s.Orders.Update(ctx, view.ViewerOf(ctx).Caller(), o.ID, change)
	}
	if fault.CodeOf(err) == fault.Validation {
		faults, others := view.OrderFaults(err)
		if len(others) > 0 {
			faults[""] = view.Sentences(fault.Invalid(others...))
		}
		return s.orderPage(w, r, http.StatusUnprocessableEntity, o, form, faults)
	}
	if err != nil {
		return err
	}
	s.notice(ctx, "Saved. The order buys in your name from now on.")
	return redirect(w, r, view.OrderPath(ctx, o.ID))
}

// newOrder shows the form of a new order of the search or the list in the query.
func (s *server) newOrder(w http.ResponseWriter, r *http.Request) error {
	params, err := paramsOf(r)
	if err != nil {
		return err
	}
	page := view.ReadOrderForm(r.Context(), params)
	usualColumns(view.ViewerOf(r.Context()), &page.ExportForm, params["column"])
	if err := s.sourceOf(r, page); err != nil {
		return err
	}
	return render(w, r, http.StatusOK, view.NewOrderPage(page))
}

// sourceOf adds to the page what its form says of the source: the list, or the names of the sets in the search and the values that no
// company has.
func (s *server) sourceOf(r *http.Request, page *view.NewOrder) (err error) {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	if !page.List.IsZero() {
		if page.Of, err = s.Lists.Get(ctx, v.Workspace.ID, page.List); err != nil {
			return err
		}
	}
	if page.OrderForm.Destinations, err = s.Destinations.List(ctx, v.Workspace.ID); err != nil {
		return err
	}
	if page.Presets, err = s.Presets.List(ctx, v.Workspace.ID); err != nil {
		return err
	}
	if _, err := s.nameSets(ctx, &page.SearchForm); err != nil {
		return err
	}
	if page.OrderForm.Name == "" && r.Method == http.MethodGet { // a name that was taken away is missed
		page.OrderForm.Name = page.SuggestName()
	}
	o, err := page.Order()
	if err == nil {
		page.Warnings, err = s.Search.Warnings(ctx, v.Caller(), o.Request.Query)
	}
	if fault.CodeOf(err) == fault.Validation {
		page.SetErrors(err)
		return nil
	}
	return err
}

func (s *server) createOrder(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	page := view.ReadOrderForm(ctx, r.PostForm)
	if err := s.sourceOf(r, page); err != nil {
		return err
	}
	o, err := page.Order()
	if err == nil {
		o, err = s.Orders.Create(ctx, v.Caller(), o, page.Baseline)
	}
	if fault.CodeOf(err) == fault.Validation {
		page.SetErrors(err)
		return render(w, r, http.StatusUnprocessableEntity, view.NewOrderPage(page))
	}
	if err != nil {
		return err
	}
	return redirect(w, r, view.OrderPath(ctx, o.ID))
}

func (s *server) runOrder(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	o, err := s.orderIn(r)
	if err != nil {
		return err
	}
	run, err := s.Orders.Run(ctx, v.Caller(), o.ID)
	switch code := fault.CodeOf(err); {
	case err == nil && run.Status == order.Exported:
		return redirect(w, r, v.Path("/exports/"+run.Export.String()))
	case err == nil:
		s.notice(ctx, "There is nothing new to deliver. Nothing was charged.")
	case code == fault.InsufficientBalance || code == fault.MaxCreditsExceeded || code == fault.TokenBudgetExceeded || code == fault.Validation || code == fault.NotFound:
		s.warn(ctx, messageOf(err))
	default:
		return err
	}
	return redirect(w, r, view.OrderPath(ctx, o.ID))
}

func (s *server) pauseOrder(w http.ResponseWriter, r *http.Request) error {
	o, err := s.orderIn(r)
	if err == nil {
		_, err = s.Orders.Pause(r.Context(), view.ViewerOf(r.Context()).Caller(), o.ID)
	}
	if err != nil {
		return err
	}
	return redirect(w, r, view.OrderPath(r.Context(), o.ID))
}

func (s *server) resumeOrder(w http.ResponseWriter, r *http.Request) error {
	o, err := s.orderIn(r)
	if err == nil {
		_, err = s.Orders.Resume(r.Context(), view.ViewerOf(r.Context()).Caller(), o.ID)
	}
	if fault.CodeOf(err) == fault.Validation {
		s.warn(r.Context(), "The order was not resumed: "+messageOf(err))
		err = nil
	}
	if err != nil {
		return err
	}
	return redirect(w, r, view.OrderPath(r.Context(), o.ID))
}

func (s *server) deleteOrder(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	o, err := s.orderIn(r)
	if err == nil {
		err = s.Orders.Delete(r.Context(), v.Workspace.ID, o.ID)
	}
	if err != nil {
		return err
	}
	s.notice(r.Context(), "The order was deleted.")
	return redirect(w, r, v.Path("/orders"))
}

package console

import (
	"context"
	"net/http"
	"time"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
)

func (s *server) exportHistory(w http.ResponseWriter, r *http.Request) error {
	v, cursor := view.ViewerOf(r.Context()), r.URL.Query().Get("cursor")
	exports, next, err := s.Exports.List(r.Context(), v.Caller(), cursor, pageSize)
	if err != nil {
		return err
	}
	page := &view.Exports{Exports: exports, Later: cursor != ""}
	if next != "" {
		page.Next = v.Path("/exports?cursor=" + next)
	}
	return render(w, r, http.StatusOK, view.ExportsPage(page))
}

// exportOf returns the export in the path.
func (s *server) exportOf(r *http.Request) (export.Export, error) {
	e, err := id.Parse[id.Export](r.PathValue("export_id"))
	if err != nil {
		return export.Export{}, notFound()
	}
	return s.Exports.Get(r.Context(), view.ViewerOf(r.Context()).Caller(), e)
}

func (s *server) showExport(w http.ResponseWriter, r *http.Request) error {
	e, err := s.exportOf(r)
	if err != nil {
		return err
	}
	page, err := s.exportView(r.Context(), e)
	switch {
	case err != nil:
		return err
	case isFragment(r):
		return render(w, r, http.StatusOK, view.ExportState(page))
	}
	return render(w, r, http.StatusOK, view.ExportPage(page))
}

func (s *server) exportView(ctx context.Context, e export.Export) (*view.Export, error) {
	page := &view.Export{Export: e}
	switch e.Source {
	case export.SourceList:
		l, err := s.Lists.Get(ctx, e.Workspace, e.List)
		if err != nil && fault.CodeOf(err) != fault.NotFound {
			return nil, err
		}
		page.From = l.Name
	case export.SourceSearch, export.SourceSet:
		asked, unreadable := view.SearchFormOf(e)
		if _, err := s.nameSets(ctx, &asked); err != nil {
			return nil, err
		}
		page.Chips, page.Unreadable = asked.Chips(""), unreadable != nil
	case export.SourceMatch: // the page names the source, which has no filters to show
	}
	names, err := s.buyerNames(ctx, e.Workspace)
	if err != nil {
		return nil, err
	}
	page.By = names.of(e.Token, e.Person)
	if !e.Terms.Order.IsZero() {
		o, err := s.Orders.Get(ctx, e.Workspace, e.Terms.Order)
		if err != nil && fault.CodeOf(err) != fault.NotFound {
			return nil, err
		}
		page.Order = o.Name
	}
	return page, s.addDelivery(ctx, page)
}

// addDelivery adds to the page how far the delivery of its export is.
func (s *server) addDelivery(ctx context.Context, page *view.Export) error {
	of, err := s.Deliveries.Of(ctx, page.ID)
	if err != nil {
		return err
	}
	d, has := of[page.ID]
	if !has {
		return nil
	}
	page.Delivery = &d
	to, err := s.Destinations.Get(ctx, page.Workspace, d.Destination)
	if err != nil && fault.CodeOf(err) != fault.NotFound {
		return err
	}
	page.To = to.Name
	return nil
}

// progressEvery is how often a stream reads the state of its export.
const progressEvery = 300 * time.Millisecond

// exportEvents streams the state of an export until the state is final.
func (s *server) exportEvents(w http.ResponseWriter, r *http.Request) error {
	e, err := s.exportOf(r)
	if err != nil {
		return err
	}
	page, err := s.exportView(r.Context(), e)
	if err != nil {
		return err
	}
	type state struct {
		status export.Status
		rows   int
	}
	var sent state
	return s.stream(w, r, progressEvery, func(out *events) (more bool, err error) {
		if page.Export, err = s.exportOf(r); err != nil {
			return false, err
		}
		if now := (state{page.Status, page.ProcessedRecords}); now != sent {
			sent = now
			if err := out.send("page", view.ExportState(page)); err != nil {
				return false, err
			}
		}
		return page.Running(), nil
	})
}

// downloadExport redirects to the file or its manifest, with a link that works for a few minutes.
func (s *server) downloadExport(w http.ResponseWriter, r *http.Request) error {
	e, err := s.exportOf(r)
	if err != nil {
		return err
	}
	links, err := s.Exports.Download(r.Context(), view.ViewerOf(r.Context()).Caller(), e.ID)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.URL.Query().Get("file") == "manifest" {
		return redirect(w, r, links.Manifest)
	}
	return redirect(w, r, links.File)
}

func (s *server) cancelExport(w http.ResponseWriter, r *http.Request) error {
	e, err := s.exportOf(r)
	if err != nil {
		return err
	}
	v := view.ViewerOf(r.Context())
	e, err = s.Exports.Cancel(r.Context(), v.Caller(), e.ID)
	switch {
	case fault.CodeOf(err) == fault.ExportNotCancellable:
		s.warn(r.Context(), "The export was not cancelled: "+messageOf(err))
	case err != nil:
		return err
	default:
		s.notice(r.Context(), "Cancelled. "+view.Plural(r.Context(), e.Refunded, "credit", "credits")+" refunded.")
	}
	return redirect(w, r, v.Path("/exports/"+r.PathValue("export_id")))
}

func (s *server) exportReceipt(w http.ResponseWriter, r *http.Request) error {
	e, err := s.exportOf(r)
	if err != nil {
		return err
	}
	v, q := view.ViewerOf(r.Context()), r.URL.Query()
	if q.Get("format") == string(format.CSV) {
		file := httpx.CSV{
			FileName: "receipt-" + e.ID.String() + ".csv", Columns: export.ReceiptColumns(),
			Rows: s.Exports.ReceiptRows(r.Context(), v.Caller(), e.ID),
		}
		return file.Write(w, http.StatusOK)
	}
	lines, next, err := s.Exports.Receipt(r.Context(), v.Caller(), e.ID, q.Get("cursor"), 2*pageSize)
	if err != nil {
		return err
	}
	page := &view.Receipt{Export: e, Lines: lines, Later: q.Get("cursor") != ""}
	if next != "" {
		page.Next = v.Path("/exports/" + e.ID.String() + "/receipt?cursor=" + next)
	}
	return render(w, r, http.StatusOK, view.ReceiptPage(page))
}

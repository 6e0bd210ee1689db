package console

import (
	"context"
	"net/http"
	"time"

	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
)

// Exports is a page of a workspace's exports.
type Exports struct {
	Exports []export.Export
	Next    string
	Later   bool
}

// Export is the page of one export.
type Export struct {
	export.Export
	By    string // who made it; empty if that is not known any more
	From  string // the name of its list; empty for a search
	Chips []chip
}

// Running holds while something is still to come.
func (v *Export) Running() bool {
	return v.Status == export.StatusPending || v.Status == export.StatusProcessing
}

func (s *server) exportHistory(w http.ResponseWriter, r *http.Request) error {
	v, cursor := ViewerOf(r.Context()), r.URL.Query().Get("cursor")
	exports, next, err := s.Exports.List(r.Context(), v.Caller(), cursor, pageSize)
	if err != nil {
		return err
	}
	view := &Exports{Exports: exports, Later: cursor != ""}
	if next != "" {
		view.Next = v.Path("/exports?cursor=" + next)
	}
	return render(w, r, http.StatusOK, ExportsPage(view))
}

// exportOf is the export of the path.
func (s *server) exportOf(r *http.Request) (export.Export, error) {
	e, err := id.Parse[id.Export](r.PathValue("export_id"))
	if err != nil {
		return export.Export{}, noPage()
	}
	return s.Exports.Get(r.Context(), ViewerOf(r.Context()).Caller(), e)
}

func (s *server) showExport(w http.ResponseWriter, r *http.Request) error {
	e, err := s.exportOf(r)
	if err != nil {
		return err
	}
	view, err := s.exportView(r.Context(), e)
	switch {
	case err != nil:
		return err
	case isFragment(r):
		return render(w, r, http.StatusOK, ExportState(view))
	}
	return render(w, r, http.StatusOK, ExportPage(view))
}

func (s *server) exportView(ctx context.Context, e export.Export) (*Export, error) {
	view := &Export{Export: e}
	if e.Source == export.SourceList {
		l, err := s.Lists.Get(ctx, e.Workspace, e.List)
		if err != nil && fault.CodeOf(err) != fault.NotFound {
			return nil, err
		}
		view.From = l.Name
	} else {
		asked := searchFormOf(e)
		view.Chips = asked.chips("")
	}
	names, err := s.buyers(ctx, e.Workspace)
	view.By = names.of(e.Token, e.Person)
	return view, err
}

// progressEvery is how often a stream looks at its export.
const progressEvery = 300 * time.Millisecond

// exportEvents streams the state of an export until it is final.
func (s *server) exportEvents(w http.ResponseWriter, r *http.Request) error {
	e, err := s.exportOf(r)
	if err != nil {
		return err
	}
	view, err := s.exportView(r.Context(), e)
	if err != nil {
		return err
	}
	type state struct {
		status export.Status
		rows   int
	}
	var told state
	return s.stream(w, r, progressEvery, func(out *events) (more bool, err error) {
		if view.Export, err = s.exportOf(r); err != nil {
			return false, err
		}
		if now := (state{view.Status, view.ProcessedRecords}); now != told {
			told = now
			if err := out.send("page", ExportState(view)); err != nil {
				return false, err
			}
		}
		return view.Running(), nil
	})
}

// downloadExport leads to the file, or to its manifest, by a link that works for some minutes.
func (s *server) downloadExport(w http.ResponseWriter, r *http.Request) error {
	e, err := s.exportOf(r)
	if err != nil {
		return err
	}
	links, err := s.Exports.Download(r.Context(), ViewerOf(r.Context()).Caller(), e.ID)
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
	v := ViewerOf(r.Context())
	e, err = s.Exports.Cancel(r.Context(), v.Caller(), e.ID)
	switch {
	case fault.CodeOf(err) == fault.ExportNotCancellable:
		s.notice(r.Context(), "It was too late to cancel: "+messageIn(err))
	case err != nil:
		return err
	default:
		s.notice(r.Context(), "Cancelled. "+Plural(r.Context(), e.Refunded, "credit", "credits")+" came back.")
	}
	return redirect(w, r, v.Path("/exports/"+r.PathValue("export_id")))
}

// Receipt is a page of an export's receipt.
type Receipt struct {
	export.Export
	Lines []export.ReceiptLine
	Next  string
	Later bool
}

func (s *server) exportReceipt(w http.ResponseWriter, r *http.Request) error {
	e, err := s.exportOf(r)
	if err != nil {
		return err
	}
	v, q := ViewerOf(r.Context()), r.URL.Query()
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
	view := &Receipt{Export: e, Lines: lines, Later: q.Get("cursor") != ""}
	if next != "" {
		view.Next = v.Path("/exports/" + e.ID.String() + "/receipt?cursor=" + next)
	}
	return render(w, r, http.StatusOK, ReceiptPage(view))
}

// statusTone is how a status looks.
func statusTone(s export.Status) string {
	switch s {
	case export.StatusCompleted:
		return "good"
	case export.StatusFailed:
		return "bad"
	case export.StatusCancelled:
		return "warn"
	default:
		return "info"
	}
}

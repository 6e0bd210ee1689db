package console

import (
	"net/http"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/httpx"
	"github.com/opencapi/capi/internal/id"
)

// showAudit shows the audit log of the workspace.
func (s *server) showAudit(w http.ResponseWriter, r *http.Request) error {
	v := view.ViewerOf(r.Context())
	return s.auditPage(w, r, &view.Audit{Page: v.Path("/audit")}, v.Workspace.ID)
}

// showInstallationAudit shows the audit log of the whole installation.
func (s *server) showInstallationAudit(w http.ResponseWriter, r *http.Request) error {
	return s.auditPage(w, r, &view.Audit{Page: basePath + "/operator/audit", Installation: true}, id.Workspace{})
}

func (s *server) auditPage(w http.ResponseWriter, r *http.Request, page *view.Audit, ws id.Workspace) error {
	ctx, q := r.Context(), r.URL.Query()
	page.Filter = view.AuditFilter{From: q.Get("from"), To: q.Get("to"), Action: q.Get("action"), Before: q.Get("before")}
	filter, before, err := page.Filter.Read()
	filter.Workspace = ws
	if q.Get("format") == string(format.CSV) {
		if err != nil {
			return err
		}
		file := httpx.CSV{FileName: "audit.csv", Columns: auditlog.Columns(), Rows: s.Audit.Rows(ctx, filter)}
		return file.Write(w, http.StatusOK)
	}
	page.Sheet = page.At("format", string(format.CSV), "before", "")
	if page.Faults = fieldErrors(err); page.Faults == nil {
		if page.Entries, err = s.Audit.Page(ctx, filter, before, pageSize+1); err != nil {
			return err
		}
		if len(page.Entries) > pageSize {
			page.Entries = page.Entries[:pageSize]
			page.Next = page.At("before", page.Entries[pageSize-1].ID.String())
		}
	}
	return render(w, r, http.StatusOK, view.AuditPage(page))
}

package console

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/doctor"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/upload"
)

// SystemStatus is what operators see of the installation. The program supplies it, because the console must not ask the
// database or the index itself. A part that is nil is not shown.
type SystemStatus struct {
	Stats   func(ctx context.Context) (SystemStats, error)
	Imports func(ctx context.Context, before int64, limit int) ([]Import, error) // newest first; before 0 starts
	// Examine runs every audit. It calls progress during audits that take long, and report with each check as it ends.
	Examine func(ctx context.Context, progress func(area string, done, total int), report func(doctor.Check)) error
}

// What operators see of the installation. The pages define the types.
type (
	// SystemStats are the figures of the installation.
	SystemStats = view.SystemStats
	// JobStats are the jobs of one kind.
	JobStats = view.JobStats
	// Import is an import with its counts.
	Import = view.Import
	// ImportCount is one count of an import, with its label.
	ImportCount = view.ImportCount
)

func (s *server) operatorPage(w http.ResponseWriter, r *http.Request) error {
	page, err := s.operatorView(r.Context())
	if err != nil {
		return err
	}
	if ws, err := id.Parse[id.Workspace](r.URL.Query().Get("grant")); err == nil {
		page.Open = ws
	}
	return render(w, r, http.StatusOK, view.OperatorPage(page))
}

func (s *server) operatorView(ctx context.Context) (*view.Operator, error) {
	page := &view.Operator{}
	if s.System.Stats != nil {
		stats, err := s.System.Stats(ctx)
		if err != nil {
			return nil, err
		}
		page.Stats = &stats
	}
	all, err := s.Workspaces.List(ctx)
	if err != nil {
		return nil, err
	}
	balances, err := s.Credits.Balances(ctx)
	if err != nil {
		return nil, err
	}
	slices.Reverse(all)
	for _, ws := range all {
		page.Workspaces = append(page.Workspaces, view.WorkspaceRow{
			Workspace: ws, Balance: balances[ws.ID], Key: id.New[id.Entry]().String(),
		})
	}
	return page, nil
}

// grantCredits grants credits once, even if its form is sent several times.
func (s *server) grantCredits(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), view.ViewerOf(r.Context())
	ws, err := id.Parse[id.Workspace](r.PathValue("id"))
	if err != nil {
		return notFound()
	}
	if err := r.ParseForm(); err != nil {
		return err
	}
	grant := credit.Grant{
		Reason: credit.Reason(r.PostForm.Get("reason")), Note: strings.TrimSpace(r.PostForm.Get("note")), Actor: v.Caller().Actor(),
	}
	if grant.Amount, err = strconv.ParseInt(strings.TrimSpace(r.PostForm.Get("amount")), 10, 64); err != nil {
		err = fault.Invalid(fault.FieldError{Field: "amount", Message: "must be a whole number of credits"})
	}
	key := r.PostForm.Get("key")
	if err == nil && idempotency.KeyFault(key) != "" {
		err = fault.New(fault.NotFound, "The form is incomplete. Reload the page and try again.")
	}
	if err == nil {
		_, err = s.Idempotency.Do(ctx, idempotency.Request{
			Workspace: ws, Key: "console " + key, Operation: "console grant", Status: http.StatusSeeOther,
			SHA256: sha256.Sum256([]byte(ws.String() + r.PostForm.Encode())),
		}, func(a *idempotency.Attempt) error {
			_, err := s.Credits.Enter(ctx, ws, grant, idempotency.Last(a, func(e credit.Entry) ([]byte, error) { return json.Marshal(e.ID) }))
			return err
		})
	}
	if faults := fieldErrors(err); faults != nil {
		page, err := s.operatorView(ctx)
		if err != nil {
			return err
		}
		page.Faults, page.Open = faults, ws
		page.Given = view.GrantForm{Amount: r.PostForm.Get("amount"), Reason: r.PostForm.Get("reason"), Note: r.PostForm.Get("note")}
		return render(w, r, http.StatusUnprocessableEntity, view.OperatorPage(page))
	}
	if err != nil {
		return err
	}
	if grant.Amount < 0 {
		s.notice(ctx, "Deducted "+view.Plural(ctx, -grant.Amount, "credit", "credits")+".")
	} else {
		s.notice(ctx, "Granted "+view.Plural(ctx, grant.Amount, "credit", "credits")+".")
	}
	return redirect(w, r, basePath+"/operator#"+ws.String())
}

func (s *server) importsPage(w http.ResponseWriter, r *http.Request) error {
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64) // anything else is the first page
	page := &view.Imports{Kept: s.System.Imports != nil, Later: before > 0, Upload: s.Uploads.Enabled()}
	if before <= 0 {
		all, err := s.Uploads.List()
		if err != nil {
			return err
		}
		page.Uploads = slices.DeleteFunc(all, func(u upload.Upload) bool { return u.State == upload.StateImported })
	}
	if page.Kept {
		var err error
		if page.Imports, err = s.System.Imports(r.Context(), max(0, before), pageSize+1); err != nil {
			return err
		}
	}
	if len(page.Imports) > pageSize {
		page.Imports = page.Imports[:pageSize]
		page.Next = basePath + "/operator/imports?before=" + strconv.FormatInt(page.Imports[pageSize-1].Number, 10)
	}
	return render(w, r, http.StatusOK, view.ImportsPage(page))
}

package console

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/workspace"
)

// SystemStatus is what operators see of the installation. The program supplies it, because the console must not ask the
// database or the index itself. A part that is nil is not shown.
type SystemStatus struct {
	Stats   func(ctx context.Context) (SystemStats, error)
	Imports func(ctx context.Context, before int64, limit int) ([]Import, error) // newest first; before 0 starts
	// Examine runs every audit, and calls report with each check as it ends.
	Examine func(ctx context.Context, report func(Check)) error
}

// SystemStats describe what is running, and how much data there is.
type SystemStats struct {
	Version, Database string
	Companies         int // in the catalog
	CatalogSeq        uint64
	Indexed           int // companies in the index
	IndexSeq          uint64
	Jobs              []JobStats
}

// JobStats count the jobs of one kind in one state.
type JobStats struct {
	Kind, State string
	Count       int
	Oldest      time.Time
}

// Import is what an import did.
type Import struct {
	Number     int64
	Files      []string
	StartedAt  time.Time
	FinishedAt *time.Time // nil while it runs, and after it broke off
	UndoneAt   *time.Time
	Counts     []ImportCount
}

// ImportCount is a count of an import, by its name for people.
type ImportCount struct {
	Name  string
	Count int64
}

// Check is one thing that Examine proves, with what speaks against it.
type Check struct {
	Area, Proves string
	Skipped      string // why it could not be looked at; empty if it was
	Findings     []Finding
}

// Finding is something that cannot be.
type Finding struct{ Subject, Problem string }

func operatorRoutes() []route {
	return []route{
		{http.MethodGet, "/operator", operator, (*server).operatorPage},
		{http.MethodPost, "/operator/workspaces/{id}/grants", operator, (*server).grantCredits},
		{http.MethodGet, "/operator/imports", operator, (*server).importsPage},
		{http.MethodGet, "/operator/doctor", operator, (*server).doctorPage},
		{http.MethodPost, "/operator/doctor", operator, (*server).examine},
	}
}

// Operator is the operators' first page.
type Operator struct {
	Stats      *SystemStats // nil if they are not known
	Workspaces []WorkspaceRow
	Faults     map[string]string
	Faulty     id.Workspace // whose form the faults are of
}

// WorkspaceRow is a workspace with its balance, and the key that lets its form be sent but once.
type WorkspaceRow struct {
	workspace.Workspace
	Balance int64
	Key     string
}

func (s *server) operatorPage(w http.ResponseWriter, r *http.Request) error {
	view, err := s.operatorView(r.Context())
	if err != nil {
		return err
	}
	return render(w, r, http.StatusOK, OperatorPage(view))
}

func (s *server) operatorView(ctx context.Context) (*Operator, error) {
	view := &Operator{}
	if s.System.Stats != nil {
		stats, err := s.System.Stats(ctx)
		if err != nil {
			return nil, err
		}
		view.Stats = &stats
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
		view.Workspaces = append(view.Workspaces, WorkspaceRow{ws, balances[ws.ID], id.New[id.Entry]().String()})
	}
	return view, nil
}

// grantCredits enters credits once, however often its form is sent.
func (s *server) grantCredits(w http.ResponseWriter, r *http.Request) error {
	ctx, v := r.Context(), ViewerOf(r.Context())
	ws, err := id.Parse[id.Workspace](r.PathValue("id"))
	if err != nil {
		return noPage()
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
		err = fault.New(fault.NotFound, "The form was cut short. Load the page again.")
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
		view, err := s.operatorView(ctx)
		if err != nil {
			return err
		}
		view.Faults, view.Faulty = faults, ws
		return render(w, r, http.StatusUnprocessableEntity, OperatorPage(view))
	}
	if err != nil {
		return err
	}
	s.notice(ctx, Signed(ctx, grant.Amount)+" credits were entered.")
	return redirect(w, r, basePath+"/operator#"+ws.String())
}

// Imports is a page of imports.
type Imports struct {
	Imports []Import
	Kept    bool // imports are kept at all
	Next    string
	Later   bool
}

func (s *server) importsPage(w http.ResponseWriter, r *http.Request) error {
	before, _ := strconv.ParseInt(r.URL.Query().Get("before"), 10, 64) // anything else is the first page
	view := &Imports{Kept: s.System.Imports != nil, Later: before > 0}
	if view.Kept {
		var err error
		if view.Imports, err = s.System.Imports(r.Context(), max(0, before), pageSize+1); err != nil {
			return err
		}
	}
	if len(view.Imports) > pageSize {
		view.Imports = view.Imports[:pageSize]
		view.Next = basePath + "/operator/imports?before=" + strconv.FormatInt(view.Imports[pageSize-1].Number, 10)
	}
	return render(w, r, http.StatusOK, ImportsPage(view))
}

// Doctor is what an examination has found.
type Doctor struct {
	Possible bool
	Checks   []Check // nil before one
	Took     time.Duration
	Found    int // findings in all
}

func (s *server) doctorPage(w http.ResponseWriter, r *http.Request) error {
	return render(w, r, http.StatusOK, DoctorPage(&Doctor{Possible: s.System.Examine != nil}))
}

// examine examines the books, files and indexes; one at a time, for it reads a great deal.
func (s *server) examine(w http.ResponseWriter, r *http.Request) error {
	if s.System.Examine == nil {
		return noPage()
	}
	if !s.examining.TryLock() {
		return fault.New(fault.RequestInFlight, "An examination is under way already. Wait for it to end.")
	}
	defer s.examining.Unlock()
	began := time.Now()
	view := &Doctor{Possible: true, Checks: []Check{}}
	err := s.System.Examine(r.Context(), func(c Check) {
		view.Checks = append(view.Checks, c)
		view.Found += len(c.Findings)
	})
	if err != nil {
		return err
	}
	view.Took = time.Since(began)
	return render(w, r, http.StatusOK, DoctorPage(view))
}

// findingsShown is the number of findings of a check that the page tells.
const findingsShown = 50

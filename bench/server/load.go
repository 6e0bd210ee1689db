package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/ingest"

	"github.com/opencapi/capi/bench/workload"
)

const tokenFile = "token"

// load imports the companies, makes a workspace with a token, and unlocks for it what the workload says.
func load(ctx context.Context, w *workload.Workload, dir string) error {
	c := config.Config{Storage: config.Storage{Data: dir, DB: "sqlite"}}
	a, err := app.Open(ctx, c, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	defer a.Close()
	if err := importAll(ctx, a, w); err != nil {
		return err
	}
	ws, err := a.CreateWorkspace(ctx, "Bench", 1_000_000_000)
	if err != nil {
		return err
	}
	secret, _, err := a.Tokens.Create(ctx, auth.NewToken{Workspace: ws.ID, Name: "bench", Scope: auth.ReadWrite})
	if err != nil {
		return err
	}
	err = a.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := a.Credits.Lock(ctx, tx, ws.ID); err != nil {
			return err
		}
		_, err := a.Unlocks.Add(ctx, tx, ws.ID, id.New[id.Export](), w.Owned())
		return err
	})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, tokenFile), []byte(secret), 0o600)
}

func importAll(ctx context.Context, a *app.App, w *workload.Workload) error {
	read, write := io.Pipe()
	go func() { write.CloseWithError(writeAll(write, w)) }()
	summary, err := ingest.Import(ctx, ingest.Options{Catalog: a.Catalog, Files: []string{"-"}, Stdin: read})
	read.CloseWithError(errors.New("the import has ended"))
	if err != nil {
		return err
	}
	if summary.Added != w.Len || summary.Rejected > 0 {
		return fmt.Errorf("import added %d of %d companies and rejected %d records", summary.Added, w.Len, summary.Rejected)
	}
	return nil
}

// record is a company as the import reads it.
type record struct {
	ID                   string       `json:"id"`
	Name                 string       `json:"name"`
	Domain               string       `json:"domain"`
	Description          string       `json:"description"`
	Country              string       `json:"country"`
	State                string       `json:"state"`
	City                 string       `json:"city"`
	Industries           []string     `json:"industries"`
	NAICSCodes           []string     `json:"naics_codes"`
	Technologies         []string     `json:"technologies"`
	TechnologyCategories []string     `json:"technology_categories"`
	EmployeeCount        *int64       `json:"employee_count,omitempty"`
	FoundedYear          *int64       `json:"founded_year,omitempty"`
	Connections          []connection `json:"connections,omitempty"`
}

type connection struct {
	Category string `json:"category"`
	Domain   string `json:"connected_domain"`
}

func recordOf(c *company.Company) record {
	r := record{
		ID: c.ID.String(), Name: c.Name, Domain: c.Domain, Description: c.Description, Country: c.Country, State: c.State,
		City: c.City, Industries: c.Industries, NAICSCodes: c.NAICSCodes, Technologies: c.Technologies,
		TechnologyCategories: c.TechnologyCategories, EmployeeCount: c.EmployeeCount, FoundedYear: c.FoundedYear,
	}
	for _, x := range c.Connections {
		r.Connections = append(r.Connections, connection{x.Category, x.Domain})
	}
	return r
}

func writeAll(out io.Writer, w *workload.Workload) error {
	lines := json.NewEncoder(out)
	for c := range w.Companies() {
		if err := lines.Encode(recordOf(c)); err != nil {
			return err
		}
	}
	return nil
}

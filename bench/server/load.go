package server

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/opencapi/capi/internal/app"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/config"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/importer"
	"github.com/opencapi/capi/internal/token"

	"github.com/opencapi/capi/bench/workload"
)

const (
	tokenFile = "token"
	hold      = 5 * time.Second // nobody buys from what is being loaded
)

// load imports the companies, creates a workspace with a token, and unlocks the workload's owned companies for it.
func (o Options) load(ctx context.Context, w *workload.Workload, dir string) error {
	a, err := openData(ctx, dir, o.DB)
	if err != nil {
		return err
	}
	defer a.Close()
	start := time.Now()
	if err := o.importAll(ctx, a, w); err != nil {
		return err
	}
	took := time.Since(start)
	fmt.Fprintf(os.Stderr, "catalog of %d companies imported in %s, %.0f a second\n", w.Len, took.Round(time.Millisecond),
		float64(w.Len)/took.Seconds())
	ws, err := a.CreateWorkspace(ctx, "Bench", 1_000_000_000)
	if err != nil {
		return err
	}
	secret, _, err := a.Tokens.Create(ctx, token.NewToken{Workspace: ws.ID, Name: "bench", Scope: auth.ReadWrite})
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

// openData opens a data directory, with the PostgreSQL database if one is given, like the commands that run next to a server.
func openData(ctx context.Context, dir, postgres string) (*app.App, error) {
	c := config.Config{Storage: config.Storage{Data: dir, DB: cmp.Or(postgres, "sqlite")}}
	return app.Open(ctx, c, slog.New(slog.DiscardHandler))
}

func (o Options) importAll(ctx context.Context, a *app.App, w *workload.Workload) error {
	summary, err := importLines(ctx, a, func(lines *json.Encoder) error {
		for c := range w.Companies() {
			r := recordOf(c)
			if o.Unconnected {
				r.Connections = nil
			}
			if err := lines.Encode(r); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if summary.Added != w.Len || summary.Rejected > 0 {
		return fmt.Errorf("import added %d of %d companies and rejected %d records", summary.Added, w.Len, summary.Rejected)
	}
	return nil
}

// importLines imports the records that write encodes, one per line.
func importLines(ctx context.Context, a *app.App, write func(lines *json.Encoder) error) (importer.Summary, error) {
	in, out := io.Pipe()
	go func() {
		buffered := bufio.NewWriterSize(out, 1<<20)
		out.CloseWithError(errors.Join(write(json.NewEncoder(buffered)), buffered.Flush()))
	}()
	summary, err := importer.Import(ctx, importer.Options{Catalog: a.Catalog, Files: []string{"-"}, Stdin: in, LockTime: hold})
	in.CloseWithError(errors.New("the import has ended"))
	return summary, err
}

// record is a company in the import format.
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

package app

import (
	"context"
	"runtime/debug"

	"github.com/opencapi/capi/internal/console"
)

// systemStatus returns what the console shows operators about the installation.
func (a *App) systemStatus() console.SystemStatus {
	return console.SystemStatus{Stats: a.systemStats, Imports: a.importsForConsole, Examine: a.Doctor.Run}
}

func (a *App) systemStats(ctx context.Context) (console.SystemStats, error) {
	f := console.SystemStats{Version: builtFrom(), Database: a.DB.Name(), Index: a.indexName(), Indexed: a.Index.Len(), IndexSeq: a.Index.Seq()}
	var err error
	if f.CatalogSeq, err = a.Catalog.Seq(ctx); err != nil {
		return f, err
	}
	if f.Companies, err = a.Catalog.Len(ctx); err != nil {
		return f, err
	}
	jobs, err := a.Jobs.StatsByKind(ctx)
	for _, j := range jobs {
		f.Jobs = append(f.Jobs, console.JobStats(j))
	}
	return f, err
}

// importCounts are the counts that are shown for an import, in the order shown.
var importCounts = []struct{ key, name string }{
	{"read", "Records read"},
	{"added", "Added"},
	{"updated", "Updated"},
	{"unchanged", "Unchanged"},
	{"rejected", "Rejected"},
	{"connections", "Connections"},
}

func (a *App) importsForConsole(ctx context.Context, before int64, limit int) ([]console.Import, error) {
	imports, err := a.Catalog.Imports(ctx, before, limit)
	if err != nil {
		return nil, err
	}
	shown := make([]console.Import, 0, len(imports))
	for _, i := range imports {
		c := console.Import{Number: i.Number, Files: i.Files, StartedAt: i.StartedAt, FinishedAt: i.FinishedAt, UndoneAt: i.UndoneAt}
		for _, f := range importCounts {
			if n, ok := i.Figures[f.key]; ok {
				c.Counts = append(c.Counts, console.ImportCount{Name: f.name, Count: int64(n)})
			}
		}
		shown = append(shown, c)
	}
	return shown, nil
}

// builtFrom returns the module version that the binary was built from, or "devel".
func builtFrom() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}

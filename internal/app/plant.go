package app

import (
	"context"
	"runtime/debug"

	"github.com/opencapi/capi/internal/console"
)

// plant is the installation as its operators see it in the console.
func (a *App) plant() console.Plant {
	return console.Plant{Figures: a.plantFigures, Imports: a.importsForConsole, Examine: a.examineForConsole}
}

func (a *App) plantFigures(ctx context.Context) (console.PlantFigures, error) {
	f := console.PlantFigures{Version: builtFrom(), Database: a.DB.Name(), Indexed: a.Index.Len(), IndexSeq: a.Index.Seq()}
	var err error
	if f.CatalogSeq, err = a.Catalog.Seq(ctx); err != nil {
		return f, err
	}
	if f.Companies, err = a.Catalog.Len(ctx); err != nil {
		return f, err
	}
	jobs, err := a.Jobs.Figures(ctx)
	for _, j := range jobs {
		f.Jobs = append(f.Jobs, console.JobFigure(j))
	}
	return f, err
}

// importFigures are those of an import, in the order in which people read them.
var importFigures = []struct{ key, name string }{
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
	told := make([]console.Import, 0, len(imports))
	for _, i := range imports {
		c := console.Import{Number: i.Number, Files: i.Files, StartedAt: i.StartedAt, FinishedAt: i.FinishedAt, UndoneAt: i.UndoneAt}
		for _, f := range importFigures {
			if n, ok := i.Figures[f.key]; ok {
				c.Figures = append(c.Figures, console.ImportFigure{Name: f.name, Count: int64(n)})
			}
		}
		told = append(told, c)
	}
	return told, nil
}

func (a *App) examineForConsole(ctx context.Context, report func(console.Check)) error {
	return a.Examine(ctx, nil, func(c Check) {
		told := console.Check{Area: c.Area, Proves: c.Proves, Skipped: c.Skipped}
		for _, f := range c.Findings {
			told.Findings = append(told.Findings, console.Finding{Subject: f.Subject, Problem: f.Problem})
		}
		report(told)
	})
}

// builtFrom is the version that the binary was built from.
func builtFrom() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}

package cli

import (
	"math"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/importer"
)

type importListCommand struct{ jsonFlag }

// Run lists the imports, newest first.
func (c *importListCommand) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	imports, err := a.Catalog.Imports(s.ctx, 0, math.MaxInt32)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(imports)
	}
	rows := make([][]string, 0, len(imports))
	for _, i := range imports {
		state := "done"
		switch {
		case i.UndoneAt != nil:
			state = "undone " + timestamp(*i.UndoneAt)
		case i.FinishedAt == nil:
			state = "not finished"
		}
		row := []string{strconv.FormatInt(i.Number, 10), timestamp(i.StartedAt), strings.Join(i.Files, ", ")}
		for _, figure := range []string{"read", "added", "updated", "rejected"} {
			if i.FinishedAt == nil && i.UndoneAt == nil { // it is running, or it ended before it could count
				row = append(row, "-")
				continue
			}
			row = append(row, count(i.Figures[figure]))
		}
		rows = append(rows, append(row, state))
	}
	s.printTable([]string{">ID", "STARTED", "FILES", ">READ", ">ADDED", ">UPDATED", ">REJECTED", "STATE"}, rows)
	return nil
}

type importUndoCommand struct {
	ID int64 `arg:"" help:"The import's ID, from capi import list."`
	jsonFlag
}

// Run undoes an import.
func (c *importUndoCommand) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	undone, err := importer.Undo(s.ctx, importer.UndoOptions{
		Catalog: a.Catalog, Workspaces: a.Workspaces, Unlocks: a.Unlocks, Lists: a.Lists,
	}, c.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(undone)
	}
	s.printf("%s removed and %s restored; %s removed.\n", plural(undone.Removed, "company", "companies"),
		plural(undone.Restored, "company", "companies"), plural(undone.Connections, "connection", "connections"))
	if undone.Kept > 0 {
		s.printf("%s: delivered by an export, on a list, or changed by another import since.\n",
			plural(undone.Kept, "company was kept", "companies were kept"))
	}
	return nil
}

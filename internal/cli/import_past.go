package cli

import (
	"math"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/catalog"
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

type importMergesCommand struct {
	ID int64 `arg:"" help:"The import's ID, from capi import list."`
	jsonFlag
}

// Run lists the merges of an import.
func (c *importMergesCommand) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	merges, rows := []catalog.Merged{}, [][]string{}
	err = a.Catalog.Merges(s.ctx, c.ID, func(m catalog.Merged) error {
		merges = append(merges, m)
		state := ""
		if m.SplitAt != nil {
			state = "undone " + timestamp(*m.SplitAt)
		}
		rows = append(rows, []string{strconv.Itoa(m.Position), m.File, count(m.Line), named(m.Name, m.Place), named(m.Into, m.IntoAt), m.By, state})
		return nil
	})
	switch {
	case err != nil:
		return err
	case c.JSON:
		return s.printJSON(merges)
	case len(rows) == 0:
		s.printf("No row of import %d became part of a company with another name or place.\n", c.ID)
		return nil
	}
	s.printTable([]string{">NUMBER", "FILE", ">LINE", "ROW", "BECAME PART OF", "BY", "STATE"}, rows)
	s.printf("\nTo undo one: capi import split %d NUMBER\n", c.ID)
	return nil
}

type importSplitCommand struct {
	ID     int64 `arg:"" help:"The import's ID, from capi import list."`
	Number int   `arg:"" help:"The merge's number, from capi import merges."`
	jsonFlag
}

// Run undoes a merge.
func (c *importSplitCommand) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	split, err := importer.Split(s.ctx, a.UndoOptions(), c.ID, c.Number)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(split)
	}
	s.printf("The row is the company %s now.\n", split.Company)
	if split.Restored {
		s.printf("The company that it was merged into has its values from before again.\n")
	} else {
		s.printf("The company that it was merged into keeps its values: it was delivered by an export, is on a list, or has changed since.\n")
	}
	return nil
}

type importDuplicatesCommand struct{ jsonFlag }

// Run lists likely duplicates.
func (c *importDuplicatesCommand) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	type duplicate struct {
		ID          string `json:"id"`
		Name        string `json:"name"`
		DuplicateID string `json:"duplicate_id"`
		Duplicate   string `json:"duplicate_name"`
	}
	all, rows := []duplicate{}, [][]string{}
	err = a.Catalog.Duplicates(s.ctx, func(d catalog.Duplicate) error {
		first, second := d.Companies[0], d.Companies[1]
		all = append(all, duplicate{first.ID.String(), first.Name, second.ID.String(), second.Name})
		rows = append(rows, []string{first.Name, first.ID.String(), second.Name, second.ID.String()})
		return nil
	})
	switch {
	case err != nil:
		return err
	case c.JSON:
		return s.printJSON(all)
	case len(rows) == 0:
		s.printf("No two companies have names that differ only in punctuation, spaces or case.\n")
		return nil
	}
	s.printTable([]string{"COMPANY", "ID", "LIKELY DUPLICATE", "ID"}, rows)
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
	undone, err := importer.Undo(s.ctx, a.UndoOptions(), c.ID)
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

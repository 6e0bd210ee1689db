package cli

import (
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

type workspaceWall struct {
	ID            workspaceID `arg:"" help:"The workspace."`
	VisibleFields *string     `placeholder:"FIELDS" help:"Fields that the workspace sees of companies that it does not own, such as domain,country,industries; all for every field, default for those of the installation."`
	jsonFlag
}

// Help is shown below the summary.
func (workspaceWall) Help() string {
	return `Without flags, it shows the rules. Companies that the workspace owns are always shown in full; id, name, created_at and
updated_at always are. A change applies at the next request. Examples:

    capi workspace wall ID
    capi workspace wall ID --visible-fields country,industries,employee_count
    capi workspace wall ID --visible-fields all
    capi workspace wall ID --visible-fields default`
}

// visibleDefault is the value of --visible-fields that stands for the fields of the installation.
const visibleDefault = "default"

type wallRow struct {
	ID            id.Workspace `json:"id"`
	VisibleFields []string     `json:"visible_fields"` // null for those of the installation
}

// Run sets the rules that are given, then shows all of them.
func (c *workspaceWall) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	if c.VisibleFields != nil {
		var names []string
		if strings.TrimSpace(*c.VisibleFields) != visibleDefault {
			if names = company.SplitFields(*c.VisibleFields); len(names) == 0 {
				return fault.Invalid(fault.FieldError{Field: "visible-fields", Message: "must name a field; id alone shows as little as possible"})
			}
		}
		if err := a.Workspaces.SetVisibleFields(s.ctx, c.ID.Workspace, names); err != nil {
			return err
		}
	}
	w, err := a.Workspaces.Get(s.ctx, c.ID.Workspace)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(wallRow{w.ID, w.VisibleFields})
	}
	visible := strings.Join(w.VisibleFields, ", ")
	if visible == "" {
		visible = "those of the installation (--visible-fields of capi serve)"
	}
	s.printf("Visible fields: %s\n", visible)
	return nil
}

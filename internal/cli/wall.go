package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

type workspaceWall struct {
	ID             workspaceID   `arg:"" help:"The workspace."`
	VisibleFields  *string       `placeholder:"FIELDS" help:"Fields that the workspace sees of companies that it does not own, such as domain,country,industries; all for every field, default for those of the installation."`
	DailyCompanies *companyLimit `placeholder:"N" help:"The most companies that it is shown in a day (UTC) without owning them; off for no limit."`
	Token          tokenID       `placeholder:"ID" help:"Set the daily limit of this token of the workspace, in place of the workspace's own."`
	jsonFlag
}

// Help is shown below the summary.
func (workspaceWall) Help() string {
	return `Without flags, it shows the rules. Companies that the workspace owns are always shown in full; id, name, created_at and
updated_at always are. A change applies at the next request. Examples:

    capi workspace wall ID
    capi workspace wall ID --visible-fields country,industries,employee_count
    capi workspace wall ID --visible-fields all
    capi workspace wall ID --visible-fields default
    capi workspace wall ID --daily-companies 5000
    capi workspace wall ID --daily-companies 500 --token TOKEN`
}

// visibleDefault is the value of --visible-fields that stands for the fields of the installation.
const visibleDefault = "default"

type wallRow struct {
	ID            id.Workspace `json:"id"`
	VisibleFields []string     `json:"visible_fields"` // null for those of the installation

	dailyFigures
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
	switch {
	case c.DailyCompanies == nil && !c.Token.IsZero():
		return fault.Invalid(fault.FieldError{Field: "token", Message: "is only for --daily-companies"})
	case c.DailyCompanies != nil && !c.Token.IsZero():
		err = a.Tokens.SetDailyCompanies(s.ctx, c.ID.Workspace, c.Token.Token, int64(*c.DailyCompanies))
	case c.DailyCompanies != nil:
		err = a.Workspaces.SetDailyCompanies(s.ctx, c.ID.Workspace, int64(*c.DailyCompanies))
	}
	if err != nil {
		return err
	}
	w, err := a.Workspaces.Get(s.ctx, c.ID.Workspace)
	if err != nil {
		return err
	}
	today, err := a.Wall.LimitOf(s.ctx, c.ID.Workspace, id.Token{})
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(wallRow{w.ID, w.VisibleFields, dailyOf(today)})
	}
	visible := strings.Join(w.VisibleFields, ", ")
	if visible == "" {
		visible = "those of the installation (--visible-fields of capi serve)"
	}
	s.printf("Visible fields: %s\n", visible)
	s.printDaily(today)
	if !c.Token.IsZero() {
		s.printf("The limit of token %s was set.\n", c.Token.Token)
	}
	return nil
}

// companyLimit is a number of companies, or off.
type companyLimit int64

// UnmarshalText accepts off or a number from 1.
func (l *companyLimit) UnmarshalText(p []byte) error {
	if *l = 0; string(p) == "off" {
		return nil
	}
	n, err := strconv.ParseInt(string(p), 10, 64)
	if err != nil || n < 1 {
		return fmt.Errorf("%q is not a number of companies from 1, or off", p)
	}
	*l = companyLimit(n)
	return nil
}

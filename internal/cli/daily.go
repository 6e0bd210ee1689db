package cli

import (
	"time"

	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/wall"
)

type tokenDaily struct {
	ID        tokenID       `arg:"" help:"The token's ID, from capi token list."`
	Companies *companyLimit `placeholder:"N" help:"The most companies that the token is shown in a day (UTC) without its workspace owning them; off for no limit."`
	jsonFlag
}

// Help is shown below the summary.
func (tokenDaily) Help() string {
	return `Without flags, it shows the limit and what is left of it today. The limit of the workspace (capi workspace wall) applies
besides. Examples:

    capi token daily ID
    capi token daily ID --companies 500
    capi token daily ID --companies off`
}

// dailyFigures are a daily limit and what is left of it.
type dailyFigures struct {
	DailyCompanies int64      `json:"daily_companies"` // 0 for no limit, and then the others are null
	ShownToday     *int       `json:"shown_today"`
	LeftToday      *int       `json:"left_today"`
	ResetsAt       *time.Time `json:"resets_at"`
}

func dailyOf(d *wall.Daily) dailyFigures {
	if d == nil {
		return dailyFigures{}
	}
	return dailyFigures{int64(d.Limit), &d.Shown, new(d.Left()), &d.ResetsAt}
}

type tokenDailyRow struct {
	ID id.Token `json:"id"`
	dailyFigures
}

// Run sets the limit if it is given, then shows it.
func (c *tokenDaily) Run(s *session) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	t, err := a.Tokens.Get(s.ctx, c.ID.Token)
	if err != nil {
		return err
	}
	if c.Companies != nil {
		if err := a.Tokens.SetDailyCompanies(s.ctx, t.Workspace, t.ID, int64(*c.Companies)); err != nil {
			return err
		}
	}
	today, err := a.Wall.LimitOf(s.ctx, t.Workspace, t.ID)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.printJSON(tokenDailyRow{t.ID, dailyOf(today)})
	}
	s.printDaily(today)
	return nil
}

// printDaily prints a daily limit and what is left of it.
func (s *session) printDaily(d *wall.Daily) {
	if d == nil {
		s.printf("Companies a day that it does not own: no limit\n")
		return
	}
	s.printf("Companies a day that it does not own: %s\n", count(int64(d.Limit)))
	s.printf("Today: %s shown, %s left until %s (UTC)\n", count(int64(d.Shown)), count(int64(d.Left())), timestamp(d.ResetsAt))
}

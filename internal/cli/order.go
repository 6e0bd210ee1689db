package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/order"
)

type orderCommand struct {
	List   orderList   `cmd:"" help:"List a workspace's standing orders."`
	Show   orderShow   `cmd:"" help:"Show an order and its newest runs."`
	Pause  orderPause  `cmd:"" help:"Stop the schedule of an order."`
	Resume orderResume `cmd:"" help:"Continue the schedule of a paused order."`
	Run    orderRun    `cmd:"" help:"Have the server run an order now, beside its schedule."`
}

// orderRow is an order as JSON.
type orderRow struct {
	ID              id.Order       `json:"id"`
	Name            string         `json:"name"`
	State           order.State    `json:"state"`
	Deliver         order.Deliver  `json:"deliver"`
	Cron            string         `json:"cron"` // empty for an order that runs after imports
	TimeZone        string         `json:"time_zone"`
	Missed          order.Missed   `json:"missed"`
	AboveCap        order.AboveCap `json:"above_cap"`
	MaxCredits      *int64         `json:"max_credits"`
	MaxCreditsTotal *int64         `json:"max_credits_total"`
	CreditsSpent    int64          `json:"credits_spent"`
	EndsAt          *time.Time     `json:"ends_at"`
	NextRunAt       *time.Time     `json:"next_run_at"`
	AskedAt         *time.Time     `json:"asked_at"` // when a run was asked for that no server has made yet
	PausedReason    string         `json:"paused_reason"`
	DelayedReason   string         `json:"delayed_reason"`
	TokenID         id.Token       `json:"token_id,omitzero"`
	PersonID        id.Person      `json:"person_id,omitzero"`
	DestinationID   id.Destination `json:"destination_id,omitzero"`
	CreatedAt       time.Time      `json:"created_at"`
	Runs            []orderRunRow  `json:"runs,omitempty"`
}

// orderRunRow is a run of an order as JSON.
type orderRunRow struct {
	ID             id.Run       `json:"id"`
	CreatedAt      time.Time    `json:"created_at"`
	Cause          order.Cause  `json:"cause"`
	Status         order.Status `json:"status"`
	Code           string       `json:"code"`
	Message        string       `json:"message"`
	ExportID       id.Export    `json:"export_id,omitzero"`
	TotalRecords   int          `json:"total_records"`
	CreditsCharged int64        `json:"credits_charged"`
}

func rowOfOrder(o order.Order) orderRow {
	return orderRow{
		ID: o.ID, Name: o.Name, State: o.StateAt(time.Now()), Deliver: o.Deliver, Cron: o.Schedule.Cron, TimeZone: o.Schedule.Zone, Missed: o.Missed,
		AboveCap: o.AboveCap, MaxCredits: o.MaxCredits, MaxCreditsTotal: o.MaxCreditsTotal, CreditsSpent: o.Spent, EndsAt: o.EndsAt, NextRunAt: o.NextAt,
		AskedAt: o.AskedAt, PausedReason: o.PausedWhy, DelayedReason: o.DelayedWhy, TokenID: o.Token, PersonID: o.Person,
		DestinationID: o.Request.Destination, CreatedAt: o.CreatedAt,
	}
}

// scheduleText returns when an order runs, for a table.
func scheduleText(s order.Schedule) string {
	if s.AfterImport() {
		return "after imports"
	}
	if s.Zone == "" {
		return s.Cron + " (UTC)"
	}
	return s.Cron + " (" + s.Zone + ")"
}

// withOrders opens the data and calls fn.
func (s *session) withOrders(fn func(context.Context, *order.Orders) error) error {
	a, err := s.open()
	if err != nil {
		return err
	}
	defer a.Close()
	return fn(s.ctx, a.Orders)
}

type orderList struct {
	inWorkspace
	jsonFlag
}

// Run prints the orders, newest first.
func (c *orderList) Run(s *session) error {
	return s.withOrders(func(ctx context.Context, x *order.Orders) error {
		all, err := x.List(ctx, c.Workspace.Workspace, id.Order{}, order.PerWorkspaceMax)
		if err != nil {
			return err
		}
		items, rows := make([]orderRow, len(all)), make([][]string, len(all))
		for i, o := range all {
			items[i] = rowOfOrder(o)
			rows[i] = []string{o.ID.String(), string(items[i].State), scheduleText(o.Schedule), orDash(o.NextAt), count(o.Spent), o.Name}
		}
		if c.JSON {
			return s.printJSON(map[string]any{"items": items})
		}
		if len(rows) == 0 {
			s.printf("No standing orders.\n")
			return nil
		}
		s.printTable([]string{"ID", "STATE", "SCHEDULE", "NEXT RUN (UTC)", ">SPENT", "NAME"}, rows)
		return nil
	})
}

type orderShow struct {
	inWorkspace
	ID    orderID `arg:"" help:"The order, from capi order list."`
	Limit rowsMax `default:"20" placeholder:"N" help:"The most runs to show (default ${default})."`
	jsonFlag
}

// Run prints the order and its newest runs.
func (c *orderShow) Run(s *session) error {
	return s.withOrders(func(ctx context.Context, x *order.Orders) error {
		o, err := x.Get(ctx, c.Workspace.Workspace, c.ID.Order)
		if err != nil {
			return err
		}
		runs, err := x.Runs(ctx, c.Workspace.Workspace, o.ID, id.Run{}, int(c.Limit))
		if err != nil {
			return err
		}
		row, table := rowOfOrder(o), make([][]string, len(runs))
		for i, r := range runs {
			row.Runs = append(row.Runs, orderRunRow{r.ID, r.CreatedAt, r.Cause, r.Status, r.Code, r.Message, r.Export, r.Companies, r.Charged})
			what := r.Message
			if !r.Export.IsZero() {
				what = "export " + r.Export.String()
			}
			table[i] = []string{timestamp(r.CreatedAt), string(r.Cause), string(r.Status), count(r.Companies), count(r.Charged), what}
		}
		if c.JSON {
			return s.printJSON(row)
		}
		s.printf("%s is %s. It delivers: %s. It runs: %s.\n", o.Name, row.State, o.Deliver, scheduleText(o.Schedule))
		s.printf("Next run (UTC): %s. Spent: %s.\n", orDash(o.NextAt), plural(o.Spent, "credit", "credits"))
		for _, why := range []string{o.PausedWhy, o.DelayedWhy} {
			if why != "" {
				s.printf("%s\n", why)
			}
		}
		if len(table) == 0 {
			s.printf("It has not run yet.\n")
			return nil
		}
		s.printf("\n")
		s.printTable([]string{"TIME (UTC)", "CAUSE", "STATUS", ">COMPANIES", ">CREDITS", "WHAT CAME OF IT"}, table)
		return nil
	})
}

type orderPause struct {
	inWorkspace
	ID orderID `arg:"" help:"The order."`
	jsonFlag
}

// Run pauses the order.
func (c *orderPause) Run(s *session) error {
	return s.changeOrder(c.jsonFlag, func(ctx context.Context, x *order.Orders) (order.Order, error) {
		return x.Pause(ctx, auth.Caller{Workspace: c.Workspace.Workspace}, c.ID.Order)
	})
}

type orderResume struct {
	inWorkspace
	ID orderID `arg:"" help:"The order."`
	jsonFlag
}

// Help is shown below the summary.
func (orderResume) Help() string {
	return "The order goes on buying in the same name as before. If that token was revoked or that member has left, a member resumes it."
}

// Run resumes the order.
func (c *orderResume) Run(s *session) error {
	return s.changeOrder(c.jsonFlag, func(ctx context.Context, x *order.Orders) (order.Order, error) {
		return x.Resume(ctx, auth.Caller{Workspace: c.Workspace.Workspace}, c.ID.Order)
	})
}

// changeOrder opens the data, changes an order and prints its state.
func (s *session) changeOrder(f jsonFlag, fn func(context.Context, *order.Orders) (order.Order, error)) error {
	return s.withOrders(func(ctx context.Context, x *order.Orders) error {
		o, err := fn(ctx, x)
		if err != nil {
			return err
		}
		if f.JSON {
			return s.printJSON(rowOfOrder(o))
		}
		s.printf("Order %s is %s.\n", o.ID, o.StateAt(time.Now()))
		return nil
	})
}

type orderRun struct {
	inWorkspace
	ID orderID `arg:"" help:"The order."`
	jsonFlag
}

// Help is shown below the summary.
func (orderRun) Help() string {
	return `A server that runs makes the run within seconds, in the name in which the order buys and within its limits. capi order show says
what came of it.`
}

// Run asks for the run.
func (c *orderRun) Run(s *session) error {
	return s.withOrders(func(ctx context.Context, x *order.Orders) error {
		o, err := x.Ask(ctx, c.Workspace.Workspace, c.ID.Order)
		if err != nil {
			return err
		}
		if c.JSON {
			return s.printJSON(rowOfOrder(o))
		}
		s.printf("The server runs order %s now.\n", o.ID)
		return nil
	})
}

type orderID struct{ id.Order }

// UnmarshalText accepts the canonical text of an id.
func (o *orderID) UnmarshalText(p []byte) (err error) {
	if o.Order, err = id.Parse[id.Order](string(p)); err != nil {
		return fmt.Errorf("%q is not an order ID; capi order list shows the IDs", p)
	}
	return nil
}

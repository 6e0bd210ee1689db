package api

import (
	"cmp"
	"context"
	"time"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/cursor"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/idempotency"
	"github.com/opencapi/capi/internal/order"
)

// OrderRequest describes a standing order to create.
type OrderRequest struct {
	Name            string        `json:"name" minLength:"1" maxLength:"200" doc:"A label for the order, and for the export of each run." example:"New US fintech"`
	Schedule        OrderSchedule `json:"schedule" required:"true" doc:"When it runs: cron and time_zone, or after."`
	Deliver         string        `json:"deliver,omitempty" enum:"added,changed,left,all" default:"added" doc:"What each run delivers. added: companies that the order has not delivered yet. changed: those, and companies whose data or connections have changed since they were delivered. left: companies that the workspace owns and that were in the source at the previous run and no longer are. all: everything."`
	Baseline        bool          `json:"baseline,omitempty" default:"false" doc:"Deliver nothing of what is in the source now, only what comes later. deliver left always does so."`
	MaxCredits      *int64        `json:"max_credits,omitempty" minimum:"0" doc:"The most credits that one run may cost."`
	MaxCreditsTotal *int64        `json:"max_credits_total,omitempty" minimum:"0" doc:"The most credits that all runs together may cost, less what was refunded."`
	AboveCap        string        `json:"above_cap,omitempty" enum:"skip,fill" default:"skip" doc:"What happens to a run that costs more than max_credits, max_credits_total, the balance or a budget allow. skip: it buys nothing. fill: it buys as many companies, in sort order, as they cover. The others stay for the next run in both cases."`
	Missed          string        `json:"missed,omitempty" enum:"catch_up,skip" default:"catch_up" doc:"What happens to runs of a cron schedule that no server was there for. catch_up: one run for all of them. skip: none."`
	EndsAt          *time.Time    `json:"ends_at,omitempty" doc:"No run is scheduled then or later."`
	ExportSelection
}

// OrderSchedule says when an order runs.
type OrderSchedule struct {
	Cron     string `json:"cron,omitempty" maxLength:"200" doc:"Minute, hour, day of the month, month and day of the week, as in crontab." example:"0 8 * * MON"`
	TimeZone string `json:"time_zone,omitempty" maxLength:"100" doc:"The name of the time zone whose clock cron is read on. Defaults to UTC." example:"Europe/Berlin"`
	After    string `json:"after,omitempty" enum:"import" doc:"In place of cron: import runs the order after each import of the catalog."`
}

// errors returns what is wrong with the members together.
func (s OrderSchedule) errors() []fault.FieldError {
	switch {
	case s.Cron == "" && s.After == "":
		return []fault.FieldError{{Field: "schedule", Message: `must have cron, such as {"cron": "0 8 * * MON", "time_zone": "Europe/Berlin"}, or {"after": "import"}`}}
	case s.Cron != "" && s.After != "":
		return []fault.FieldError{{Field: "schedule", Message: "must have cron or after, not both"}}
	}
	return nil
}

func (s OrderSchedule) schedule() order.Schedule {
	return order.Schedule{Cron: s.Cron, Zone: s.TimeZone}
}

// Resolve parses what selects companies, and checks the schedule's members.
func (b *OrderRequest) Resolve() []fault.FieldError {
	return append(b.ExportSelection.Resolve(), b.Schedule.errors()...)
}

// OrderChange says what to change of an order.
type OrderChange struct {
	Name            *string        `json:"name,omitempty" minLength:"1" maxLength:"200" doc:"Another label."`
	Schedule        *OrderSchedule `json:"schedule,omitempty" doc:"Another schedule, in place of the whole old one."`
	MaxCredits      *int64         `json:"max_credits,omitempty" minimum:"0" doc:"Another limit of one run."`
	MaxCreditsTotal *int64         `json:"max_credits_total,omitempty" minimum:"0" doc:"Another limit of all runs together."`
	AboveCap        *string        `json:"above_cap,omitempty" enum:"skip,fill" doc:"As when an order is created."`
	Missed          *string        `json:"missed,omitempty" enum:"catch_up,skip" doc:"As when an order is created."`
	EndsAt          *time.Time     `json:"ends_at,omitempty" doc:"Another end."`
	DestinationID   id.Destination `json:"destination_id,omitzero" format:"uuid" doc:"Another destination."`
	Remove          []string       `json:"remove,omitempty" maxItems:"4" enum:"max_credits,max_credits_total,ends_at,destination_id" doc:"What to remove."`
}

// Resolve checks the schedule's members.
func (b *OrderChange) Resolve() []fault.FieldError {
	if b.Schedule == nil {
		return nil
	}
	return b.Schedule.errors()
}

// Order is a standing order.
type Order struct {
	ID              id.Order       `json:"id" format:"uuid" doc:"The id of the order."`
	Name            string         `json:"name" doc:"The label from the request."`
	State           string         `json:"state" enum:"active,paused,ended" doc:"active while runs follow, paused while its schedule is stopped, ended if no run is scheduled any more."`
	Deliver         string         `json:"deliver" enum:"added,changed,left,all" doc:"What each run delivers."`
	Schedule        ScheduleAnswer `json:"schedule" doc:"When it runs."`
	Missed          string         `json:"missed" enum:"catch_up,skip" doc:"What happens to runs that no server was there for."`
	AboveCap        string         `json:"above_cap" enum:"skip,fill" doc:"What happens to a run that costs more than it may."`
	MaxCredits      *int64         `json:"max_credits" doc:"The most credits that one run may cost; null without a limit."`
	MaxCreditsTotal *int64         `json:"max_credits_total" doc:"The most credits that all runs together may cost; null without a limit."`
	CreditsSpent    int64          `json:"credits_spent" doc:"Credits charged by all runs, less what was refunded."`
	EndsAt          *time.Time     `json:"ends_at" doc:"No run is scheduled then or later; null for no end."`
	NextRunAt       *time.Time     `json:"next_run_at" doc:"When it runs next; null if no run is scheduled, and for an order that runs after imports."`
	PausedAt        *time.Time     `json:"paused_at" doc:"Since when it is paused; null if it is not."`
	PausedReason    *string        `json:"paused_reason" doc:"Why it is paused; null if it is not."`
	DelayedReason   *string        `json:"delayed_reason" doc:"Why a run that is due has not succeeded yet and is tried again; null if there is none."`
	TokenID         *id.Token      `json:"token_id" format:"uuid" doc:"The token in whose name it buys; null if a member does."`
	PersonID        *id.Person     `json:"person_id" format:"uuid" doc:"The member in whose name it buys; null if a token does."`
	CreatedAt       time.Time      `json:"created_at" doc:"When it was created."`

	SourceType    string        `json:"source_type" enum:"search,list,set" doc:"Where the companies come from."`
	SearchFilters storedFilters `json:"search_filters" doc:"The filters as requested; of a set, filters that have it alone; null for a list."`
	ListID        *id.List      `json:"list_id" format:"uuid" doc:"null unless source_type is list."`
	ExportFormat  string        `json:"export_format" doc:"The format of the files: csv, json, ndjson, parquet or xlsx." example:"csv"`
	HeaderRow     string        `json:"header_row" doc:"name or label: what the header row of a csv or xlsx file says." example:"name"`
	Compression   string        `json:"compression" doc:"none, gzip or zstd: how the files are compressed." example:"none"`
	Columns       []string      `json:"columns" doc:"The columns of the files; empty for all."`
	Limit         *int          `json:"limit" doc:"The most companies of one run; null for as many as an export can hold."`
	OnlyNew       bool          `json:"only_new" doc:"Whether companies that the workspace has unlocked are left out."`
	OnlyOwned     bool          `json:"only_owned" doc:"Whether companies that the workspace has not unlocked are left out."`
	ExcludeListID *id.List      `json:"exclude_list_id" format:"uuid" doc:"The list whose companies are left out; null without one."`

	DestinationID *id.Destination `json:"destination_id" format:"uuid" doc:"Where the files are delivered, besides the download; null without a destination."`

	NextRun *NextRun `json:"next_run,omitempty" doc:"What the next run would do if it took place now, with its exact price. Only where one order is created, changed or read."`
}

// ScheduleAnswer says when an order runs.
type ScheduleAnswer struct {
	Cron     *string `json:"cron" doc:"As requested; null for an order that runs after imports."`
	TimeZone *string `json:"time_zone" doc:"The time zone whose clock cron is read on; null for an order that runs after imports."`
	After    *string `json:"after" doc:"import for an order that runs after each import; else null."`
}

// NextRun is what the next run would do if it took place now.
type NextRun struct {
	Status string `json:"status" enum:"exported,nothing_new,skipped" doc:"What the run would be: exported, nothing_new or skipped."`
	Figures
	ExcludedCount int       `json:"excluded_count" doc:"Further companies that are left out because they are on an excluded list." example:"0"`
	Code          *string   `json:"code" doc:"Why it would export nothing, as an error code; null if it would export."`
	Message       *string   `json:"message" doc:"Why it would export nothing; null if it would export."`
	Warnings      []Warning `json:"warnings" doc:"As in a quote: filter values and words that no company has."`
}

// OrdersResponse is one page of orders.
type OrdersResponse struct {
	Items      []Order `json:"items" doc:"The orders of this page, newest first."`
	NextCursor *string `json:"next_cursor" doc:"Cursor of the next page; null on the last one."`
}

// OrderRun is a run of an order.
type OrderRun struct {
	ID              id.Run     `json:"id" format:"uuid" doc:"The id of the run."`
	OrderID         id.Order   `json:"order_id" format:"uuid" doc:"The order."`
	ScheduledAt     time.Time  `json:"scheduled_at" doc:"When it was to run."`
	CreatedAt       time.Time  `json:"created_at" doc:"When it ran."`
	Cause           string     `json:"cause" enum:"creation,schedule,import,request" doc:"Why it ran: creation is the baseline, request is Run an order now."`
	Status          string     `json:"status" enum:"baseline,exported,nothing_new,skipped" doc:"baseline: it delivered nothing and remembers what was in the source. exported: it has an export. nothing_new: there was nothing to deliver. skipped: it bought nothing, for the reason in message."`
	MissedRuns      int        `json:"missed_runs" doc:"Further runs that were due by then and that this one stands for."`
	Code            *string    `json:"code" doc:"Why it exported nothing: an error code, or MISSED; null if it exported."`
	Message         *string    `json:"message" doc:"Why it exported nothing; null if it exported."`
	ExportID        *id.Export `json:"export_id" format:"uuid" doc:"The export; null without one."`
	ExportStatus    *string    `json:"export_status" doc:"The status of the export now; null without one."`
	TotalRecords    int        `json:"total_records" doc:"Companies that the export delivers."`
	CreditsCharged  int64      `json:"credits_charged" doc:"What the run cost."`
	CreditsRefunded int64      `json:"credits_refunded" doc:"What was refunded of that because the export failed or was cancelled."`
}

// RunsResponse is one page of runs.
type RunsResponse struct {
	Items      []OrderRun `json:"items" doc:"The runs of this page, newest first."`
	NextCursor *string    `json:"next_cursor" doc:"Cursor of the next page; null on the last one."`
}

type (
	newOrderInput struct{ Body OrderRequest }
	oneOrderInput struct {
		Order id.Order `path:"order_id" format:"uuid" doc:"The id of the order."`
	}
	changeOrderInput struct {
		oneOrderInput
		Body OrderChange
	}
	runsInput struct {
		oneOrderInput
		pageInput
	}
)

func orderOf(o order.Order) Order {
	r := o.Request
	out := Order{
		ID: o.ID, Name: o.Name, State: string(o.StateAt(time.Now())), Deliver: string(o.Deliver), Schedule: ScheduleAnswer{After: new("import")},
		Missed: string(o.Missed), AboveCap: string(o.AboveCap), MaxCredits: o.MaxCredits, MaxCreditsTotal: o.MaxCreditsTotal, CreditsSpent: o.Spent,
		EndsAt: o.EndsAt, NextRunAt: o.NextAt, PausedAt: o.PausedAt, PausedReason: orNull(o.PausedWhy), DelayedReason: orNull(o.DelayedWhy),
		TokenID: orNull(o.Token), PersonID: orNull(o.Person), CreatedAt: o.CreatedAt,
		SourceType: string(r.Source), SearchFilters: storedFilters(r.Filters), ListID: orNull(r.List), ExportFormat: string(r.Format),
		HeaderRow: cmp.Or(string(r.Options.Headers), string(format.HeadersName)), Compression: cmp.Or(string(r.Options.Compression), string(format.None)),
		Columns: orEmpty(r.Options.Columns), Limit: orNull(r.Terms.Limit), OnlyNew: r.Terms.OnlyNew, OnlyOwned: r.Terms.OnlyOwned,
		ExcludeListID: orNull(r.Terms.NotOn), DestinationID: orNull(r.Destination),
	}
	if !o.Schedule.AfterImport() {
		out.Schedule = ScheduleAnswer{Cron: &o.Schedule.Cron, TimeZone: new(cmp.Or(o.Schedule.Zone, "UTC"))}
	}
	if n := o.Next; n != nil {
		out.NextRun = &NextRun{
			Status: string(n.Status), Figures: figuresOf(n.Preview.Figures), ExcludedCount: n.Preview.Excluded, Code: orNull(n.Code), Message: orNull(n.Message),
			Warnings: warningsOf(n.Preview.Warnings),
		}
	}
	return out
}

func runOf(r order.Run) OrderRun {
	return OrderRun{
		ID: r.ID, OrderID: r.Order, ScheduledAt: r.ScheduledAt, CreatedAt: r.CreatedAt, Cause: string(r.Cause), Status: string(r.Status),
		MissedRuns: r.Missed, Code: orNull(r.Code), Message: orNull(r.Message), ExportID: orNull(r.Export), ExportStatus: orNull(string(r.ExportStatus)),
		TotalRecords: r.Companies, CreditsCharged: r.Charged, CreditsRefunded: r.Refunded,
	}
}

func (s *server) createOrder(ctx context.Context, caller auth.Caller, in *newOrderInput, a *idempotency.Attempt) error {
	b := in.Body
	_, err := s.Orders.Create(ctx, caller, order.Order{
		Name: b.Name, Deliver: order.Deliver(b.Deliver), Request: b.ExportSelection.request(b.Name), Schedule: b.Schedule.schedule(),
		Missed: order.Missed(b.Missed), AboveCap: order.AboveCap(b.AboveCap), MaxCredits: b.MaxCredits, MaxCreditsTotal: b.MaxCreditsTotal, EndsAt: b.EndsAt,
	}, b.Baseline, idempotency.Last(a, rendered(orderOf)))
	return err
}

func (s *server) listOrders(ctx context.Context, caller auth.Caller, in *pageInput) (*OrdersResponse, error) {
	scope := cursor.NewScope("orders", caller.Workspace)
	before, err := readCursor(scope, in.Cursor, id.Parse[id.Order])
	if err != nil {
		return nil, err
	}
	all, err := s.Orders.List(ctx, caller.Workspace, before, in.size()+1)
	if err != nil {
		return nil, err
	}
	out := &OrdersResponse{Items: []Order{}}
	if len(all) > in.size() {
		all = all[:in.size()]
		out.NextCursor = nextCursor(scope, all[len(all)-1].ID)
	}
	for _, o := range all {
		out.Items = append(out.Items, orderOf(o))
	}
	return out, nil
}

func (s *server) getOrder(ctx context.Context, caller auth.Caller, in *oneOrderInput) (*Order, error) {
	o, err := s.Orders.Get(ctx, caller.Workspace, in.Order)
	if err == nil {
		o, err = s.Orders.Preview(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	return new(orderOf(o)), nil
}

func (s *server) updateOrder(ctx context.Context, caller auth.Caller, in *changeOrderInput) (*Order, error) {
	b := in.Body
	c := order.Change{
		Name: b.Name, Missed: (*order.Missed)(b.Missed), AboveCap: (*order.AboveCap)(b.AboveCap), MaxCredits: b.MaxCredits,
		MaxCreditsTotal: b.MaxCreditsTotal, EndsAt: b.EndsAt, Remove: b.Remove,
	}
	if b.Schedule != nil {
		c.Schedule = new(b.Schedule.schedule())
	}
	if !b.DestinationID.IsZero() {
		c.Destination = &b.DestinationID
	}
	o, err := s.Orders.Update(ctx, caller, in.Order, c)
	if err == nil {
		o, err = s.Orders.Preview(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	return new(orderOf(o)), nil
}

func (s *server) deleteOrder(ctx context.Context, caller auth.Caller, in *oneOrderInput) (*nothingOut, error) {
	return &nothingOut{}, s.Orders.Delete(ctx, caller.Workspace, in.Order)
}

func (s *server) pauseOrder(ctx context.Context, caller auth.Caller, in *oneOrderInput, a *idempotency.Attempt) error {
	_, err := s.Orders.Pause(ctx, caller, in.Order, idempotency.Last(a, rendered(orderOf)))
	return err
}

func (s *server) resumeOrder(ctx context.Context, caller auth.Caller, in *oneOrderInput, a *idempotency.Attempt) error {
	_, err := s.Orders.Resume(ctx, caller, in.Order, idempotency.Last(a, rendered(orderOf)))
	return err
}

func (s *server) runOrder(ctx context.Context, caller auth.Caller, in *oneOrderInput, a *idempotency.Attempt) error {
	run, err := s.Orders.Run(ctx, caller, in.Order, idempotency.Last(a, rendered(runOf)))
	spent(ctx, run.Charged)
	return err
}

func (s *server) listRuns(ctx context.Context, caller auth.Caller, in *runsInput) (*RunsResponse, error) {
	scope := cursor.NewScope("runs", caller.Workspace, in.Order)
	before, err := readCursor(scope, in.Cursor, id.Parse[id.Run])
	if err != nil {
		return nil, err
	}
	all, err := s.Orders.Runs(ctx, caller.Workspace, in.Order, before, in.size()+1)
	if err != nil {
		return nil, err
	}
	out := &RunsResponse{Items: []OrderRun{}}
	if len(all) > in.size() {
		all = all[:in.size()]
		out.NextCursor = nextCursor(scope, all[len(all)-1].ID)
	}
	for _, r := range all {
		out.Items = append(out.Items, runOf(r))
	}
	return out, nil
}

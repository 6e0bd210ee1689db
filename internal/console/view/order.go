package view

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/format"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/order"
)

// Orders is a page of a workspace's standing orders.
type Orders struct {
	Orders []order.Order
	Next   string
	Later  bool
}

// Order is the page of one order.
type Order struct {
	order.Order
	State order.State
	Runs  []order.Run
	By    string // in whose name it buys; empty if that is no longer known
	To    string // the name of its destination; empty for none
	From  string // the name of its list; empty for a search, and if the list was deleted
	Chips []Chip
	Next  *order.Next
	Later bool
	More  string // the address of older runs; empty if there are none

	Form   OrderForm         // changes the order
	Faults map[string]string // errors of the form; nil if it was not sent

	Unreadable bool // the filters of its search cannot be read
}

// price says what the next run would deliver and cost now.
func (v *Order) price(ctx context.Context) string {
	p := v.Next.Preview
	return Companies(ctx, p.RequestedCount-p.WouldSkip) + " for " + Plural(ctx, p.Cost, "credit", "credits") + "."
}

// OrderForm is what can be chosen of an order, now and later, as it was filled in.
type OrderForm struct {
	Name         string
	When         string // import, or empty for the cron expression
	Cron, Zone   string
	Missed       order.Missed
	Ends         string // the time of the end, as it was typed
	PerRun       string // as it was typed, like the next one
	Total        string
	AboveCap     order.AboveCap
	To           string // the id of a destination; empty for none
	Destinations []destination.Destination

	reader string // the name of the reader's time zone
}

// NewOrder is the page of a new order.
type NewOrder struct {
	NewExport
	OrderForm
	Deliver  order.Deliver
	Baseline bool
}

// The choices of the form, the default first.
var (
	deliveries = []choice[order.Deliver]{
		{order.Added, "New companies: those that the order has not delivered yet"},
		{order.Changed, "New and changed companies"},
		{order.Left, "Companies that you own and that no longer match"},
		{order.All, "Everything, each time"},
	}
	aboveCaps  = []choice[order.AboveCap]{{order.SkipRun, "Skip the run"}, {order.Fill, "Buy as many companies as the limit covers"}}
	missedRuns = []choice[order.Missed]{{order.CatchUp, "Make one run for all that were missed"}, {order.Skip, "Skip it and wait for the next run"}}
)

const (
	afterImport        = "import"           // the value of OrderForm.When
	endsFormat         = "2006-01-02T15:04" // of a datetime-local field
	endsSeconds        = "2006-01-02T15:04:05"
	usualCron          = "0 8 * * MON"
	endsExpected       = "must be a date with a time, such as 2026-12-31T18:00, or empty for no end"
	deletedDestination = "This destination does not exist any more. Choose another one."
)

// orderParams are the parameters of the form besides those of an export.
var orderParams = []string{
	"deliver", "baseline", "when", "cron", "time_zone", "missed", "ends_at", "max_credits", "max_credits_total", "above_cap", "destination",
}

// ReadOrderTerms reads what can be chosen of an order now and later.
func ReadOrderTerms(ctx context.Context, v url.Values) OrderForm {
	get := func(param string) string { return strings.TrimSpace(v.Get(param)) }
	zone := "UTC"
	if z := zoneOf(ctx); z != nil {
		zone = z.String()
	}
	above := order.SkipRun
	if v.Get("partial") != "" { // from the form of an export that may be bought in part
		above = order.Fill
	}
	return OrderForm{
		Name: get("name"), When: get("when"), Cron: cmp.Or(get("cron"), usualCron), Zone: cmp.Or(get("time_zone"), zone),
		Missed: order.Missed(cmp.Or(get("missed"), string(order.CatchUp))), Ends: get("ends_at"), PerRun: get("max_credits"), Total: get("max_credits_total"),
		AboveCap: order.AboveCap(cmp.Or(get("above_cap"), string(above))), To: get("destination"), reader: zone,
	}
}

// OrderFormOf returns the form that changes an order.
func OrderFormOf(ctx context.Context, o order.Order) OrderForm {
	f := ReadOrderTerms(ctx, url.Values{})
	f.Name, f.Missed, f.AboveCap = o.Name, o.Missed, o.AboveCap
	if o.Schedule.AfterImport() {
		f.When = afterImport
	} else {
		f.Cron, f.Zone = o.Schedule.Cron, cmp.Or(o.Schedule.Zone, "UTC")
	}
	if o.EndsAt != nil {
		f.Ends = o.EndsAt.In(f.clock()).Format(endsFormat)
	}
	for typed, credits := range map[*string]*int64{&f.PerRun: o.MaxCredits, &f.Total: o.MaxCreditsTotal} {
		if credits != nil {
			*typed = strconv.FormatInt(*credits, 10)
		}
	}
	if !o.Request.Destination.IsZero() {
		f.To = o.Request.Destination.String()
	}
	return f
}

// destinationDeleted reports whether the chosen destination does not exist.
func (f *OrderForm) destinationDeleted() bool {
	return f.To != "" && !slices.ContainsFunc(f.Destinations, func(d destination.Destination) bool { return d.ID.String() == f.To })
}

// clock returns the time zone in which the end is typed: that of the schedule, or the reader's.
func (f *OrderForm) clock() *time.Location {
	name := f.Zone
	if f.When == afterImport {
		name = f.reader
	}
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" { // which is an error of its own
		return time.UTC
	}
	return zone
}

// terms are what an OrderForm stands for.
type terms struct {
	schedule      order.Schedule
	missed        order.Missed
	perRun, total *int64
	ends          *time.Time
	destination   id.Destination
	faults        []fault.FieldError
}

func (f *OrderForm) terms() (t terms) {
	bad := func(field, message string) {
		t.faults = append(t.faults, fault.FieldError{Field: field, Message: message})
	}
	credits := func(field, typed string) *int64 {
		if typed == "" {
			return nil
		}
		n, err := strconv.ParseInt(typed, 10, 64)
		if err != nil || n < 0 {
			bad(field, "must be a whole number of credits, or empty for no limit")
		}
		return &n
	}
	t.perRun, t.total = credits("max_credits", f.PerRun), credits("max_credits_total", f.Total)
	if f.When != afterImport { // the other choice has no missed runs
		t.schedule, t.missed = order.Schedule{Cron: f.Cron, Zone: f.Zone}, f.Missed
	}
	if f.Ends != "" {
		at, err := time.ParseInLocation(endsFormat, f.Ends, f.clock())
		if err != nil {
			at, err = time.ParseInLocation(endsSeconds, f.Ends, f.clock())
		}
		if err != nil {
			bad("ends_at", endsExpected)
		}
		at = at.UTC()
		t.ends = &at
	}
	if f.To != "" {
		var err error
		if t.destination, err = id.Parse[id.Destination](f.To); err != nil {
			bad("destination_id", "is not the id of a destination")
		}
	}
	return t
}

// Change returns the change that makes an order what the form says. Validation lists every error of the form.
func (f *OrderForm) Change(o order.Order) (order.Change, error) {
	t := f.terms()
	c := order.Change{Name: &f.Name, Schedule: &t.schedule, AboveCap: &f.AboveCap, MaxCredits: t.perRun, MaxCreditsTotal: t.total, EndsAt: t.ends}
	c.Missed = new(cmp.Or(t.missed, order.CatchUp))
	for name, kept := range map[string]bool{
		"max_credits": t.perRun != nil, "max_credits_total": t.total != nil, "ends_at": t.ends != nil, "destination_id": !t.destination.IsZero(),
	} {
		if !kept {
			c.Remove = append(c.Remove, name)
		}
	}
	if !t.destination.IsZero() && t.destination != o.Request.Destination {
		c.Destination = &t.destination
	}
	// The field has no seconds, which the end may have.
	if o.EndsAt != nil && t.ends != nil && o.EndsAt.Truncate(time.Minute).Equal(*t.ends) {
		c.EndsAt = o.EndsAt
	}
	return c, fault.Invalid(t.faults...)
}

// ReadOrderForm reads the form of a new order from the query or the body of a request.
func ReadOrderForm(ctx context.Context, v url.Values) *NewOrder {
	rest := url.Values{}
	for param, values := range v {
		if !slices.Contains(orderParams, param) {
			rest[param] = values
		}
	}
	page := &NewOrder{
		NewExport: NewExport{ExportForm: ReadExportForm(rest), Page: ViewerOf(ctx).Path("/orders/new")}, OrderForm: ReadOrderTerms(ctx, v),
		Deliver: order.Deliver(cmp.Or(strings.TrimSpace(v.Get("deliver")), string(order.Added))), Baseline: v.Get("baseline") != "",
	}
	return page
}

// Order returns the order that the form describes. Validation lists every error of the form, also that a preset or a destination was
// deleted since it was chosen.
func (v *NewOrder) Order() (order.Order, error) {
	v.ExportForm.Name = v.OrderForm.Name
	request, err := v.Request()
	faults := fault.Fields(err)
	if err != nil && len(faults) == 0 {
		return order.Order{}, err
	}
	if v.presetDeleted() {
		faults = append(faults, fault.FieldError{Field: "preset_id", Message: "was deleted"})
	}
	if v.destinationDeleted() {
		faults = append(faults, fault.FieldError{Field: "destination_id", Message: "was deleted"})
	}
	t := v.OrderForm.terms()
	request.Terms.Partial, request.Destination = false, t.destination
	return order.Order{
		Name: v.OrderForm.Name, Deliver: v.Deliver, Request: request, Schedule: t.schedule, Missed: t.missed, AboveCap: v.AboveCap,
		MaxCredits: t.perRun, MaxCreditsTotal: t.total, EndsAt: t.ends,
	}, fault.Invalid(append(faults, t.faults...)...)
}

// OrderFaults are the errors of a Validation error by the fields of the form, and those that belong to none.
func OrderFaults(err error) (own map[string]string, others []fault.FieldError) {
	own = map[string]string{}
	for _, f := range fault.Fields(err) {
		switch name := strings.TrimPrefix(f.Field, "schedule."); name {
		case "name", "cron", "time_zone", "missed", "ends_at", "max_credits", "max_credits_total", "deliver", "above_cap", "baseline":
			own[name] = "This " + f.Message + "."
		case "only_new":
			own[name] = "Companies that left are companies that you own, so the two choices leave nothing."
		case "destination_id":
			own["destination"] = deletedDestination
		default:
			others = append(others, f)
		}
	}
	return own, others
}

// SetErrors sets Faults and Problems to the errors in a Validation error.
func (v *NewOrder) SetErrors(err error) {
	own, others := OrderFaults(err)
	v.NewExport.SetErrors(fault.Invalid(others...))
	for name, message := range own {
		v.Faults[name] = message
	}
}

// OrderPath returns the address of an order's page.
func OrderPath(ctx context.Context, o id.Order) string {
	return ViewerOf(ctx).Path("/orders/" + o.String())
}

// delivers says what an order delivers.
func delivers(d order.Deliver) string {
	switch d {
	case order.Changed:
		return "New and changed companies"
	case order.Left:
		return "Companies that left"
	case order.All:
		return "Everything"
	case order.Added:
	}
	return "New companies"
}

// columnsText says which columns the files of an order have.
func columnsText(o format.Options) string {
	if len(o.Columns) == 0 {
		return "all"
	}
	return strings.Join(o.Columns, ", ")
}

// fileText describes the files of an order: CSV, gzip, with labels as headers.
func fileText(o order.Order) string {
	f := ExportForm{Format: o.Request.Format, Compression: o.Request.Options.Compression, Headers: o.Request.Options.Headers}
	return f.file()
}

// schedule says when an order runs.
func schedule(o order.Order) string {
	if o.Schedule.AfterImport() {
		return "After each import"
	}
	return o.Schedule.Cron + " (" + cmp.Or(o.Schedule.Zone, "UTC") + ")"
}

// unscheduled says when an order runs next that has no time for it.
func unscheduled(o order.Order) string {
	if o.Schedule.AfterImport() && o.StateAt(time.Now()) == order.Active {
		return "after the next import"
	}
	return "none scheduled"
}

// stateTone returns the colour class of an order's state.
func stateTone(s order.State) string {
	switch s {
	case order.Active:
		return "good"
	case order.Paused:
		return "warn"
	case order.Ended:
	}
	return "info"
}

// outcome says what came of a run, and its colour class.
func outcome(s order.Status) (text, tone string) {
	switch s {
	case order.Exported:
		return "Exported", "good"
	case order.Skipped:
		return "Skipped", "warn"
	case order.Baseline:
		return "Baseline", "info"
	case order.NothingNew:
	}
	return "Nothing new", "info"
}

// endsHint says what the end of an order means, and in which time zone it is typed.
func (f *OrderForm) endsHint() string {
	zone := "in the time zone of the schedule"
	if f.When == afterImport {
		zone = "in the time zone " + f.clock().String()
	}
	return "No run is scheduled then or later, " + zone + ". Leave it empty for no end."
}

// missedText says what becomes of runs that no server was there for.
func missedText(m order.Missed) string {
	if m == order.Skip {
		return "skipped"
	}
	return "caught up in one run"
}

// aboveText says what becomes of a run that costs more than it may.
func aboveText(a order.AboveCap) string {
	if a == order.Fill {
		return "buys as many as the limit covers"
	}
	return "skips the run"
}

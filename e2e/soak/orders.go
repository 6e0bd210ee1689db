package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/opencapi/capi/client"
)

// orders are the standing orders of a workspace that has nothing else: one that runs after each import and buys a little more each
// time, one that runs every minute, and one that a client runs again and again.
type orders struct {
	load                        *load
	client                      *client.Client
	token                       string
	afterImport, minutely, asks *client.Order
	importsBefore               int // the imports that had ended when the orders were created

	mu    sync.Mutex
	asked map[string]string // the runs that were confirmed, by key
	lost  int               // requests without an answer, each of which was repeated
}

const (
	orderCredits  = 50_000
	orderFill     = 20  // companies that each run after an import may buy
	minutelySpan  = 300 // companies
	askedFrom     = 4_000
	askedTo       = 4_099
	askEvery      = 300 * time.Millisecond
	scheduleNever = "0 0 1 1 *" // on New Year's Day
)

// client returns a client of the service.
func (s *service) client(token string) *client.Client {
	return client.New("http://capi.test", token, client.Options{HTTP: &http.Client{Transport: s}})
}

// keyed is the service for requests with a given Idempotency-Key.
type keyed struct {
	*service
	key string
}

func (k keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Idempotency-Key", k.key)
	return k.do(r)
}

// openOrders creates the workspace and its orders. Nothing else may run.
func (l *load) openOrders(ctx context.Context) (*orders, error) {
	var w struct{ ID string }
	if err := l.service.json(&w, "workspace", "create", "Orders", "--credits", strconv.Itoa(orderCredits), "--json"); err != nil {
		return nil, err
	}
	t, err := l.service.NewToken(ctx, w.ID, nil, false)
	if err != nil {
		return nil, err
	}
	if err := l.follow(w.ID, t.Secret); err != nil {
		return nil, err
	}
	o := &orders{load: l, token: t.Secret, client: l.service.client(t.Secret), asked: map[string]string{}}
	if o.importsBefore, err = o.importsEnded(); err != nil {
		return nil, err
	}
	for _, x := range []struct {
		to **client.Order
		r  client.OrderRequest
	}{
		{&o.afterImport, client.OrderRequest{
			Name: "after each import", Schedule: client.Schedule{After: "import"}, MaxCredits: new(int64(orderFill)), AboveCap: "fill",
			SortBy: "employee_count", SearchFilters: &client.Filters{EmployeeCountMin: new(int64(1))},
		}},
		{&o.minutely, client.OrderRequest{
			Name: "every minute", Schedule: client.Schedule{Cron: "* * * * *"}, Deliver: "changed",
			SearchFilters: &client.Filters{EmployeeCountMin: new(int64(1)), EmployeeCountMax: new(int64(minutelySpan))},
		}},
		{&o.asks, client.OrderRequest{
			Name: "on request", Schedule: client.Schedule{Cron: scheduleNever}, Deliver: "all",
			SearchFilters: &client.Filters{EmployeeCountMin: new(int64(askedFrom)), EmployeeCountMax: new(int64(askedTo))},
		}},
	} {
		if *x.to, err = o.client.CreateOrder(ctx, x.r); err != nil {
			return nil, fmt.Errorf("create the order %s: %w", x.r.Name, err)
		}
	}
	return o, nil
}

func (o *orders) importsEnded() (n int, err error) {
	all, err := o.load.service.imports()
	for _, i := range all {
		if i.FinishedAt != nil {
			n++
		}
	}
	return n, err
}

// ask runs an order again and again, each time with another key, and repeats a request until it is answered.
func (o *orders) ask(ctx context.Context, stop <-chan struct{}) error {
	for n := 1; ; n++ {
		key := fmt.Sprint("run ", n)
		for {
			c := client.New("http://capi.test", o.token, client.Options{HTTP: &http.Client{Transport: keyed{o.load.service, key}}})
			run, err := c.RunOrder(ctx, o.asks.ID)
			if err == nil {
				o.mu.Lock()
				o.asked[key] = run.ID
				o.mu.Unlock()
				break
			}
			var refused *client.Error
			if errors.As(err, &refused) && refused.Status < http.StatusInternalServerError && refused.Code != client.CodeRequestInFlight {
				return fmt.Errorf("run order: %w", err)
			}
			if ctx.Err() != nil {
				return nil
			}
			o.mu.Lock()
			o.lost++
			o.mu.Unlock()
			time.Sleep(askEvery) // repeated also after stop, because only an answer shows what came of it
		}
		select {
		case <-stop:
			return nil
		case <-ctx.Done():
			return nil
		case <-time.After(askEvery):
		}
	}
}

// check waits until the orders have done all that they should have, and checks that each run took place once, is paid for once and has
// its file. Nothing else may happen.
func (o *orders) check(ctx context.Context, actions map[string]int) error {
	ended, err := o.importsEnded()
	if err != nil {
		return err
	}
	if err := settle(ctx, func() (string, error) { return o.due(ctx, ended-o.importsBefore) }); err != nil {
		return err
	}
	for _, order := range o.all() {
		if _, err := o.client.PauseOrder(ctx, order.ID); err != nil {
			return err
		}
	}
	if err := settle(ctx, func() (string, error) { return o.unfinished(ctx) }); err != nil {
		return err
	}
	runs := map[string]client.OrderRun{} // by export
	var events []string
	for _, order := range o.all() {
		all, err := o.runs(ctx, order)
		if err != nil {
			return err
		}
		if err := o.checkRuns(order, all, ended-o.importsBefore); err != nil {
			return fmt.Errorf("order %s: %w", order.Name, err)
		}
		for _, r := range all {
			actions["runs of orders"]++
			if events = append(events, "order.ran "+r.ID); r.Status == "skipped" {
				events[len(events)-1] = "order.skipped " + r.ID
			}
			if r.ExportID == nil {
				continue
			}
			if _, twice := runs[*r.ExportID]; twice {
				return fmt.Errorf("export %s belongs to two runs", *r.ExportID)
			}
			runs[*r.ExportID] = r
		}
	}
	for i := range o.load.followed {
		if o.load.followed[i].token == o.token {
			o.load.followed[i].runs = events
		}
	}
	actions["runs asked for again"] += o.lost
	return o.checkExports(ctx, runs, actions)
}

func (o *orders) all() []*client.Order { return []*client.Order{o.afterImport, o.minutely, o.asks} }

// settle waits until the function returns no more reason to wait.
func settle(ctx context.Context, waitsFor func() (string, error)) error {
	for deadline := time.Now().Add(settleWait); ; {
		reason, err := waitsFor()
		if err != nil || reason == "" {
			return err
		}
		if time.Now().After(deadline) {
			return errors.New(reason)
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// due returns which run is due after that many imports; empty if none is.
func (o *orders) due(ctx context.Context, imports int) (string, error) {
	all, err := o.runs(ctx, o.afterImport)
	if err != nil {
		return "", err
	}
	if n := occasions(all); n < imports {
		return fmt.Sprintf("%d imports have ended, and the order ran after %d of them", imports, n), nil
	}
	minutely, err := o.client.Order(ctx, o.minutely.ID)
	if err == nil && (minutely.NextRunAt == nil || minutely.NextRunAt.Before(time.Now())) {
		return "the order that runs every minute is late", nil
	}
	return "", err
}

// unfinished returns which export has not ended; empty if all have.
func (o *orders) unfinished(ctx context.Context) (string, error) {
	exports, err := o.exports(ctx)
	for _, e := range exports {
		if !e.Final() {
			return fmt.Sprintf("export %s of an order is %s", e.ID, e.Status), err
		}
	}
	return "", err
}

// occasions returns how many occasions the runs stand for.
func occasions(runs []client.OrderRun) (n int) {
	for _, r := range runs {
		n += 1 + r.MissedRuns
	}
	return n
}

// checkRuns checks that there was a run for each occasion and none for another one.
func (o *orders) checkRuns(order *client.Order, runs []client.OrderRun, imports int) error {
	for _, r := range runs {
		if r.Status == "skipped" {
			return fmt.Errorf("run %s was skipped: %s", r.ID, r.Message)
		}
	}
	switch order {
	case o.afterImport:
		if n := occasions(runs); n != imports {
			return fmt.Errorf("%d imports have ended, and its runs are for %d", imports, n)
		}
	case o.minutely:
		return checkMinutes(order, runs)
	default:
		ids := map[string]bool{}
		for _, r := range runs {
			ids[r.ID] = true
		}
		for key, id := range o.asked {
			if !ids[id] {
				return fmt.Errorf("run %s, requested with the key %q, is missing", id, key)
			}
		}
		if len(runs) != len(o.asked) {
			return fmt.Errorf("%d runs were requested, and there are %d", len(o.asked), len(runs))
		}
	}
	return nil
}

// checkMinutes checks that each minute has one run, or is among the missed ones of a run.
func checkMinutes(order *client.Order, runs []client.OrderRun) error {
	at := *order.NextRunAt
	for i := len(runs) - 1; i >= 0; i-- { // oldest first
		if !runs[i].ScheduledAt.Equal(at) {
			return fmt.Errorf("run %s is for %s, want %s", runs[i].ID, runs[i].ScheduledAt, at)
		}
		at = at.Add(time.Duration(1+runs[i].MissedRuns) * time.Minute)
	}
	return nil
}

// checkExports checks that every export belongs to a run, is complete, and is paid for once.
func (o *orders) checkExports(ctx context.Context, runs map[string]client.OrderRun, actions map[string]int) error {
	exports, err := o.exports(ctx)
	if err != nil {
		return err
	}
	if len(exports) != len(runs) {
		return fmt.Errorf("the orders have %d runs with an export, and there are %d exports", len(runs), len(exports))
	}
	want, charged := map[string]int64{}, map[string]bool{}
	for _, e := range exports {
		r, ok := runs[e.ID]
		switch {
		case !ok || e.OrderID == nil || *e.OrderID != r.OrderID:
			return fmt.Errorf("export %s belongs to no run", e.ID)
		case e.Status != client.ExportCompleted:
			return fmt.Errorf("export %s of order %s is %s", e.ID, r.OrderID, e.Status)
		case e.CreditsCharged != r.CreditsCharged:
			return fmt.Errorf("export %s is charged %d, and run %s says %d", e.ID, e.CreditsCharged, r.ID, r.CreditsCharged)
		}
		if e.CreditsCharged > 0 {
			want[e.ID] = -e.CreditsCharged
		}
		actions["exports of orders"]++
		if err := o.checkReceipt(ctx, e, charged); err != nil {
			return err
		}
	}
	return o.checkLedger(ctx, want)
}

// checkReceipt checks that the receipt has what the export was charged for, and that none of these companies is charged on another one.
func (o *orders) checkReceipt(ctx context.Context, e client.Export, charged map[string]bool) error {
	var n int64
	for cursor := ""; ; {
		page, err := o.client.Receipt(ctx, e.ID, cursor, 1_000)
		if err != nil {
			return err
		}
		for _, line := range page.Items {
			if line.Status != "charged" {
				continue
			}
			if n++; charged[line.CompanyID] {
				return fmt.Errorf("company %s is charged a second time, by export %s", line.CompanyID, e.ID)
			}
			charged[line.CompanyID] = true
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if n != e.CreditsCharged {
		return fmt.Errorf("the receipt of export %s has %d charged rows, and it was charged %d", e.ID, n, e.CreditsCharged)
	}
	return nil
}

// checkLedger checks that the ledger has each charge once and nothing but the charges and the first credits.
func (o *orders) checkLedger(ctx context.Context, want map[string]int64) error {
	var sum int64
	for cursor := ""; ; {
		page, err := o.client.Transactions(ctx, client.LedgerFilter{}, cursor, 100)
		if err != nil {
			return err
		}
		for _, e := range page.Items {
			sum += e.Amount
			switch {
			case e.ExportID == nil && e.Amount == orderCredits:
			case e.ExportID != nil && want[*e.ExportID] == e.Amount:
				delete(want, *e.ExportID)
			default:
				return fmt.Errorf("ledger entry %s of %d, %s, is for no run, or the second one for it", e.ID, e.Amount, e.Reason)
			}
		}
		if cursor = page.NextCursor; cursor == "" {
			break
		}
	}
	if len(want) > 0 {
		return fmt.Errorf("%d charges of orders are not in the ledger: %v", len(want), want)
	}
	c, err := o.client.Credits(ctx)
	if err == nil && c.Balance != sum {
		err = fmt.Errorf("the balance of the orders is %d, and the entries add up to %d", c.Balance, sum)
	}
	return err
}

func (o *orders) exports(ctx context.Context) ([]client.Export, error) {
	return every(ctx, func(cursor string) (*client.Page[client.Export], error) { return o.client.Exports(ctx, cursor, 100) })
}

// runs returns the runs of an order, newest first.
func (o *orders) runs(ctx context.Context, order *client.Order) ([]client.OrderRun, error) {
	return every(ctx, func(cursor string) (*client.Page[client.OrderRun], error) {
		return o.client.OrderRuns(ctx, order.ID, cursor, 100)
	})
}

// every returns the items of all pages.
func every[T any](ctx context.Context, read func(cursor string) (*client.Page[T], error)) (all []T, err error) {
	for cursor := ""; ctx.Err() == nil; {
		page, err := read(cursor)
		if err != nil {
			return nil, err
		}
		if all = append(all, page.Items...); page.NextCursor == "" {
			return all, nil
		}
		cursor = page.NextCursor
	}
	return nil, ctx.Err()
}

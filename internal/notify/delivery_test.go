package notify_test

import (
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/mail/mailtest"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/notify"
	"github.com/opencapi/capi/internal/order"
	"github.com/opencapi/capi/internal/query"
	"github.com/opencapi/capi/internal/remote"
	"github.com/opencapi/capi/internal/workspace"
)

// place is a bucket that can be closed.
type place struct{ closed *atomic.Bool }

func (p place) Put(_ context.Context, _, _ string, fn func(io.Writer) error) error {
	if p.closed.Load() {
		return &remote.Error{Reason: remote.AccessDenied, Message: "The key may not put objects there."}
	}
	return fn(io.Discard)
}

func (place) Delete(context.Context, string) error { return nil }
func (place) Close() error                         { return nil }

// shop gives Ann's workspace five companies to buy and 100 credits. Bob is a member who wants no emails.
func (f *fixture) shop(t *testing.T) auth.Caller {
	t.Helper()
	f.Put(t, companytest.Slice(1, 5)...)
	invited, _, err := f.Memberships.InviteMember(t.Context(), f.ws, workspace.Member, "", f.ann.ID)
	require.NoError(t, err)
	_, _, err = f.Memberships.Accept(t.Context(), invited, membership.Newcomer{Name: "Bob", Email: "bob@example.com", Password: passphrase})
	require.NoError(t, err)
	require.NoError(t, f.DB.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := f.Credits.Grant(t.Context(), tx, f.ws, credit.Grant{Amount: 100})
		return err
	}))
	return auth.Caller{Person: f.ann.ID, Workspace: f.ws, Scope: auth.ReadWrite}
}

func body(m mailtest.Received) string { return strings.ReplaceAll(m.Body, "=\r\n", "") }

func TestMembersWhoWantToKnowAreToldOnceWhyAnOrderIsSkipped(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := open(t, d)
		ann := f.shop(t)
		require.NoError(t, f.Workspaces.SetNotifications(t.Context(), f.ws, f.ann.ID, workspace.Notifications{Orders: true}))
		made, err := f.Orders.Create(t.Context(), ann, order.Order{
			Name: "Monday & co", Schedule: order.Schedule{Cron: "0 8 * * MON"}, MaxCredits: new(int64(2)),
			Request: export.Request{Source: export.SourceSearch, Filters: []byte("{}"), Sort: query.Sort{By: query.ByUpdatedAt}},
		}, false)
		require.NoError(t, err)
		f.run(t)
		due := func() {
			require.NoError(t, f.DB.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := tx.ExecContext(t.Context(), `UPDATE standing_order SET next_at = $1 WHERE id = $2`, db.Time(time.Now().Add(-time.Second)), made.ID)
				return err
			}))
			require.NoError(t, f.Orders.RunDue(t.Context()))
			require.NoError(t, f.Events.Publish(t.Context()))
			f.settled(t)
		}
		due()
		got, _ := f.gets(t, 1)
		require.Equal(t, "ann@example.com", got.To)
		require.Equal(t, "Order skipped: Monday & co", got.Header.Get("Subject"))
		for _, text := range []string{"of the workspace Lab & Co skipped its run of", "Nothing was charged.", "The 5 new companies cost more than the limit of 2."} {
			require.Contains(t, body(got), text)
		}
		require.NotContains(t, body(got), "max_credits", "people do not know the fields of the API")
		require.NotContains(t, body(got), "the limit of 2. Nothing was charged.", "once is enough")
		link, err := got.Link("/orders/")
		require.NoError(t, err)
		require.Equal(t, "https://capi.example.com/orders/"+made.ID.String(), link)
		due()
		require.Len(t, f.mail.Messages(), 1, "the same reason is reported once")

		_, err = f.Orders.Update(t.Context(), ann, made.ID, order.Change{MaxCredits: new(int64(5))})
		require.NoError(t, err)
		due()
		require.Len(t, f.mail.Messages(), 1, "a run that exports is no skipped one")
		runs, err := f.Orders.Runs(t.Context(), f.ws, made.ID, id.Run{}, 10)
		require.NoError(t, err)
		require.Equal(t, []order.Status{order.Exported, order.Skipped, order.Skipped}, []order.Status{runs[0].Status, runs[1].Status, runs[2].Status})

		require.NoError(t, f.Workspaces.SetRole(t.Context(), f.ws, f.bob(t), workspace.Owner))
		require.NoError(t, f.Workspaces.SetNotifications(t.Context(), f.ws, f.bob(t), workspace.Notifications{Orders: true}))
		require.NoError(t, f.Memberships.Leave(t.Context(), f.ws, f.ann.ID))
		due()
		got, _ = f.gets(t, 2)
		require.Equal(t, "bob@example.com", got.To, "who has left gets no email")
		require.Equal(t, "Order paused: Monday & co", got.Header.Get("Subject"))
		require.Contains(t, body(got), "has left the workspace")
	})
}

func (f *fixture) bob(t *testing.T) (bob id.Person) {
	t.Helper()
	require.NoError(t, f.DB.Read().QueryRowContext(t.Context(), `SELECT id FROM person WHERE email = 'bob@example.com'`).Scan(&bob))
	return bob
}

func TestMembersWhoWantToKnowAreToldThatADeliveryFailedAndWhy(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := open(t, d)
		ann := f.shop(t)
		require.NoError(t, f.Workspaces.SetNotifications(t.Context(), f.ws, f.ann.ID, workspace.Notifications{Deliveries: true}))
		lake, err := f.Destinations.Create(t.Context(), destination.Destination{
			Workspace: f.ws, Name: "Lake", Kind: destination.S3, Bucket: destination.Bucket{Name: "lake", Region: "eu-central-1", AccessKey: "key"},
		}, destination.Secrets{SecretKey: "secret"})
		require.NoError(t, err)
		f.run(t)
		f.Work(t)
		runner := job.NewRunner(f.Jobs, f.Deliveries.Handlers())
		require.NoError(t, runner.Start(t.Context()))
		t.Cleanup(func() { require.NoError(t, runner.Stop(t.Context())) })
		bought := func(name string) id.Export {
			e, _, err := f.Exports.Create(t.Context(), ann, export.Request{Name: name, Destination: lake.ID})
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				all, err := f.Deliveries.Of(t.Context(), e.ID)
				return err == nil && all[e.ID].State != "pending"
			}, 30*time.Second, 5*time.Millisecond)
			require.NoError(t, f.Events.Publish(t.Context()))
			f.settled(t)
			return e.ID
		}
		bought("Arrives")
		require.Empty(t, f.mail.Messages())

		f.closed.Store(true)
		failed := bought("First")
		all := f.mail.Messages()
		require.Len(t, all, 2, "the first attempt and the last one")
		subjects := map[string]int{}
		var texts strings.Builder
		for _, m := range all {
			require.Equal(t, "ann@example.com", m.To)
			subjects[m.Header.Get("Subject")]++
			texts.WriteString(body(m))
			link, err := m.Link("/exports/")
			require.NoError(t, err)
			require.Equal(t, "https://capi.example.com/exports/"+failed.String(), link)
		}
		require.Equal(t, map[string]int{"Not delivered: First": 2}, subjects)
		for _, text := range []string{"to the destination Lake.", "The key may not put objects there.", "It is tried again for about a day.", "There are no further attempts."} {
			require.Contains(t, texts.String(), text)
		}
		bought("Second")
		all = f.mail.Messages()
		require.Len(t, all, 3, "a destination that goes on failing is reported for each export once")
		require.Contains(t, body(all[2]), "There are no further attempts.")

		require.NoError(t, f.Destinations.Delete(t.Context(), f.ws, lake.ID))
		require.NoError(t, f.DB.Tx(t.Context(), func(tx *db.Tx) error {
			return f.Notifier.Undelivered(t.Context(), tx, f.ws, notify.Undelivered{Export: failed, Error: "The destination was deleted."})
		}))
		f.settled(t)
		all = f.mail.Messages()
		require.Len(t, all, 4)
		require.Contains(t, body(all[3]), "could not be delivered, because its destination was deleted.")
		require.NotContains(t, body(all[3]), "deliver it again", "there is no destination to which it could be delivered")
	})
}

func TestAPersonWhoWantsToKnowIsToldOfTheExportsOfTheirOrders(t *testing.T) {
	t.Parallel()
	f := open(t, dbtest.SQLite(t))
	ann := f.shop(t)
	made, err := f.Orders.Create(t.Context(), ann, order.Order{
		Name: "Weekly", Schedule: order.Schedule{Cron: "0 8 * * MON"}, Deliver: order.All,
		Request: export.Request{Source: export.SourceSearch, Filters: []byte("{}"), Sort: query.Sort{By: query.ByUpdatedAt}},
	}, false)
	require.NoError(t, err)
	f.run(t)
	f.Work(t)
	_, err = f.Orders.Run(t.Context(), ann, made.ID)
	require.NoError(t, err)
	require.NoError(t, f.Workspaces.SetNotifications(t.Context(), f.ws, f.ann.ID, workspace.Notifications{Exports: true}))
	run, err := f.Orders.Run(t.Context(), ann, made.ID)
	require.NoError(t, err)
	got, _ := f.gets(t, 1)
	require.Equal(t, "Export ready: Weekly", got.Header.Get("Subject"))
	require.Contains(t, body(got), "you chose it under Notifications")
	link, err := got.Link("/exports/")
	require.NoError(t, err)
	require.Equal(t, "https://capi.example.com/exports/"+run.Export.String(), link)
}

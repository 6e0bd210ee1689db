package notify_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/app/services"
	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/blob"
	"github.com/opencapi/capi/internal/company/companytest"
	"github.com/opencapi/capi/internal/credit"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/delivery"
	"github.com/opencapi/capi/internal/destination"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/job"
	"github.com/opencapi/capi/internal/mail"
	"github.com/opencapi/capi/internal/mail/mailtest"
	"github.com/opencapi/capi/internal/membership"
	"github.com/opencapi/capi/internal/notify"
	"github.com/opencapi/capi/internal/remote"
	"github.com/opencapi/capi/internal/testkit"
	"github.com/opencapi/capi/internal/webhook"
	"github.com/opencapi/capi/internal/workspace"
)

const passphrase = "correct horse battery"

// fixture is everything with a mail server, and Ann, who owns a workspace.
type fixture struct {
	*testkit.Fixture
	mail *mailtest.Server
	log  *buffer
	ann  account.Person
	ws   id.Workspace

	files  *files
	closed atomic.Bool // destinations take nothing
}

// files is a blob store that can fail for good.
type files struct {
	blob.Store
	broken atomic.Bool
}

func (f *files) Put(ctx context.Context, key string, write func(io.Writer) error) (blob.Info, error) {
	if f.broken.Load() {
		return blob.Info{}, job.Fatal(errors.New("the disk is broken"))
	}
	return f.Store.Put(ctx, key, write)
}

func open(t *testing.T, d *db.DB) *fixture {
	t.Helper()
	f := &fixture{mail: mailtest.Start(t, mail.STARTTLS), log: &buffer{}, files: &files{Store: testkit.Files(t)}}
	f.Fixture = testkit.New(t, services.Parts{
		DB: d, Blobs: f.files, Webhooks: webhook.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, Mail: mail.New(f.mail.Options()), Destinations: destination.Options{Open: func(destination.Destination, destination.Secrets) (remote.Server, error) {
			return place{&f.closed}, nil
		}},
		Deliveries: delivery.Options{Pauses: []time.Duration{time.Millisecond}}, Log: slog.New(slog.NewTextHandler(f.log, nil)),
		Jobs: job.Options{AttemptsMax: 500, RetryDelay: time.Millisecond, RetryDelayMax: 5 * time.Millisecond, Poll: 5 * time.Millisecond},
	})
	secret, _, err := f.Memberships.First(t.Context(), "")
	require.NoError(t, err)
	f.ann, f.ws, err = f.Memberships.Accept(t.Context(), secret, membership.Newcomer{
		Name: "Ann <b>", Email: "ann@example.com", Password: passphrase, Workspace: "Lab & Co",
	})
	require.NoError(t, err)
	return f
}

// run sends emails until the test ends.
func (f *fixture) run(t *testing.T) {
	t.Helper()
	r := job.NewRunner(f.Jobs, f.Notifier.Handlers(notify.Links{
		Join:   func(secret string) string { return "https://capi.example.com/join?link=" + secret },
		Email:  func(secret string) string { return "https://capi.example.com/account/email?link=" + secret },
		Export: func(_ id.Workspace, e id.Export) string { return "https://capi.example.com/exports/" + e.String() },
		Order:  func(_ id.Workspace, o id.Order) string { return "https://capi.example.com/orders/" + o.String() },
	}))
	require.NoError(t, r.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, r.Stop(t.Context())) })
}

// gets waits until the server has n messages, and returns the last one with the secret of its link, if it has one.
func (f *fixture) gets(t *testing.T, n int) (mailtest.Received, string) {
	t.Helper()
	require.Eventually(t, func() bool { return len(f.mail.Messages()) >= n }, 30*time.Second, 5*time.Millisecond)
	all := f.mail.Messages()
	require.Len(t, all, n)
	link, err := all[n-1].Link("https://capi.example.com/")
	require.NoError(t, err)
	_, secret, _ := strings.Cut(link, "link=")
	return all[n-1], secret
}

// settled waits until no email is to be sent any more.
func (f *fixture) settled(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		var open int
		err := f.DB.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM job WHERE kind LIKE 'mail.%' AND state IN ('queued', 'running')`).Scan(&open)
		return err == nil && open == 0
	}, 30*time.Second, 5*time.Millisecond)
}

func TestInvitationIsSentOnceTheMailServerIsBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := open(t, d)
		f.mail.Down()
		f.run(t)
		shown, _, err := f.Memberships.InviteMember(t.Context(), f.ws, workspace.Member, "bob@example.com", f.ann.ID)
		require.NoError(t, err, "the request neither waits for the mail server nor fails with it")
		require.Eventually(t, func() bool {
			open, err := f.People.Invited(t.Context(), f.ws)
			return err == nil && open[0].Mailed.Sending() && strings.Contains(open[0].Mailed.Error, "refused")
		}, 30*time.Second, 5*time.Millisecond)
		f.mail.Up(t)
		got, secret := f.gets(t, 1)
		require.Equal(t, "bob@example.com", got.To)
		require.Equal(t, "Invitation to Lab & Co", got.Header.Get("Subject"))
		require.Contains(t, got.Body, "Ann &lt;b&gt; invites you")
		f.settled(t)
		open, err := f.People.Invited(t.Context(), f.ws)
		require.NoError(t, err)
		require.Equal(t, "done", open[0].Mailed.State)
		require.NotEqual(t, shown, secret)

		bob, ws, err := f.Memberships.Accept(t.Context(), secret, membership.Newcomer{Name: "Bob", Password: passphrase})
		require.NoError(t, err)
		require.Equal(t, "bob@example.com", bob.Email)
		require.Equal(t, f.ws, ws)
		for _, used := range []string{secret, shown} {
			_, err = f.People.Invitation(t.Context(), used)
			require.Equal(t, fault.InvalidLink, fault.CodeOf(err), "all secrets of a link are used together")
		}
		f.keptSecret(t, secret)
	})
}

// keptSecret checks that neither the log nor the jobs have the secret or the password of the mail server.
func (f *fixture) keptSecret(t *testing.T, secret string) {
	t.Helper()
	require.NotEmpty(t, f.log.String())
	var jobs strings.Builder
	for _, q := range []string{`SELECT COALESCE(MAX(payload), '') FROM job`, `SELECT COALESCE(MAX(error), '') FROM job`} {
		var text string
		require.NoError(t, f.DB.Read().QueryRowContext(t.Context(), q).Scan(&text))
		jobs.WriteString(text)
	}
	for _, hidden := range []string{secret, mailtest.Password} {
		require.NotContains(t, f.log.String(), hidden)
		require.NotContains(t, jobs.String(), hidden)
	}
}

func TestRefusedRecipientIsReportedAndNotRepeated(t *testing.T) {
	t.Parallel()
	f := open(t, dbtest.SQLite(t))
	f.run(t)
	_, _, err := f.Memberships.InviteMember(t.Context(), f.ws, workspace.Member, mailtest.Unknown, f.ann.ID)
	require.NoError(t, err)
	f.settled(t)
	open, err := f.People.Invited(t.Context(), f.ws)
	require.NoError(t, err)
	require.True(t, open[0].Mailed.Failed())
	require.Contains(t, open[0].Mailed.Error, "No such user")
	require.Equal(t, 1, f.mail.Refused())
}

func TestAddressOfAnInvitedPersonIsConfirmedByEmail(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := open(t, d)
		f.run(t)
		shown, i, err := f.Memberships.InviteOperator(t.Context(), "", f.ann.ID)
		require.NoError(t, err)
		require.True(t, f.Notifier.MustConfirm(i))
		boundary := regexp.MustCompile(`--[0-9a-f]{60}`)
		var bodies []string
		var secret string
		for n, email := range []string{f.ann.Email, " New@example.com"} {
			to, err := f.Notifier.Confirm(t.Context(), i, email)
			require.NoError(t, err)
			var got mailtest.Received
			got, secret = f.gets(t, n+1)
			require.Equal(t, to, got.To)
			body := strings.NewReplacer("=\r\n", "", "=\n", "").Replace(got.Body) // long lines are wrapped
			bodies = append(bodies, boundary.ReplaceAllString(strings.ReplaceAll(body, secret, ""), "--"))
		}
		require.Equal(t, bodies[0], bodies[1], "the message is the same for every address")
		_, err = f.Notifier.Confirm(t.Context(), i, "nonsense")
		require.Equal(t, fault.Validation, fault.CodeOf(err))

		confirmed, err := f.People.Invitation(t.Context(), secret)
		require.NoError(t, err)
		require.False(t, f.Notifier.MustConfirm(confirmed))
		made, _, err := f.Memberships.Accept(t.Context(), secret, membership.Newcomer{Name: "New", Email: "else@example.com", Password: passphrase})
		require.NoError(t, err)
		require.Equal(t, "new@example.com", made.Email)
		_, err = f.People.Invitation(t.Context(), shown)
		require.Equal(t, fault.InvalidLink, fault.CodeOf(err))
		f.keptSecret(t, secret)
	})
}

func TestWithdrawnInvitationIsNotSent(t *testing.T) {
	t.Parallel()
	f := open(t, dbtest.SQLite(t))
	_, i, err := f.Memberships.InviteMember(t.Context(), f.ws, workspace.Member, "bob@example.com", f.ann.ID)
	require.NoError(t, err)
	require.NoError(t, f.People.Withdraw(t.Context(), f.ws, i.ID))
	f.run(t)
	f.settled(t)
	require.Empty(t, f.mail.Messages())
}

func TestResetIsSentToPeopleWithAPasswordOnly(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := open(t, d)
		checked, err := f.People.Check(t.Context(), account.NewPerson{Name: "Olga", Email: "olga@example.com"}) // by OpenID only
		require.NoError(t, err)
		require.NoError(t, f.DB.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := f.People.Create(t.Context(), tx, checked)
			return err
		}))
		f.run(t)
		for _, email := range []string{"nobody@example.com", "olga@example.com", " ANN@example.com"} {
			require.NoError(t, f.Notifier.Reset(t.Context(), email, "192.0.2.1"), email)
		}
		got, secret := f.gets(t, 1)
		require.Equal(t, "ann@example.com", got.To)
		require.Equal(t, fault.Validation, fault.CodeOf(f.Notifier.Reset(t.Context(), "nonsense", "")))

		require.NoError(t, f.Notifier.Reset(t.Context(), "ann@example.com", "192.0.2.1"))
		f.settled(t)
		require.Len(t, f.mail.Messages(), 1, "nobody can flood a person")
		var typed int
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM job WHERE payload LIKE '%@%'`).Scan(&typed))
		require.Zero(t, typed, "what people typed is forgotten once the job has ended")
		_, err = f.Memberships.ResetPassword(t.Context(), secret, "another gravel teapot")
		require.NoError(t, err, "and the link still works")
		_, err = f.Memberships.ResetPassword(t.Context(), secret, "a third gravel teapot")
		require.Equal(t, fault.InvalidLink, fault.CodeOf(err))
		f.keptSecret(t, secret)
	})
}

// wants makes the person ask for another email, and returns the secret of the link that is the nth message.
func (f *fixture) wants(t *testing.T, who account.Person, email string, n int) string {
	t.Helper()
	require.NoError(t, f.People.Change(t.Context(), who, account.Person{Name: who.Name, Email: email}, passphrase, f.Notifier.Email))
	got, secret := f.gets(t, n)
	require.Equal(t, email, got.To)
	require.NotEmpty(t, secret)
	return secret
}

func TestTheEarlierEmailIsToldThatItWasReplaced(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := open(t, d)
		f.run(t)
		link := f.wants(t, f.ann, "ann@example.org", 1)
		require.Error(t, f.People.ConfirmEmailByLink(t.Context(), f.ann.ID, "none", f.Notifier.Moved))
		require.NoError(t, f.People.ConfirmEmailByLink(t.Context(), f.ann.ID, link, f.Notifier.Moved))
		told := func(n int, earlier string) {
			t.Helper()
			require.Eventually(t, func() bool { return len(f.mail.Messages()) >= n }, 30*time.Second, 5*time.Millisecond)
			got := f.mail.Messages()[n-1]
			require.Equal(t, earlier, got.To)
			require.Equal(t, "Your email address for CAPI was changed", got.Header.Get("Subject"))
			require.Contains(t, got.Body, "Ann <b>")
		}
		told(2, "ann@example.com")
		require.NotContains(t, f.mail.Messages()[1].Body, "example.org", "a reader of the earlier address does not learn the new one")
		f.wants(t, f.ann, "ann@example.net", 3)
		require.NoError(t, f.People.ConfirmEmail(t.Context(), f.ann.ID, f.Notifier.Moved))
		told(4, "ann@example.org")
		f.settled(t)
		require.Len(t, f.mail.Messages(), 4)
	})
}

func TestAnotherEmailIsConfirmedByTheLinkThatIsSentToIt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := open(t, d)
		f.run(t)
		link, _, err := f.Memberships.InviteOperator(t.Context(), "", id.Person{})
		require.NoError(t, err)
		bob, _, err := f.Memberships.Accept(t.Context(), link, membership.Newcomer{Name: "Bob", Email: "bob@example.com", Password: passphrase})
		require.NoError(t, err)
		replaced := f.wants(t, f.ann, "first@example.com", 1)
		old := f.wants(t, f.ann, "ann@example.org", 2)
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE email_change SET expires_at = 1`)
			return err
		}))
		good := f.wants(t, f.ann, "ann@example.org", 3)
		ofBob := f.wants(t, bob, "bob@example.org", 4)
		f.keptSecret(t, good)

		email, err := f.People.EmailOfLink(t.Context(), f.ann.ID, good)
		require.NoError(t, err)
		require.Equal(t, "ann@example.org", email)
		require.Equal(t, fault.InvalidLink, fault.CodeOf(f.People.ConfirmEmailByLink(t.Context(), bob.ID, good)), "another person who has the message")
		require.NoError(t, f.People.ConfirmEmailByLink(t.Context(), f.ann.ID, good))
		moved, err := f.People.ByEmail(t.Context(), "ann@example.org")
		require.NoError(t, err)
		require.Equal(t, f.ann.ID, moved.ID)

		first := f.People.ConfirmEmailByLink(t.Context(), f.ann.ID, good)
		require.Equal(t, fault.InvalidLink, fault.CodeOf(first))
		for name, secret := range map[string]string{"used": good, "replaced": replaced, "old": old, "another person's": ofBob, "none": ""} {
			require.Equal(t, first, f.People.ConfirmEmailByLink(t.Context(), f.ann.ID, secret), name)
			_, err := f.People.EmailOfLink(t.Context(), f.ann.ID, secret)
			require.Equal(t, first, err, name)
		}

		taken := f.wants(t, bob, "ann@example.org", 5)
		require.ErrorContains(t, f.People.ConfirmEmailByLink(t.Context(), bob.ID, taken), "belongs to another account")
		require.NoError(t, f.People.DeclineEmail(t.Context(), bob.ID))
		require.Equal(t, first, f.People.ConfirmEmailByLink(t.Context(), bob.ID, taken), "declined")
		f.settled(t)
		var typed int
		require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM job WHERE payload LIKE '%@%'`).Scan(&typed))
		require.Zero(t, typed, "jobs that have ended name nobody")
	})
}

func TestTheEndOfAnExportIsReportedToWhoAskedForIt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := open(t, d)
		f.Put(t, companytest.Slice(1, 5)...)
		_, err := f.Memberships.CreateWorkspace(t.Context(), membership.NewWorkspace{Name: "Paid", Owner: f.ann.ID, Credits: 100, Actor: "test"})
		require.NoError(t, err)
		of, err := f.Workspaces.Of(t.Context(), f.ann.ID)
		require.NoError(t, err)
		paid := of[1].ID
		ann := auth.Caller{Person: f.ann.ID, Workspace: paid, Scope: auth.ReadWrite}
		buy := func(name string, notify bool) export.Export {
			e, _, err := f.Exports.Create(t.Context(), ann, export.Request{Name: name, Notify: notify})
			require.NoError(t, err)
			return e
		}
		f.run(t)
		buy("quiet", false)
		asked := buy("All five", true)
		f.Work(t)
		got, _ := f.gets(t, 1)
		require.Equal(t, "Export ready: All five", got.Header.Get("Subject"))
		require.Contains(t, got.Body, "with 5 companies")
		link, err := got.Link("/exports/")
		require.NoError(t, err)
		require.Equal(t, "https://capi.example.com/exports/"+asked.ID.String(), link)
		f.settled(t)
		require.Len(t, f.mail.Messages(), 1)

		f.files.broken.Store(true)
		buy("Broken", true)
		got, _ = f.gets(t, 2)
		require.Equal(t, "Export failed: Broken", got.Header.Get("Subject"))
		require.Contains(t, got.Body, "The file could not be written.")
	})
}

func TestNothingIsQueuedWithoutAMailServer(t *testing.T) {
	t.Parallel()
	f := testkit.New(t, services.Parts{})
	require.False(t, f.Notifier.Enabled())
	secret, _, err := f.Memberships.First(t.Context(), "ann@example.com")
	require.NoError(t, err)
	require.NotEmpty(t, secret)
	var jobs int
	require.NoError(t, f.DB.Read().QueryRowContext(t.Context(), `SELECT count(*) FROM job`).Scan(&jobs))
	require.Zero(t, jobs)
}

// buffer is a log.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func TestEachOwnerGetsOneEmailAboutADisabledWebhook(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := open(t, d)
		gone := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
		t.Cleanup(gone.Close)
		_, made, err := f.Webhooks.Create(t.Context(), webhook.Webhook{Workspace: f.ws, URL: gone.URL})
		require.NoError(t, err)
		invited, _, err := f.Memberships.InviteMember(t.Context(), f.ws, workspace.Member, "", f.ann.ID)
		require.NoError(t, err)
		_, _, err = f.Memberships.Accept(t.Context(), invited, membership.Newcomer{Name: "Bob", Email: "bob@example.com", Password: passphrase})
		require.NoError(t, err)
		require.NoError(t, f.Events.Publish(t.Context()))
		f.run(t)
		sender := job.NewRunner(f.Jobs, f.Webhooks.Handlers())
		require.NoError(t, sender.Start(t.Context()))
		t.Cleanup(func() { require.NoError(t, sender.Stop(t.Context())) })
		require.Eventually(t, func() bool {
			now, err := f.Webhooks.Get(t.Context(), f.ws, made.ID)
			return err == nil && now.DisabledAt != nil
		}, 30*time.Second, 5*time.Millisecond)
		require.Eventually(t, func() bool { return len(f.mail.Messages()) > 0 }, 30*time.Second, 5*time.Millisecond)
		got := f.mail.Messages()[0]
		require.Equal(t, "ann@example.com", got.To)
		require.Equal(t, "Webhook disabled in Lab & Co", got.Header.Get("Subject"))
		body := strings.ReplaceAll(got.Body, "=\r\n", "") // soft line breaks
		require.Contains(t, body, gone.URL)
		require.Contains(t, body, "410 Gone")
		f.settled(t)
		require.Len(t, f.mail.Messages(), 1, "one message to each owner, and none to other members")
	})
}

func TestMembersWhoWantToKnowGetOneEmailWhenCreditsAreLow(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		f := open(t, d)
		invited, _, err := f.Memberships.InviteMember(t.Context(), f.ws, workspace.Member, "", f.ann.ID)
		require.NoError(t, err)
		_, _, err = f.Memberships.Accept(t.Context(), invited, membership.Newcomer{Name: "Bob", Email: "bob@example.com", Password: passphrase})
		require.NoError(t, err)
		require.NoError(t, f.Workspaces.SetNotifications(t.Context(), f.ws, f.ann.ID, workspace.Notifications{Low: true}))
		balance := int64(100)
		require.NoError(t, f.DB.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := f.Credits.Grant(t.Context(), tx, f.ws, credit.Grant{Amount: balance})
			return err
		}))
		require.NoError(t, f.Credits.SetLow(t.Context(), f.ws, &balance))
		spend := func() {
			require.NoError(t, f.DB.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := f.Credits.Charge(t.Context(), tx, f.ws, 1, "export:"+id.New[id.Export]().String()+":create", credit.ActorSystem)
				return err
			}))
		}
		spend()
		spend()
		require.NoError(t, f.Events.Publish(t.Context()))
		require.NoError(t, f.Events.Publish(t.Context()))
		f.run(t)
		require.Eventually(t, func() bool { return len(f.mail.Messages()) > 0 }, 30*time.Second, 5*time.Millisecond)
		f.settled(t)
		require.Len(t, f.mail.Messages(), 1, "one message to those who want it, when the balance passes the number")
		got := f.mail.Messages()[0]
		require.Equal(t, "ann@example.com", got.To)
		require.Equal(t, "Credits are low in Lab & Co", got.Header.Get("Subject"))
		body := strings.ReplaceAll(got.Body, "=\r\n", "")
		require.Contains(t, body, fmt.Sprintf("to %d credits", balance-1))
	})
}

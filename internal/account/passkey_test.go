package account_test

import (
	"bytes"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/testkit/softkey"
)

// keyring is a person with a device that has a passkey.
type keyring struct {
	*account.Passkeys
	*softkey.Device
	d       *db.DB
	factors *account.TwoFactor
	people  *account.People
	person  account.Person
	at      time.Time
}

const site = "https://capi.example.com"

func newKeyring(t *testing.T, d *db.DB, email string) *keyring {
	t.Helper()
	ann, err := tryPerson(t, d, account.NewPerson{Email: email, Name: "Ann", Password: passphrase})
	require.NoError(t, err)
	r := &keyring{d: d, people: account.NewPeople(d), person: ann, at: time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC)}
	r.factors = account.NewTwoFactor(r.people, account.TwoFactorOptions{Key: key, Now: func() time.Time { return r.at }})
	r.Passkeys = account.NewPasskeys(r.factors, account.PasskeyOptions{PublicURL: site, Issuer: "https://id.example.com"})
	r.Device = &softkey.Device{Origin: site, Host: "capi.example.com"}
	r.add(t, "Laptop")
	return r
}

// add adds another passkey to the person, which takes the place of the device's.
func (r *keyring) add(t *testing.T, name string) {
	t.Helper()
	options, secret, err := r.BeginAdd(t.Context(), r.person, passphrase, account.Code(""))
	require.NoError(t, err)
	require.NoError(t, r.Add(t.Context(), r.person, secret, r.Create(options), name))
}

// asked returns a challenge for a sign-in.
func (r *keyring) asked(t *testing.T) (options []byte, secret string) {
	t.Helper()
	options, secret, err := r.BeginSignIn(t.Context())
	require.NoError(t, err)
	return options, secret
}

func (r *keyring) signsIn(t *testing.T) error {
	t.Helper()
	options, secret := r.asked(t)
	who, err := r.SignIn(t.Context(), secret, r.Get(options))
	if err == nil {
		require.Equal(t, r.person.ID, who.ID)
	}
	return err
}

func (r *keyring) only(t *testing.T) account.Passkey {
	t.Helper()
	all, err := r.List(t.Context(), r.person.ID)
	require.NoError(t, err)
	require.Len(t, all, 1)
	return all[0]
}

func (r *keyring) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	require.NoError(t, r.d.Tx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(t.Context(), statement, args...)
		return err
	}))
}

func TestAPasskeySignsInItsPerson(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ann, bob := newKeyring(t, d, "ann@example.com"), newKeyring(t, d, "bob@example.com")
		require.Nil(t, ann.only(t).UsedAt)
		require.NoError(t, ann.signsIn(t))
		require.NoError(t, bob.signsIn(t))
		require.Equal(t, "Laptop", ann.only(t).Name)
		require.Equal(t, ann.at, *ann.only(t).UsedAt)

		laptop := *ann.Device
		ann.add(t, "Phone")
		require.NoError(t, ann.signsIn(t))
		*ann.Device = laptop
		require.NoError(t, ann.signsIn(t), "both of them work")

		all, err := ann.List(t.Context(), ann.person.ID)
		require.NoError(t, err)
		require.NoError(t, ann.Rename(t.Context(), ann.person.ID, all[0].ID, "Old laptop"))
		require.Equal(t, fault.NotFound, fault.CodeOf(ann.Rename(t.Context(), ann.person.ID, bob.only(t).ID, "Mine")))
		require.Equal(t, fault.Validation, fault.CodeOf(ann.Rename(t.Context(), ann.person.ID, all[0].ID, " ")))
		require.Equal(t, fault.NotFound, fault.CodeOf(ann.Remove(t.Context(), ann.person.ID, bob.only(t).ID)))
		require.NoError(t, ann.Remove(t.Context(), ann.person.ID, all[1].ID))
		require.Equal(t, "Old laptop", ann.only(t).Name)
	})
}

func TestRefusedPasskeysLookAlike(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ann, bob := newKeyring(t, d, "ann@example.com"), newKeyring(t, d, "bob@example.com")
		usedOptions, used := ann.asked(t)
		usedAnswer := ann.Get(usedOptions)
		_, err := ann.SignIn(t.Context(), used, usedAnswer)
		require.NoError(t, err)

		oldOptions, old := ann.asked(t)
		ann.at = ann.at.Add(6 * time.Minute)
		options, secret := ann.asked(t)
		_, otherSecret := ann.asked(t)
		proofOptions, proof, err := ann.BeginProof(t.Context(), ann.person.ID)
		require.NoError(t, err)
		ofBob := newKeyring(t, d, "eve@example.com")
		bobOptions, bobs, err := bob.BeginProof(t.Context(), bob.person.ID)
		require.NoError(t, err)

		cases := map[string]struct {
			secret string
			answer func(*softkey.Device) []byte
		}{
			"a used challenge and answer":    {used, func(*softkey.Device) []byte { return usedAnswer }},
			"a used challenge":               {used, func(d *softkey.Device) []byte { return d.Get(usedOptions) }},
			"an old challenge":               {old, func(d *softkey.Device) []byte { return d.Get(oldOptions) }},
			"another session's challenge":    {otherSecret, func(d *softkey.Device) []byte { return d.Get(options) }},
			"no challenge":                   {"", func(d *softkey.Device) []byte { return d.Get(options) }},
			"a challenge of another purpose": {proof, func(d *softkey.Device) []byte { return d.Get(proofOptions) }},
			"no answer":                      {"", func(*softkey.Device) []byte { return nil }},
			"text":                           {"", func(*softkey.Device) []byte { return []byte("hello") }},
			"another site": {"", func(d *softkey.Device) []byte {
				d.Origin = "https://capi.example.net"
				return d.Get(options)
			}},
			"another host": {"", func(d *softkey.Device) []byte {
				d.Host = "example.com"
				return d.Get(options)
			}},
			"a device that did not verify its user": {"", func(d *softkey.Device) []byte {
				d.Unverified = true
				return d.Get(options)
			}},
			"another person's handle": {"", func(d *softkey.Device) []byte {
				d.Holder = bob.Holder
				return d.Get(options)
			}},
			"an unknown passkey": {"", func(d *softkey.Device) []byte {
				d.ID = []byte("unknown")
				return d.Get(options)
			}},
			"another person's key": {"", func(d *softkey.Device) []byte {
				of := *ofBob.Device
				of.ID, of.Holder = d.ID, d.Holder
				return of.Get(options)
			}},
			"a changed answer": {"", func(d *softkey.Device) []byte {
				return bytes.Replace(d.Get(options), []byte(`"userHandle":"`), []byte(`"userHandle":"AA`), 1)
			}},
		}
		var first error
		for name, c := range cases {
			device := *ann.Device
			if c.secret == "" && name != "no challenge" {
				options, secret = ann.asked(t)
				c.secret = secret
			}
			who, err := ann.SignIn(t.Context(), c.secret, c.answer(&device))
			require.Equal(t, fault.Validation, fault.CodeOf(err), name)
			require.Zero(t, who, name)
			if first == nil {
				first = err
			}
			require.Equal(t, first, err, name)
		}
		for name, given := range map[string]account.Proof{
			"another person's challenge": ann.Proof(bobs, bob.Get(bobOptions)), "a challenge of another purpose": ann.Proof(secret, ann.Get(options)),
		} {
			require.Equal(t, first, ann.factors.Check(t.Context(), ann.person.ID, given), name)
		}
		require.NoError(t, ann.signsIn(t), "the passkey itself is still good")
	})
}

func TestAnAnswerCountsOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newKeyring(t, d, "ann@example.com")
		options, secret := r.asked(t)
		answer := r.Get(options)
		var accepted atomic.Int32
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if _, err := r.SignIn(t.Context(), secret, answer); err == nil {
					accepted.Add(1)
				}
			})
		}
		all.Wait()
		require.Equal(t, int32(1), accepted.Load())
	})
}

func TestACopyOfAPasskeyIsRefusedAndRecorded(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newKeyring(t, d, "ann@example.com")
		require.NoError(t, r.signsIn(t))
		copied := *r.Device
		require.NoError(t, r.signsIn(t))
		mine := *r.Device
		*r.Device = copied
		require.Equal(t, fault.Validation, fault.CodeOf(r.signsIn(t)), "its counter is behind")
		*r.Device = mine
		require.NoError(t, r.signsIn(t), "a refused copy does not lock out the original")
		entries, err := auditlog.New(d).Page(t.Context(), auditlog.Filter{Action: auditlog.PasskeyCopied}, id.AuditEntry{}, 10)
		require.NoError(t, err)
		require.Len(t, entries, 1)
	})
}

func TestAPasskeyIsAddedToThePersonWhoAskedForIt(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ann, bob := newKeyring(t, d, "ann@example.com"), newKeyring(t, d, "bob@example.com")
		_, _, err := ann.BeginAdd(t.Context(), ann.person, "wrong", account.Code(""))
		require.Equal(t, "current", fault.Fields(err)[0].Field)

		options, secret, err := ann.BeginAdd(t.Context(), ann.person, passphrase, account.Code(""))
		require.NoError(t, err)
		require.NotContains(t, string(options), "correct horse")
		device := softkey.Device{Origin: site, Host: "capi.example.com"}
		answer := device.Create(options)
		require.Equal(t, "name", fault.Fields(ann.Add(t.Context(), ann.person, secret, answer, ""))[0].Field)
		refused := bob.Add(t.Context(), bob.person, secret, answer, "Mine")
		require.Equal(t, fault.Validation, fault.CodeOf(refused), "another person's challenge")
		require.Equal(t, refused, ann.Add(t.Context(), ann.person, secret, answer, "Mine"), "a used one")

		options, secret, err = ann.BeginAdd(t.Context(), ann.person, passphrase, account.Code(""))
		require.NoError(t, err)
		unverified := softkey.Device{Origin: site, Host: "capi.example.com", Unverified: true}
		require.Equal(t, refused, ann.Add(t.Context(), ann.person, secret, unverified.Create(options), "Mine"), "without a PIN")
		require.Equal(t, "Laptop", ann.only(t).Name)
	})
}

func TestTheLastWayToSignInCannotBeRemoved(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newKeyring(t, d, "ann@example.com")
		_, err := r.factors.EnablePasskeys(t.Context(), r.person.ID, passphrase)
		require.NoError(t, err)
		err = r.Remove(t.Context(), r.person.ID, r.only(t).ID)
		require.Equal(t, fault.Validation, fault.CodeOf(err))
		require.ErrorContains(t, err, "asked for after your password")
		require.NoError(t, r.factors.Reset(t.Context(), r.person.ID))

		r.exec(t, `UPDATE person SET password = ''`)
		r.person.HasPassword = false
		err = r.Remove(t.Context(), r.person.ID, r.only(t).ID)
		require.Equal(t, fault.Validation, fault.CodeOf(err))
		require.ErrorContains(t, err, "your only way to sign in")
		require.NoError(t, r.signsIn(t), "it is still there")

		r.add(t, "Phone")
		all, err := r.List(t.Context(), r.person.ID)
		require.NoError(t, err)
		require.NoError(t, r.Remove(t.Context(), r.person.ID, all[0].ID), "one of two")
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			return r.people.Link(t.Context(), tx, account.Identity{Issuer: "https://id.example.com", Subject: "ann"}, r.person.ID)
		}))
		require.NoError(t, r.Remove(t.Context(), r.person.ID, all[1].ID), "the provider is a way, too")
	})
}

// Two requests that remove the last two passkeys of a person without a password must not both succeed.
func TestTwoPasskeysAreNotRemovedAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newKeyring(t, d, "ann@example.com")
		r.add(t, "Phone")
		r.exec(t, `UPDATE person SET password = ''`)
		all, err := r.List(t.Context(), r.person.ID)
		require.NoError(t, err)
		var both sync.WaitGroup
		for _, one := range all {
			both.Go(func() { _ = r.Remove(t.Context(), r.person.ID, one.ID) })
		}
		both.Wait()
		r.only(t)
	})
}

func TestAPasskeyIsASecondFactor(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newKeyring(t, d, "ann@example.com")
		bob := newPerson(t, d, "bob@example.com")
		proof := func() account.Proof {
			options, secret, err := r.BeginProof(t.Context(), r.person.ID)
			require.NoError(t, err)
			return r.Proof(secret, r.Get(options))
		}
		_, err := r.factors.EnablePasskeys(t.Context(), r.person.ID, "wrong")
		require.Equal(t, "current", fault.Fields(err)[0].Field)
		codes, err := r.factors.EnablePasskeys(t.Context(), r.person.ID, passphrase)
		require.NoError(t, err)
		require.Len(t, codes, 10)
		ann, err := r.people.Get(t.Context(), r.person.ID)
		require.NoError(t, err)
		require.True(t, ann.TwoFactor)
		require.Equal(t, 1, ann.Passkeys)
		state, err := r.factors.State(t.Context(), ann.ID)
		require.NoError(t, err)
		require.False(t, state.App)

		require.NoError(t, r.factors.Check(t.Context(), ann.ID, proof()))
		require.NoError(t, r.factors.Check(t.Context(), ann.ID, account.Code(codes[0])), "a recovery code")
		require.Error(t, r.factors.Check(t.Context(), ann.ID, account.Code("000000")), "there is no app")
		require.Error(t, r.factors.Check(t.Context(), bob.ID, proof()))
		_, _, err = r.BeginProof(t.Context(), bob.ID)
		require.Equal(t, fault.Validation, fault.CodeOf(err))

		_, _, err = r.BeginAdd(t.Context(), ann, passphrase, account.Code(""))
		require.Equal(t, "code", fault.Fields(err)[0].Field, "the password alone adds no passkey")
		_, _, err = r.BeginAdd(t.Context(), ann, passphrase, proof())
		require.NoError(t, err)
		codes, err = r.factors.ReplaceCodes(t.Context(), ann.ID, passphrase, proof())
		require.NoError(t, err)
		require.NoError(t, r.factors.Disable(t.Context(), ann.ID, passphrase, proof()))
		require.Error(t, r.factors.Check(t.Context(), ann.ID, account.Code(codes[0])))
		_, err = r.factors.EnablePasskeys(t.Context(), bob.ID, passphrase)
		require.Equal(t, fault.Validation, fault.CodeOf(err), "without a passkey")
	})
}

func TestAnOperatorRemovesAllPasskeysOfAPerson(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ann, bob := newKeyring(t, d, "ann@example.com"), newKeyring(t, d, "bob@example.com")
		ann.add(t, "Phone")
		_, err := ann.factors.EnablePasskeys(t.Context(), ann.person.ID, passphrase)
		require.NoError(t, err)
		require.NoError(t, ann.Reset(t.Context(), ann.person.ID))
		require.Equal(t, fault.Validation, fault.CodeOf(ann.signsIn(t)))
		after, err := ann.people.Get(t.Context(), ann.person.ID)
		require.NoError(t, err)
		require.False(t, after.TwoFactor, "the password alone must be enough now")
		require.Equal(t, fault.Validation, fault.CodeOf(ann.Reset(t.Context(), ann.person.ID)))
		require.NoError(t, bob.signsIn(t))
	})
}

func TestARemovedPersonHasNoPasskeys(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := newKeyring(t, d, "ann@example.com")
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error { return r.people.Remove(t.Context(), tx, r.person.ID) }))
		require.Equal(t, fault.Validation, fault.CodeOf(r.signsIn(t)))
	})
}

func TestPasskeysSayWhereTheyWork(t *testing.T) {
	t.Parallel()
	for address, missing := range map[string]string{
		"https://capi.example.com": "", "https://capi.example.com:8443/": "", "http://localhost:8080": "", "http://capi.localhost:8080": "",
		"": "start it with --public-url", "http://127.0.0.1:8080": "http://localhost:8080 will do", "https://[::1]": "http://localhost:443 will do",
		"http://capi.example.com": "over HTTPS only",
	} {
		k := account.NewPasskeys(account.NewTwoFactor(account.NewPeople(nil), account.TwoFactorOptions{}), account.PasskeyOptions{PublicURL: address})
		if missing == "" {
			require.NoError(t, k.Available(), address)
			require.Equal(t, strings.TrimSuffix(address, "/"), k.Origin())
			continue
		}
		require.ErrorContains(t, k.Available(), missing, address)
		require.Equal(t, fault.Forbidden, fault.CodeOf(k.Available()))
		_, _, err := k.BeginSignIn(t.Context())
		require.Equal(t, k.Available(), err)
		require.Empty(t, k.Origin())
		_, err = k.SignIn(t.Context(), "", nil)
		require.Equal(t, k.Available(), err)
		_, _, err = k.BeginProof(t.Context(), id.New[id.Person]())
		require.Equal(t, k.Available(), err)
	}
}

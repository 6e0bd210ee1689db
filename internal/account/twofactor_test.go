package account_test

import (
	"bytes"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// phone is a person with an app that computes codes, at a time that the test sets.
type phone struct {
	*account.TwoFactor
	people *account.People
	person account.Person
	secret string
	at     time.Time
}

// key is the installation's key in tests.
var key = bytes.Repeat([]byte{7}, 32)

// newPhone returns a person who has begun to set up two-factor sign-in.
func newPhone(t *testing.T, d *db.DB, email string) *phone {
	t.Helper()
	ann, err := tryPerson(t, d, account.NewPerson{Email: email, Name: "Ann", Password: passphrase})
	require.NoError(t, err)
	p := &phone{people: account.NewPeople(d), person: ann, at: time.Date(2027, 3, 1, 12, 0, 10, 0, time.UTC)}
	p.TwoFactor = account.NewTwoFactor(p.people, account.TwoFactorOptions{Key: key, Now: func() time.Time { return p.at }})
	require.NoError(t, p.Begin(t.Context(), p.person, passphrase))
	set, err := p.Setup(t.Context(), p.person, "CAPI")
	require.NoError(t, err)
	p.secret = set.Secret()
	return p
}

// code is what the app shows after the given number of periods.
func (p *phone) code(t *testing.T, periods int) string {
	t.Helper()
	code, err := totp.GenerateCode(p.secret, p.at.Add(time.Duration(periods)*30*time.Second))
	require.NoError(t, err)
	return code
}

// enable confirms the setup, and returns the recovery codes at a time when the next code has not been used.
func (p *phone) enable(t *testing.T) []string {
	t.Helper()
	codes, err := p.Enable(t.Context(), p.person.ID, p.code(t, 0))
	require.NoError(t, err)
	p.at = p.at.Add(time.Minute)
	return codes
}

func (p *phone) enters(t *testing.T, code string) error {
	t.Helper()
	return p.Check(t.Context(), p.person.ID, account.Code(code))
}

func TestTwoFactorSignInIsOnAfterAFirstCode(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPhone(t, d, "ann@example.com")
		set, err := p.Setup(t.Context(), p.person, "CAPI")
		require.NoError(t, err)
		require.Regexp(t, `^otpauth://totp/CAPI:ann@example.com\?algorithm=SHA1&digits=6&issuer=CAPI&period=30&secret=[A-Z2-7]{32}$`, set.URL())
		ann, err := p.people.Get(t.Context(), p.person.ID)
		require.NoError(t, err)
		require.False(t, ann.TwoFactor, "a setup that was not finished locks nobody out")
		_, err = p.Enable(t.Context(), p.person.ID, "000000")
		require.ErrorContains(t, err, "code: is not the code that the app shows")

		codes := p.enable(t)
		require.Len(t, codes, 10)
		ann, err = p.people.Get(t.Context(), p.person.ID)
		require.NoError(t, err)
		require.True(t, ann.TwoFactor)
		set, err = p.Setup(t.Context(), p.person, "CAPI")
		require.NoError(t, err)
		require.Nil(t, set, "the secret is not shown again")
		require.ErrorContains(t, p.Begin(t.Context(), p.person, passphrase), "already on")
		require.NoError(t, p.Cancel(t.Context(), p.person.ID))
		state, err := p.State(t.Context(), p.person.ID)
		require.NoError(t, err)
		require.NotNil(t, state.EnabledAt)
		require.Equal(t, 10, state.CodesLeft)
	})
}

func TestTheSetupNeedsThePasswordAndEnds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPhone(t, d, "ann@example.com")
		require.ErrorContains(t, p.Begin(t.Context(), p.person, "wrong password"), "is not your password")
		require.NoError(t, p.Begin(t.Context(), p.person, passphrase))
		_, err := p.Enable(t.Context(), p.person.ID, p.code(t, 0))
		require.Error(t, err, "a new secret replaces the earlier one")
		require.NoError(t, p.Cancel(t.Context(), p.person.ID))
		_, err = p.Enable(t.Context(), p.person.ID, p.code(t, 0))
		require.ErrorContains(t, err, "Start again")
		require.NoError(t, p.Begin(t.Context(), p.person, passphrase))
		p.at = p.at.Add(2 * time.Hour)
		set, err := p.Setup(t.Context(), p.person, "CAPI")
		require.NoError(t, err)
		require.Nil(t, set)

		without := p.person
		without.HasPassword = false
		require.ErrorContains(t, p.Begin(t.Context(), without, ""), "set a password first")
		keyless := account.NewTwoFactor(p.people, account.TwoFactorOptions{})
		require.Equal(t, fault.Forbidden, fault.CodeOf(keyless.Begin(t.Context(), p.person, passphrase)))
	})
}

// Someone who watches how a code is entered must not be able to use it too.
func TestCodesThatAreWrongUsedOldOrOfOthersAreRefusedAlike(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p, other := newPhone(t, d, "ann@example.com"), newPhone(t, d, "bob@example.com")
		first := p.code(t, 0)
		codes, others := p.enable(t), other.enable(t)
		p.at = p.at.Add(-time.Minute)
		refused := p.enters(t, first)
		require.ErrorContains(t, refused, "code: is not valid", "the code that confirmed the setup is used")
		p.at = p.at.Add(time.Minute)

		require.NoError(t, p.enters(t, p.code(t, 0)))
		require.NoError(t, p.enters(t, p.code(t, 1)), "the clock of the app may be fast")
		require.NoError(t, p.enters(t, strings.ToUpper(codes[0])+" "))
		require.NoError(t, p.enters(t, strings.ReplaceAll(codes[1], "-", "")))
		used := p.code(t, 1)
		for name, code := range map[string]string{
			"used": used, "earlier than one that was used": p.code(t, 0), "old": p.code(t, -2), "of the future": p.code(t, 2),
			"another person's": other.code(t, 0), "used recovery code": codes[0], "another person's recovery code": others[0],
			"wrong": "000000", "wrong recovery code": "aaaa-bbbb-cccc-dddd", "empty": "", "too long": "1234567", "text": "abcdef", "unicode": "١٢٣٤٥٦",
		} {
			t.Run(name, func(t *testing.T) {
				require.EqualError(t, p.enters(t, code), refused.Error())
				require.Equal(t, fault.Validation, fault.CodeOf(p.enters(t, code)))
			})
		}
		p.at = p.at.Add(time.Minute)
		require.EqualError(t, p.enters(t, used), refused.Error())
		spaced := p.code(t, 0)
		require.NoError(t, p.enters(t, spaced[:3]+" "+spaced[3:]))
		p.at = p.at.Add(time.Minute)
		require.NoError(t, p.enters(t, p.code(t, -1)), "the clock of the app may be slow")
		state, err := p.State(t.Context(), p.person.ID)
		require.NoError(t, err)
		require.Equal(t, 8, state.CodesLeft)
	})
}

func TestOneOfManyRequestsUsesACode(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPhone(t, d, "ann@example.com")
		codes := p.enable(t)
		for _, code := range []string{p.code(t, 0), codes[0]} {
			var accepted atomic.Int32
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() {
					if err := p.Check(t.Context(), p.person.ID, account.Code(code)); err == nil {
						accepted.Add(1)
					}
				})
			}
			group.Wait()
			require.EqualValues(t, 1, accepted.Load())
		}
	})
}

func TestSwitchingOffAndNewRecoveryCodesNeedPasswordAndCode(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPhone(t, d, "ann@example.com")
		old := p.enable(t)
		_, err := p.ReplaceCodes(t.Context(), p.person.ID, "wrong password", account.Code(p.code(t, 0)))
		require.ErrorContains(t, err, "is not your password")
		_, err = p.ReplaceCodes(t.Context(), p.person.ID, passphrase, account.Code("000000"))
		require.ErrorContains(t, err, "is not valid")
		fresh, err := p.ReplaceCodes(t.Context(), p.person.ID, passphrase, account.Code(p.code(t, 0)))
		require.NoError(t, err, "a wrong password uses no code up")
		require.Len(t, fresh, 10)
		require.Error(t, p.enters(t, old[3]), "the earlier codes no longer work")
		require.NoError(t, p.enters(t, fresh[3]))

		require.ErrorContains(t, p.Disable(t.Context(), p.person.ID, "wrong password", account.Code(fresh[0])), "is not your password")
		require.ErrorContains(t, p.Disable(t.Context(), p.person.ID, passphrase, account.Code(fresh[3])), "is not valid")
		require.NoError(t, p.Disable(t.Context(), p.person.ID, passphrase, account.Code(fresh[0])))
		ann, err := p.people.Get(t.Context(), p.person.ID)
		require.NoError(t, err)
		require.False(t, ann.TwoFactor)
		require.Error(t, p.enters(t, fresh[1]), "nothing is left of it")
		require.ErrorContains(t, p.Reset(t.Context(), p.person.ID), "already off")
	})
}

func TestSecretsAndRecoveryCodesCannotBeReadInTheDatabase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPhone(t, d, "ann@example.com")
		codes := p.enable(t)
		stored := func(q string) (all []string) {
			all, err := db.Collect(t.Context(), d.Read(), func(row db.Row) (string, error) {
				var b []byte
				err := row.Scan(&b)
				return string(b), err
			}, q)
			require.NoError(t, err)
			return all
		}
		sealed := stored(`SELECT secret FROM two_factor`)[0]
		require.Greater(t, len(sealed), 20+16, "it has a nonce and a tag")
		hashes := strings.Join(stored(`SELECT hash FROM recovery_code`), "")
		require.NotContains(t, hashes, strings.ReplaceAll(codes[0], "-", ""))

		stranger := account.NewTwoFactor(p.people, account.TwoFactorOptions{Key: bytes.Repeat([]byte{8}, 32), Now: func() time.Time { return p.at }})
		err := stranger.Check(t.Context(), p.person.ID, account.Code(p.code(t, 0)))
		require.Equal(t, fault.ServiceUnavailable, fault.CodeOf(err))
		require.ErrorContains(t, err, "its key has changed. Use a recovery code")
		err = stranger.Check(t.Context(), p.person.ID, account.Code(codes[0]))
		require.NoError(t, err, "recovery codes need no key")

		// A secret that was copied to another person's row cannot be read there.
		other := newPhone(t, d, "bob@example.com")
		other.enable(t)
		require.NoError(t, d.Tx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE two_factor SET secret = (SELECT secret FROM two_factor WHERE person_id = $1)
				WHERE person_id = $2`, p.person.ID, other.person.ID)
			return err
		}))
		require.Equal(t, fault.ServiceUnavailable, fault.CodeOf(other.enters(t, p.code(t, 0))))
	})
}

func TestTheAuditLogShowsWhatHappensToTwoFactorSignIn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPhone(t, d, "ann@example.com")
		codes := p.enable(t)
		require.Error(t, p.enters(t, "000000"))
		require.NoError(t, p.enters(t, codes[0]))
		_, err := p.ReplaceCodes(t.Context(), p.person.ID, passphrase, account.Code(codes[1]))
		require.NoError(t, err)
		require.NoError(t, p.Reset(auditlog.With(t.Context(), auditlog.By{Actor: "person:root"}), p.person.ID))
		all, err := auditlog.New(d).Page(t.Context(), auditlog.Filter{}, id.AuditEntry{}, 7)
		require.NoError(t, err)
		var got []string
		for _, e := range all {
			require.Equal(t, "person:"+p.person.ID.String(), e.Subject)
			got = append([]string{string(e.Action)}, got...)
		}
		require.Equal(t, []string{
			"two_factor.enabled", "session.code_refused", "two_factor.recovery_code_used", "two_factor.recovery_code_used",
			"two_factor.codes_replaced", "two_factor.disabled",
		}, got[len(got)-6:])
		require.Equal(t, "person:root", all[0].Actor, "who switched it off")
		require.Equal(t, "person:"+p.person.ID.String(), all[4].Actor, "who entered a wrong code")
		require.EqualValues(t, 9, all[3].Details["left"])
	})
}

// A person who gave their old password is not signed in by it after it was changed.
func TestANewPasswordEndsSignInsThatWaitForACode(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := newPhone(t, d, "ann@example.com")
		p.enable(t)
		sessions := account.NewSessions(d, account.SessionOptions{})
		require.NoError(t, sessions.Create(t.Context(), "half", account.Session{
			Awaiting: p.person.ID, Data: []byte("data"), ExpiresAt: time.Now().Add(time.Hour),
		}))
		require.True(t, lives(t, sessions, "half"))
		live, err := sessions.List(t.Context(), p.person.ID)
		require.NoError(t, err)
		require.Empty(t, live, "it is not signed in")
		require.NoError(t, p.people.ChangePassword(t.Context(), p.person, passphrase, "another gravel teapot", id.Session{}))
		require.False(t, lives(t, sessions, "half"))
	})
}

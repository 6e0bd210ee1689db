package account_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/account"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/db/dbtest"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

const passphrase = "correct horse battery"

func newPerson(t *testing.T, d *db.DB, email string) account.Person {
	t.Helper()
	made, err := tryPerson(t, d, account.NewPerson{Email: email, Name: "Ann"})
	require.NoError(t, err)
	return made
}

func tryPerson(t *testing.T, d *db.DB, n account.NewPerson) (account.Person, error) {
	t.Helper()
	people := account.NewPeople(d)
	checked, err := people.Check(t.Context(), n)
	if err != nil {
		return account.Person{}, err
	}
	var made account.Person
	err = d.Tx(t.Context(), func(tx *db.Tx) (err error) {
		made, err = people.Create(t.Context(), tx, checked)
		return err
	})
	return made, err
}

func TestPeopleAreKeptAsCreated(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		people := account.NewPeople(d)
		nobody, err := people.Nobody(t.Context())
		require.NoError(t, err)
		require.True(t, nobody)
		made, err := tryPerson(t, d, account.NewPerson{
			Email: " Ann@Example.com ", Name: " Ann Lee ", Password: passphrase, Operator: true,
		})
		require.NoError(t, err)
		require.Equal(t, "ann@example.com", made.Email)
		require.Equal(t, "Ann Lee", made.Name)
		require.True(t, made.Operator && made.HasPassword)
		got, err := people.Get(t.Context(), made.ID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(made, got))
		got, err = people.ByEmail(t.Context(), "ANN@example.com")
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(made, got))
		all, err := people.List(t.Context())
		require.NoError(t, err)
		require.Empty(t, cmp.Diff([]account.Person{made}, all))
		nobody, err = people.Nobody(t.Context())
		require.NoError(t, err)
		require.False(t, nobody)
		_, err = people.Get(t.Context(), id.New[id.Person]())
		require.Equal(t, fault.NotFound, fault.CodeOf(err))
	})
}

func TestEmailBelongsToOnePerson(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		newPerson(t, d, "ann@example.com")
		_, err := tryPerson(t, d, account.NewPerson{Email: "ANN@example.com", Name: "Eve"})
		require.Equal(t, fault.Validation, fault.CodeOf(err))
		require.ErrorContains(t, err, "email: cannot be used for a new account")
	})
}

func TestInvalidPeopleAreRefused(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	for _, email := range []string{"", "ann", "ann@", "Ann <ann@example.com>", "a@b\nc", strings.Repeat("a", 250) + "@b.example"} {
		_, err := tryPerson(t, d, account.NewPerson{Email: email, Name: "Ann"})
		require.Equal(t, fault.Validation, fault.CodeOf(err), "%q", email)
	}
	for _, password := range []string{"short", strings.Repeat("x", 1025)} {
		_, err := tryPerson(t, d, account.NewPerson{Email: "ann@example.com", Name: "Ann", Password: password})
		require.ErrorContains(t, err, "password: ")
	}
	_, err := tryPerson(t, d, account.NewPerson{Email: "ann@example.com"})
	require.ErrorContains(t, err, "name: is empty")
}

func TestOnlyTheRightPasswordSignsIn(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		people := account.NewPeople(d)
		ann, err := tryPerson(t, d, account.NewPerson{Email: "ann@example.com", Name: "Ann", Password: passphrase})
		require.NoError(t, err)
		newPerson(t, d, "none@example.com") // has no password

		got, err := people.SignIn(t.Context(), " ANN@example.com", passphrase)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(ann, got))
		var said []string
		for _, try := range [][2]string{
			{"ann@example.com", "wrong horse battery"},
			{"ann@example.com", ""},
			{"ann@example.com", strings.Repeat("x", 2000)},
			{"none@example.com", ""},
			{"none@example.com", "no password"},
			{"bob@example.com", passphrase},
			{"bob@example.com", "no password"},
		} {
			_, err := people.SignIn(t.Context(), try[0], try[1])
			require.Equal(t, fault.Validation, fault.CodeOf(err), "%v", try)
			said = append(said, err.Error())
		}
		for _, message := range said {
			require.Equal(t, said[0], message, "nobody learns whether the email has an account")
		}
	})
}

func TestPasswordsAreKeptAsArgon2id(t *testing.T) {
	t.Parallel()
	d := dbtest.SQLite(t)
	_, err := tryPerson(t, d, account.NewPerson{Email: "ann@example.com", Name: "Ann", Password: passphrase})
	require.NoError(t, err)
	var kept string
	require.NoError(t, d.Read().QueryRowContext(t.Context(), `SELECT password FROM person`).Scan(&kept))
	require.Regexp(t, `^\$argon2id\$v=19\$m=19456,t=2,p=1\$`, kept)
}

func TestChangingThePasswordEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		people, sessions := account.NewPeople(d), account.NewSessions(d, account.SessionOptions{})
		ann, err := tryPerson(t, d, account.NewPerson{Email: "ann@example.com", Name: "Ann", Password: passphrase})
		require.NoError(t, err)
		begin(t, sessions, "here", ann.ID)
		begin(t, sessions, "there", ann.ID)
		here, _, err := sessions.Find(t.Context(), "here")
		require.NoError(t, err)

		err = people.ChangePassword(t.Context(), ann, "not it, not it", "another passphrase", here.ID)
		require.ErrorContains(t, err, "current: ")
		require.True(t, lives(t, sessions, "there"))

		require.NoError(t, people.ChangePassword(t.Context(), ann, passphrase, "another passphrase", here.ID))
		require.True(t, lives(t, sessions, "here"))
		require.False(t, lives(t, sessions, "there"))
		_, err = people.SignIn(t.Context(), ann.Email, passphrase)
		require.Error(t, err)
		_, err = people.SignIn(t.Context(), ann.Email, "another passphrase")
		require.NoError(t, err)
	})
}

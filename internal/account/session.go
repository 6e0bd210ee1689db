package account

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

const (
	agentLengthMax = 200

	// sessionStale bounds the age of the stored time of last use while a session is in use.
	sessionStale = time.Minute
)

// Session is a browser that is signed in or about to be. Its secret is only in the browser's cookie.
type Session struct {
	ID        id.Session
	Person    id.Person // zero before the sign-in
	Awaiting  id.Person // who has given their password and must still give a code; zero for nobody
	Data      []byte    // opaque, of the console
	Address   string
	Agent     string // the browser's User-Agent header
	Means     Means  // of the sign-in; empty once it is stored
	CreatedAt time.Time
	UsedAt    time.Time // accurate to about a minute
	ExpiresAt time.Time
}

// Means is how a person signed in, for the audit log.
type Means string

// The means.
const (
	ByPassword        Means = "password"
	ByCode            Means = "password and code"
	ByRecoveryCode    Means = "password and recovery code"
	ByPasswordPasskey Means = "password and passkey"
	ByPasskey         Means = "passkey"
	ByProvider        Means = "OpenID provider"
	ByLink            Means = "link" // of an invitation, or for a new password
)

// SessionOptions are the settings of Sessions.
type SessionOptions struct {
	// IdleMax is how long a session lives without use. Defaults to 24h.
	IdleMax time.Duration
}

// Sessions reads and writes the table session. Safe for concurrent use.
type Sessions struct {
	db      *db.DB
	idleMax time.Duration
}

// NewSessions returns a store on d.
func NewSessions(d *db.DB, o SessionOptions) *Sessions {
	if o.IdleMax <= 0 {
		o.IdleMax = 24 * time.Hour
	}
	return &Sessions{db: d, idleMax: o.IdleMax}
}

// Find returns the session with the secret and records its use. It returns false if there is no such session or if it has
// expired.
func (s *Sessions) Find(ctx context.Context, secret string) (Session, bool, error) {
	found, err := scanSession(s.db.Read().QueryRowContext(ctx,
		`SELECT `+sessionColumns+` FROM session WHERE hash = $1`, hashOf(secret)))
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, false, nil
	}
	if err != nil {
		return Session{}, false, fmt.Errorf("find session: %w", err)
	}
	now := time.Now()
	if !now.Before(found.ExpiresAt) || now.Sub(found.UsedAt) >= s.idleMax {
		return Session{}, false, nil
	}
	if now.Sub(found.UsedAt) < sessionStale {
		return found, true, nil
	}
	err = s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE session SET used_at = $1 WHERE id = $2`, db.Time(now), found.ID)
		return err
	})
	if err != nil {
		return Session{}, false, fmt.Errorf("note use of session %s: %w", found.ID, err)
	}
	return found, true, nil
}

// Create stores a new session under the secret.
func (s *Sessions) Create(ctx context.Context, secret string, n Session) error {
	now := db.Time(time.Now())
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		session := id.New[id.Session]()
		_, err := tx.ExecContext(ctx, `
			INSERT INTO session (id, hash, person_id, awaiting, data, address, agent, created_at, used_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)`,
			session, hashOf(secret), nullPerson(n.Person), nullPerson(n.Awaiting), n.Data, n.Address,
			agentOf(n.Agent), now, db.Time(n.ExpiresAt))
		if err != nil {
			return fmt.Errorf("create session: %w", err)
		}
		if n.Person.IsZero() {
			return nil
		}
		if _, err := tx.ExecContext(ctx, `UPDATE person SET signed_in_at = $1 WHERE id = $2`, now, n.Person); err != nil {
			return fmt.Errorf("record sign-in of person %s: %w", n.Person, err)
		}
		ctx := auditlog.With(ctx, auditlog.By{Actor: "person:" + n.Person.String(), Address: n.Address})
		return recordPerson(ctx, tx, auditlog.SignedIn, n.Person,
			map[string]any{"session": session, "agent": agentOf(n.Agent), "means": string(n.Means)})
	})
}

// Update replaces person and data of the session with the secret. It does nothing if the session has ended.
func (s *Sessions) Update(ctx context.Context, secret string, person id.Person, data []byte) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE session SET data = $1, person_id = $2 WHERE hash = $3`,
			data, nullPerson(person), hashOf(secret))
		if err != nil {
			return fmt.Errorf("update session: %w", err)
		}
		return nil
	})
}

// Delete ends the session with the secret, if there is one.
func (s *Sessions) Delete(ctx context.Context, secret string) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		return endSessions(ctx, tx, `hash = $1`, hashOf(secret))
	})
}

// endSessions deletes the sessions that meet the condition, and records the end of those that were signed in.
func endSessions(ctx context.Context, tx *db.Tx, condition string, args ...any) error {
	ended, err := db.Collect(ctx, tx, func(row db.Row) (s Session, err error) {
		err = row.Scan(&s.ID, &s.Person)
		return s, err
	}, `DELETE FROM session WHERE `+condition+` RETURNING id, person_id`, args...)
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	for _, s := range ended {
		if s.Person.IsZero() {
			continue
		}
		if err := recordPerson(ctx, tx, auditlog.SessionEnded, s.Person, map[string]any{"session": s.ID}); err != nil {
			return err
		}
	}
	return nil
}

// List returns the person's live sessions, the last used first.
func (s *Sessions) List(ctx context.Context, person id.Person) ([]Session, error) {
	now := time.Now()
	all, err := db.Collect(ctx, s.db.Read(), scanSession, `SELECT `+sessionColumns+` FROM session
		WHERE person_id = $1 AND expires_at > $2 AND used_at > $3 ORDER BY used_at DESC, id`,
		person, db.Time(now), db.Time(now.Add(-s.idleMax)))
	if err != nil {
		return nil, fmt.Errorf("list sessions of person %s: %w", person, err)
	}
	return all, nil
}

// End ends a session of the person. NotFound if it has ended already.
func (s *Sessions) End(ctx context.Context, person id.Person, session id.Session) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		var found bool
		const q = `SELECT EXISTS (SELECT 1 FROM session WHERE id = $1 AND person_id = $2)`
		if err := tx.QueryRowContext(ctx, q, session, person).Scan(&found); err != nil {
			return fmt.Errorf("end session %s: %w", session, err)
		}
		if !found {
			return fault.New(fault.NotFound, "This session has already ended.")
		}
		return endSessions(ctx, tx, `id = $1 AND person_id = $2`, session, person)
	})
}

// EndOthers ends all sessions of the person except keep, which may be zero, and sign-ins that wait for their code.
func (s *Sessions) EndOthers(ctx context.Context, person id.Person, keep id.Session) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error { return endOthers(ctx, tx, person, keep) })
}

func endOthers(ctx context.Context, tx *db.Tx, person id.Person, keep id.Session) error {
	return endSessions(ctx, tx, `(person_id = $1 OR awaiting = $1) AND id <> $2`, person, keep)
}

// Prune deletes the expired sessions.
func (s *Sessions) Prune(ctx context.Context) error {
	now := time.Now()
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM session WHERE expires_at <= $1 OR used_at <= $2`,
			db.Time(now), db.Time(now.Add(-s.idleMax)))
		if err != nil {
			return fmt.Errorf("prune sessions: %w", err)
		}
		return nil
	})
}

const sessionColumns = `id, person_id, data, address, agent, created_at, used_at, expires_at`

func scanSession(row db.Row) (Session, error) {
	var one Session
	var created, used, expires int64
	err := row.Scan(&one.ID, &one.Person, &one.Data, &one.Address, &one.Agent, &created, &used, &expires)
	one.CreatedAt, one.UsedAt, one.ExpiresAt = db.FromTime(created), db.FromTime(used), db.FromTime(expires)
	return one, err
}

func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// agentOf returns the User-Agent header, shortened to what is stored.
func agentOf(given string) string {
	runes := []rune(strings.ToValidUTF8(given, ""))
	return string(runes[:min(len(runes), agentLengthMax)])
}

func nullPerson(p id.Person) sql.NullString {
	return sql.NullString{String: p.String(), Valid: !p.IsZero()}
}

package wall

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/opencapi/capi/internal/auth"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
)

// Daily is how many companies that it does not own a workspace or a token may be shown in a day, in UTC.
type Daily struct {
	Limit    int
	Shown    int       // distinct companies so far
	ResetsAt time.Time // when the day ends
}

// Left returns how many more may be shown.
func (d Daily) Left() int { return max(0, d.Limit-d.Shown) }

// limited is whose companies are counted, and the limit.
type limited struct {
	token id.Token // zero for the workspace
	most  int64
}

// whose returns the text for the token of a row; empty for the workspace.
func (l limited) whose() string {
	if l.token.IsZero() {
		return ""
	}
	return l.token.String()
}

// limitsOf returns the limits of the caller, in the order in which their rows are locked.
func (s *Store) limitsOf(ctx context.Context, c auth.Caller) (limits []limited, err error) {
	rules := c.Wall
	if rules == nil {
		if rules, err = read(ctx, s.db.Read(), c); err != nil {
			return nil, err
		}
	}
	if rules.WorkspaceDaily > 0 {
		limits = append(limits, limited{most: rules.WorkspaceDaily})
	}
	if rules.TokenDaily > 0 {
		limits = append(limits, limited{token: c.Token, most: rules.TokenDaily})
	}
	return limits, nil
}

// Show counts the companies that an answer shows to the caller, which must be those that the workspace does not own. A company counts
// once a day for a workspace and for a token, whatever shows it. Nothing is counted of an answer that would exceed a limit:
// DailyLimitExceeded. Without a limit it does nothing, and it writes nothing if all were counted before.
func (s *Store) Show(ctx context.Context, c auth.Caller, companies company.Set) error {
	limits, err := s.limitsOf(ctx, c)
	if err != nil || len(limits) == 0 || companies.IsEmpty() {
		return err
	}
	now := time.Now()
	for _, l := range limits {
		known, err := shownTo(ctx, s.db.Read(), c.Workspace, l, now, "")
		if err != nil {
			return err
		}
		if companies.Minus(known).IsEmpty() {
			continue
		}
		return s.db.Tx(ctx, func(tx *db.Tx) error {
			for _, l := range limits {
				if err := count(ctx, tx, c.Workspace, l, companies, now); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return nil
}

// count adds the companies to those that were shown, under the lock of their row.
func count(ctx context.Context, tx *db.Tx, ws id.Workspace, l limited, companies company.Set, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO shown (workspace_id, token_id, day, companies, size) VALUES ($1, $2, $3, $4, 0)
		ON CONFLICT DO NOTHING`, ws, l.whose(), dayOf(now), company.Set{}.Bytes())
	if err != nil {
		return fmt.Errorf("count companies shown to workspace %s: %w", ws, err)
	}
	known, err := shownTo(ctx, tx, ws, l, now, tx.ForUpdate())
	if err != nil {
		return err
	}
	sum := known.Or(companies)
	if int64(sum.Len()) > l.most && sum.Len() > known.Len() {
		return exceeded(l, known.Len(), sum.Len()-known.Len(), now)
	}
	_, err = tx.ExecContext(ctx, `UPDATE shown SET companies = $4, size = $5 WHERE workspace_id = $1 AND token_id = $2 AND day = $3`,
		ws, l.whose(), dayOf(now), sum.Bytes(), sum.Len())
	if err != nil {
		return fmt.Errorf("count companies shown to workspace %s: %w", ws, err)
	}
	return nil
}

func shownTo(ctx context.Context, q db.Querier, ws id.Workspace, l limited, now time.Time, lock string) (company.Set, error) {
	var packed []byte
	err := q.QueryRowContext(ctx, `SELECT companies FROM shown WHERE workspace_id = $1 AND token_id = $2 AND day = $3`+lock,
		ws, l.whose(), dayOf(now)).Scan(&packed)
	if errors.Is(err, sql.ErrNoRows) {
		return company.Set{}, nil
	}
	var known company.Set
	if err == nil {
		known, err = company.ParseSet(packed)
	}
	if err != nil {
		return company.Set{}, fmt.Errorf("read companies shown to workspace %s: %w", ws, err)
	}
	return known, nil
}

func exceeded(l limited, shown, more int, now time.Time) error {
	whose := "workspace"
	if !l.token.IsZero() {
		whose = "token"
	}
	end := endOf(now)
	return fault.New(fault.DailyLimitExceeded,
		"This answer has %s more companies that the workspace does not own, and the %s may see %s of its %s a day. Owned companies do not count. "+
			"The day ends at %s.", humanize.Comma(int64(more)), whose, humanize.Comma(max(0, l.most-int64(shown))), humanize.Comma(l.most), end.Format(time.RFC3339)).
		With("whose", whose).With("limit", l.most).With("shown", shown).With("resets_at", end).
		With("retry_after", int(end.Sub(now)/time.Second)+1)
}

// Today returns the limit of the caller that leaves least, nil without a limit.
func (s *Store) Today(ctx context.Context, c auth.Caller) (*Daily, error) {
	limits, err := s.limitsOf(ctx, c)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	var least *Daily
	for _, l := range limits {
		d, err := s.today(ctx, c.Workspace, l, now)
		if err != nil {
			return nil, err
		}
		if least == nil || d.Left() < least.Left() {
			least = d
		}
	}
	return least, nil
}

// LimitOf returns the limit of a token, or of the workspace itself if the token is zero; nil if it has none of its own.
func (s *Store) LimitOf(ctx context.Context, ws id.Workspace, token id.Token) (*Daily, error) {
	limits, err := s.limitsOf(ctx, auth.Caller{Workspace: ws, Token: token})
	if err != nil {
		return nil, err
	}
	for _, l := range limits {
		if l.token == token {
			return s.today(ctx, ws, l, time.Now())
		}
	}
	return nil, nil
}

func (s *Store) today(ctx context.Context, ws id.Workspace, l limited, now time.Time) (*Daily, error) {
	d := &Daily{Limit: int(l.most), ResetsAt: endOf(now)}
	err := s.db.Read().QueryRowContext(ctx, `SELECT size FROM shown WHERE workspace_id = $1 AND token_id = $2 AND day = $3`,
		ws, l.whose(), dayOf(now)).Scan(&d.Shown)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("count companies shown to workspace %s: %w", ws, err)
	}
	return d, nil
}

// Prune deletes the counts of earlier days. A server whose clock is a day behind would count again, so yesterday's are kept.
func (s *Store) Prune(ctx context.Context) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM shown WHERE day < $1`, dayOf(time.Now())-1); err != nil {
			return fmt.Errorf("prune companies shown: %w", err)
		}
		return nil
	})
}

const day = 24 * time.Hour

// dayOf returns the number of days since 1970, in UTC.
func dayOf(t time.Time) int64 { return t.Unix() / int64(day/time.Second) }

func endOf(t time.Time) time.Time { return t.UTC().Truncate(day).Add(day) }

package workspace

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/opencapi/capi/internal/auditlog"
	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/db"
	"github.com/opencapi/capi/internal/fault"
	"github.com/opencapi/capi/internal/id"
	"github.com/opencapi/capi/internal/text"
)

// Rename changes the name of the workspace. Faults: Validation, NotFound.
func (s *Store) Rename(ctx context.Context, ws id.Workspace, name string) error {
	name, complaint := text.Name(name, nameLengthMax)
	if complaint != "" {
		return fault.Invalid(fault.FieldError{Field: "name", Message: complaint})
	}
	return s.set(ctx, ws, `name = $2`, name, auditlog.WorkspaceRenamed)
}

// SetExportColumns changes the columns of exports that name none; no columns stand for all. The caller checks the names.
func (s *Store) SetExportColumns(ctx context.Context, ws id.Workspace, names []string) error {
	return s.set(ctx, ws, `export_columns = $2`, strings.Join(names, ","), auditlog.WorkspaceChanged)
}

// SetUnbudgetedTokens changes who may create tokens that can export but have no budget. Existing tokens stay as they are. The caller
// checks the choice.
func (s *Store) SetUnbudgetedTokens(ctx context.Context, ws id.Workspace, choice string) error {
	return s.set(ctx, ws, `unbudgeted_tokens = $2`, choice, auditlog.WorkspaceChanged)
}

// SetVisibleFields changes what the workspace sees of companies that it does not own; no names stand for what the installation
// shows. Validation for an unknown field.
func (s *Store) SetVisibleFields(ctx context.Context, ws id.Workspace, names []string) error {
	if len(names) > 0 {
		var err error
		if names, err = company.ParseVisible(names); err != nil {
			return fault.Invalid(fault.FieldError{Field: "visible_fields", Message: err.Error()})
		}
	}
	return s.set(ctx, ws, `visible_fields = $2`, strings.Join(names, ","), auditlog.VisibleFieldsChanged)
}

// SetDailyCompanies changes how many companies the workspace is shown in a day without owning them; 0 for no limit. Validation for a
// negative number.
func (s *Store) SetDailyCompanies(ctx context.Context, ws id.Workspace, most int64) error {
	if most < 0 {
		return fault.Invalid(fault.FieldError{Field: "daily_companies", Message: "must not be negative; 0 is no limit"})
	}
	return s.set(ctx, ws, `daily_companies = $2`, most, auditlog.DailyCompaniesChanged)
}

// NoteSearch records that someone has searched in the workspace.
func (s *Store) NoteSearch(ctx context.Context, ws id.Workspace) error {
	return s.set(ctx, ws, `searched_at = COALESCE(searched_at, $2)`, db.Time(time.Now()), "")
}

// EndWelcome records that the first steps were finished or closed.
func (s *Store) EndWelcome(ctx context.Context, ws id.Workspace) error {
	return s.set(ctx, ws, `welcomed_at = COALESCE(welcomed_at, $2)`, db.Time(time.Now()), "")
}

// set changes a column to a value. The change is recorded in the audit log if it has an action there and the value is another one.
func (s *Store) set(ctx context.Context, ws id.Workspace, change string, value any, action auditlog.Action) error {
	return s.db.Tx(ctx, func(tx *db.Tx) error {
		setting, _, _ := strings.Cut(change, " =")
		var before, after any
		err := tx.QueryRowContext(ctx, `SELECT `+setting+` FROM workspace WHERE id = $1 AND deleted_at IS NULL`, ws).Scan(&before)
		if errors.Is(err, sql.ErrNoRows) {
			return noWorkspace(ws)
		}
		if err == nil {
			err = tx.QueryRowContext(ctx, `UPDATE workspace SET `+change+` WHERE id = $1 RETURNING `+setting, ws, value).Scan(&after)
		}
		if err != nil {
			return fmt.Errorf("change workspace %s: %w", ws, err)
		}
		if action == "" || before == after {
			return nil
		}
		return auditlog.Record(ctx, tx, auditlog.Event{
			Workspace: ws, Action: action, Subject: "workspace:" + ws.String(), Details: map[string]any{"setting": setting, "value": value},
		})
	})
}

// Delete deletes a workspace that owns nothing: it has no credits and no exports. Nobody is in it any more, and its tokens
// are refused. Its ledger stays. The account must be locked in tx. Faults: Validation if it owns something, NotFound.
func (s *Store) Delete(ctx context.Context, tx *db.Tx, ws id.Workspace) error {
	res, err := tx.ExecContext(ctx, `UPDATE workspace SET deleted_at = $2 WHERE id = $1 AND deleted_at IS NULL
		AND NOT EXISTS (SELECT 1 FROM export e WHERE e.workspace_id = $1)
		AND NOT EXISTS (SELECT 1 FROM account a WHERE a.workspace_id = $1 AND a.balance > 0)`, ws, db.Time(time.Now()))
	if err != nil {
		return fmt.Errorf("delete workspace %s: %w", ws, err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return fault.Invalid(fault.FieldError{Message: "Only a workspace without credits and exports can be deleted."})
	}
	if err != nil {
		return err
	}
	return auditlog.Record(ctx, tx, auditlog.Event{Workspace: ws, Action: auditlog.WorkspaceDeleted, Subject: "workspace:" + ws.String()})
}

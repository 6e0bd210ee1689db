package migrations_test

import (
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"
	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/db/dbtest"
)

// Version 17 revokes the tokens of members who had left before leaving revoked them.
func TestTokensOfFormerMembersAreRevoked(t *testing.T) {
	t.Parallel()
	source := filepath.Join(t.TempDir(), "old.db")
	migrateTo(t, "sqlite", source, goose.DialectSQLite3, 16)
	require.NoError(t, run(t, "sqlite", source, `
		INSERT INTO workspace (id, name, created_at) VALUES ('w', 'Old', 1), ('v', 'Other', 1);
		INSERT INTO member (workspace_id, person, role, joined_at, left_at) VALUES
			('w', 'ann', 'owner', 1, NULL), ('w', 'bob', 'member', 1, 7), ('v', 'bob', 'member', 1, NULL);
		INSERT INTO token (id, workspace_id, owner, name, scope, hash, prefix, created_at) VALUES
			('ann', 'w', 'ann', '', 'read', '1', '', 1), ('bob', 'w', 'bob', '', 'read', '2', '', 1), ('bob-v', 'v', 'bob', '', 'read', '3', '', 1),
			('service', 'w', NULL, '', 'read', '4', '', 1)`))
	d := dbtest.Open(t, source)
	require.Equal(t, []any{"bob", int64(7)}, oneRow(t, d, `SELECT id, revoked_at FROM token WHERE revoked_at IS NOT NULL`))
	require.Equal(t, []any{int64(1)}, oneRow(t, d, `SELECT count(*) FROM token WHERE revoked_at IS NOT NULL`))
}

// Version 24 takes the time of the last sign-in from the audit log.
func TestLastSignInsComeFromTheAuditLog(t *testing.T) {
	t.Parallel()
	source := filepath.Join(t.TempDir(), "old.db")
	migrateTo(t, "sqlite", source, goose.DialectSQLite3, 23)
	require.NoError(t, run(t, "sqlite", source, `
		INSERT INTO person (id, email, name, password, operator, created_at) VALUES ('ann', 'ann@x', '', '', 0, 1), ('bob', 'bob@x', '', '', 0, 1);
		INSERT INTO audit_entry (id, created_at, actor, address, action, subject, name, details) VALUES
			('1', 5, '', '', 'session.signed_in', 'person:ann', '', ''), ('2', 9, '', '', 'session.signed_in', 'person:ann', '', ''),
			('3', 11, '', '', 'session.ended', 'person:ann', '', '')`))
	d := dbtest.Open(t, source)
	require.Equal(t, []any{"ann", int64(9)}, oneRow(t, d, `SELECT id, signed_in_at FROM person WHERE signed_in_at IS NOT NULL`))
}

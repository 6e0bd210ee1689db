-- +goose Up
-- A further scope: reconcile. SQLite cannot change the check of a column, so the column is replaced.
ALTER TABLE token ADD COLUMN new_scope TEXT NOT NULL DEFAULT 'read' CHECK (new_scope IN ('read', 'read_write', 'reconcile'));
UPDATE token SET new_scope = scope;
ALTER TABLE token DROP COLUMN scope;
ALTER TABLE token RENAME COLUMN new_scope TO scope;

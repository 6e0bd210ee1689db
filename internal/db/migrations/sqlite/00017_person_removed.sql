-- +goose Up
-- A person who was removed keeps their row, because the ledger and exports refer to it, but loses the email address.
ALTER TABLE person ADD COLUMN removed_at BIGINT;

-- The tokens of members who had left worked again after another invitation. Leaving now revokes them.
UPDATE token SET revoked_at = (
    SELECT m.left_at FROM member m WHERE m.workspace_id = token.workspace_id AND m.person = token.owner)
WHERE revoked_at IS NULL AND EXISTS (
    SELECT 1 FROM member m WHERE m.workspace_id = token.workspace_id AND m.person = token.owner AND m.left_at IS NOT NULL);

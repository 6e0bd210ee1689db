-- +goose Up
-- What a member may spend in credits, in the console and by the tokens that they created: in total, and in a calendar month (UTC).
-- NULL for no bound.
ALTER TABLE member ADD COLUMN budget BIGINT CHECK (budget >= 0);
ALTER TABLE member ADD COLUMN budget_month BIGINT CHECK (budget_month >= 0);

-- The member who created the token; NULL for the command line. Unlike owner, it stays when the token belongs to the workspace.
ALTER TABLE token ADD COLUMN created_by TEXT;
UPDATE token SET created_by = COALESCE(owner, (
    SELECT p.id FROM audit_entry a JOIN person p ON p.id = substr(a.actor, 8)
    WHERE a.action = 'token.created' AND a.subject = 'token:' || token.id LIMIT 1));
CREATE INDEX token_created_by ON token (created_by, workspace_id);

-- What a member has bought in the console is the sum over their exports.
CREATE INDEX export_person ON export (person_id, workspace_id, created_at, credits_charged, credits_refunded)
    WHERE person_id IS NOT NULL AND credits_charged > 0;

-- Who may create tokens that can export but have no budget.
ALTER TABLE workspace ADD COLUMN unbudgeted_tokens TEXT NOT NULL DEFAULT 'everyone'
    CHECK (unbudgeted_tokens IN ('everyone', 'owners', 'nobody'));

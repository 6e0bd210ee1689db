-- +goose Up
-- What a token may spend in credits: in total, and in a calendar month (UTC). NULL for no bound.
ALTER TABLE token ADD COLUMN budget BIGINT CHECK (budget >= 0);
ALTER TABLE token ADD COLUMN budget_month BIGINT CHECK (budget_month >= 0);
-- What a token has spent is the sum over its exports.
CREATE INDEX export_token ON export (token_id, created_at, credits_charged, credits_refunded) WHERE credits_charged > 0;

-- The newest seq of the workspace's unlock log after the purchase: the receipt is read backwards from there.
-- 0 for exports that are older than this column.
ALTER TABLE export ADD COLUMN unlock_seq BIGINT NOT NULL DEFAULT 0;

-- Exports that deliver nothing but were not fully refunded, because another export delivers what they paid for.
CREATE INDEX export_owing ON export (workspace_id)
    WHERE status IN ('failed', 'cancelled') AND credits_charged > credits_refunded;

-- Finished jobs are kept for a while.
CREATE INDEX job_over ON job (updated_at) WHERE state IN ('done', 'buried');

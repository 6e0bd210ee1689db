-- +goose Up
-- Jobs, kept for a while after they have ended. worker runs the job until lease_until, unless it renews the lease; after
-- that, any worker may take the job over.
CREATE TABLE job (
    id           TEXT PRIMARY KEY,
    kind         TEXT NOT NULL,
    payload      TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('queued', 'running', 'done', 'buried')),
    run_at       BIGINT NOT NULL,
    attempt      BIGINT NOT NULL,
    attempts_max BIGINT NOT NULL,
    worker       TEXT,
    lease_until  BIGINT,
    error        TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    CHECK ((state = 'running') = (worker IS NOT NULL AND lease_until IS NOT NULL))
);

CREATE INDEX job_queued ON job (run_at, id) WHERE state = 'queued';
CREATE INDEX job_running ON job (lease_until) WHERE state = 'running';

-- +goose Up
-- Standing orders: exports that a workspace wants again and again.
CREATE TABLE standing_order (
    id                TEXT PRIMARY KEY,
    workspace_id      TEXT NOT NULL REFERENCES workspace (id),
    token_id          TEXT,            -- in whose name it buys: a token
    person_id         TEXT,            -- or a member
    name              TEXT NOT NULL,
    deliver           TEXT NOT NULL CHECK (deliver IN ('added', 'changed', 'left', 'all')),
    request           TEXT NOT NULL,   -- what each run exports, as JSON
    cron              TEXT NOT NULL,   -- empty for an order that runs after imports
    time_zone         TEXT NOT NULL,
    missed            TEXT NOT NULL CHECK (missed IN ('catch_up', 'skip')),
    above_cap         TEXT NOT NULL CHECK (above_cap IN ('skip', 'fill')),
    max_credits       BIGINT,          -- of one run; NULL for no limit
    max_credits_total BIGINT,          -- of all runs; NULL for no limit
    ends_at           BIGINT,
    created_at        BIGINT NOT NULL,
    revision          BIGINT NOT NULL, -- grows with each change and each run
    next_at           BIGINT,          -- of the schedule; NULL if it has no next run
    imports           BIGINT NOT NULL, -- how many imports had ended when it last ran after one, or was created
    paused_at         BIGINT,
    paused_why        TEXT NOT NULL,   -- empty unless it is paused
    claimed_until     BIGINT,          -- until then no other server runs it
    delayed_why       TEXT NOT NULL    -- why a run that is due has not succeeded yet; else empty
);
CREATE INDEX standing_order_workspace ON standing_order (workspace_id, id);
CREATE INDEX standing_order_next ON standing_order (next_at) WHERE next_at IS NOT NULL;

-- What an order remembers of its source.
CREATE TABLE order_memory (
    order_id  TEXT PRIMARY KEY,
    seq       BIGINT NOT NULL, -- of the catalog: later changes are new to the order
    companies BYTEA NOT NULL    -- delivered already or known from the start; for 'left', those that were in the source and owned
);

-- The runs of orders. A scheduled instant has one run.
CREATE TABLE order_run (
    id              TEXT PRIMARY KEY, -- a UUID of version 7
    order_id        TEXT NOT NULL,
    scheduled_at    BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    cause           TEXT NOT NULL CHECK (cause IN ('creation', 'schedule', 'import', 'request')),
    status          TEXT NOT NULL CHECK (status IN ('baseline', 'exported', 'nothing_new', 'skipped')),
    export_id       TEXT,             -- NULL unless exported
    missed          BIGINT NOT NULL,  -- earlier scheduled instants that had no run
    code            TEXT NOT NULL,    -- why nothing was exported, like message
    message         TEXT NOT NULL,
    taken_back      BIGINT NOT NULL   -- 1 once the order has forgotten what its export, which failed or was cancelled, did not deliver
);
CREATE UNIQUE INDEX order_run_scheduled ON order_run (order_id, scheduled_at);
CREATE INDEX order_run_order ON order_run (order_id, id);
CREATE UNIQUE INDEX order_run_export ON order_run (export_id) WHERE export_id IS NOT NULL;
CREATE INDEX order_run_created ON order_run (created_at) WHERE export_id IS NULL;

-- +goose Up
-- Webhooks: where the events of a workspace are sent.
CREATE TABLE webhook (
    id            TEXT PRIMARY KEY,
    workspace_id  TEXT NOT NULL REFERENCES workspace (id),
    url           TEXT NOT NULL,
    description   TEXT NOT NULL,
    types         TEXT NOT NULL, -- a JSON array of the names that select types; empty for all
    secret        BLOB NOT NULL,   -- encrypted, like old_secret
    old_secret    BLOB,            -- the secret before the last rotation, used as well until old_until
    old_until     BIGINT,
    created_at    BIGINT NOT NULL,
    failing_since BIGINT,        -- the first failed attempt since the last success
    disabled_at   BIGINT,
    disabled_why  TEXT NOT NULL  -- empty unless it is disabled
);
CREATE UNIQUE INDEX webhook_url ON webhook (workspace_id, url);

-- Deliveries of events, for 30 days.
CREATE TABLE webhook_delivery (
    id           TEXT PRIMARY KEY, -- a UUID of version 7
    webhook_id   TEXT NOT NULL,
    event_id     TEXT NOT NULL,
    event_type   TEXT NOT NULL,
    state        TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts     BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    attempted_at BIGINT,           -- the last attempt, like the next four
    next_at      BIGINT,           -- NULL unless there is another attempt
    status       BIGINT,           -- of the answer; NULL without one
    took_us      BIGINT,
    response     TEXT NOT NULL,    -- the begin of the answer's body
    error        TEXT NOT NULL
);
CREATE INDEX webhook_delivery_webhook ON webhook_delivery (webhook_id, id);
CREATE INDEX webhook_delivery_created ON webhook_delivery (created_at);

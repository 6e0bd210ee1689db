-- +goose Up
-- The log of events of each workspace. Rows are added in the transaction of what they report, without a number. They are numbered
-- after its commit, under the lock of event_state, so that the numbers become visible in their order.
CREATE TABLE event (
    id           TEXT PRIMARY KEY, -- a UUID of version 7
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    seq          BIGINT,           -- NULL until it is numbered
    type         TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    data         TEXT NOT NULL     -- a JSON object
);
CREATE UNIQUE INDEX event_seq ON event (workspace_id, seq);
CREATE INDEX event_new ON event (id) WHERE seq IS NULL;
CREATE INDEX event_created ON event (created_at);

-- One row: the newest number.
CREATE TABLE event_state (
    id  SMALLINT PRIMARY KEY CHECK (id = 1),
    seq BIGINT NOT NULL
);
INSERT INTO event_state (id, seq) VALUES (1, 0);

-- A charge that takes the balance below low_balance is reported as an event; NULL for never.
ALTER TABLE account ADD COLUMN low_balance BIGINT;

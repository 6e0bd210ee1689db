-- +goose Up
-- Exports. The figures are set at creation and never change. The charge is the size of the unlock delta.
CREATE TABLE export (
    id                TEXT PRIMARY KEY,
    workspace_id      TEXT NOT NULL REFERENCES workspace (id),
    token_id          TEXT NOT NULL,
    job_id            TEXT NOT NULL,
    name              TEXT NOT NULL,
    source_type       TEXT NOT NULL,
    list_id           TEXT,          -- for source_type list; the list may have been deleted
    filters           TEXT,          -- for source_type search: JSON as the client sent it
    sort              TEXT NOT NULL,
    format            TEXT NOT NULL,
    options           TEXT NOT NULL, -- JSON
    status            TEXT NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed')),
    requested_count   BIGINT NOT NULL,
    already_unlocked  BIGINT NOT NULL,
    new_count         BIGINT NOT NULL,
    credits_charged   BIGINT NOT NULL,
    balance_before    BIGINT NOT NULL,
    capped            SMALLINT NOT NULL,
    transaction_id    TEXT,          -- the ledger entry; NULL if nothing was charged
    credits_refunded  BIGINT NOT NULL DEFAULT 0,
    refund_id         TEXT,          -- the ledger entry of the refund
    as_of             BIGINT NOT NULL, -- the catalog's seq at which the rows are read
    processed_records BIGINT NOT NULL DEFAULT 0,
    size_bytes        BIGINT NOT NULL DEFAULT 0,
    sha256            BLOB,
    error             TEXT NOT NULL DEFAULT '',
    created_at        BIGINT NOT NULL,
    completed_at      BIGINT,
    CHECK (already_unlocked + new_count = requested_count AND credits_charged = new_count)
);
CREATE INDEX export_workspace ON export (workspace_id, created_at, id);
CREATE INDEX export_unfinished ON export (as_of) WHERE status IN ('pending', 'processing');

-- The companies that an export delivers: their numbers as little-endian 32-bit integers, in the order of the file's rows.
-- In a table of its own, so that updates of the export's progress do not rewrite it.
CREATE TABLE export_selection (
    export_id TEXT PRIMARY KEY REFERENCES export (id),
    companies BLOB NOT NULL
);

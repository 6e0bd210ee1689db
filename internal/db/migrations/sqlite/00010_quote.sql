-- +goose Up
-- Quotes: a selection and its price, which do not change until expires_at.
CREATE TABLE quote (
    id              TEXT PRIMARY KEY,
    workspace_id    TEXT NOT NULL REFERENCES workspace (id),
    token_id        TEXT NOT NULL,   -- the token that requested it
    source_type     TEXT NOT NULL,
    list_id         TEXT,            -- as in export, like the next two
    filters         TEXT,
    sort            TEXT NOT NULL,
    terms           TEXT NOT NULL,   -- JSON
    format          TEXT NOT NULL,
    options         TEXT NOT NULL,   -- JSON
    requested_count BIGINT NOT NULL, -- number of matches under the terms; companies may be fewer
    capped          SMALLINT NOT NULL,
    cost            BIGINT NOT NULL CHECK (cost >= 0),
    companies       BLOB,            -- as in export_selection; NULL some time after the quote has expired
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);
CREATE INDEX quote_kept ON quote (expires_at) WHERE companies IS NOT NULL;
CREATE INDEX quote_emptied ON quote (expires_at) WHERE companies IS NULL;

-- An export may skip companies that cannot be paid for, may come from a quote, and may be cancelled. A CHECK cannot be
-- changed in place, so this table and the one that refers to it are created again.
CREATE TABLE export_next (
    id                TEXT PRIMARY KEY,
    workspace_id      TEXT NOT NULL REFERENCES workspace (id),
    token_id          TEXT NOT NULL,
    job_id            TEXT NOT NULL,
    quote_id          TEXT,          -- the quote that it was bought with, which may have been deleted
    name              TEXT NOT NULL,
    source_type       TEXT NOT NULL,
    list_id           TEXT,          -- for source_type list; the list may have been deleted
    filters           TEXT,          -- for source_type search: JSON as the client sent it
    sort              TEXT NOT NULL,
    terms             TEXT NOT NULL, -- JSON
    format            TEXT NOT NULL,
    options           TEXT NOT NULL, -- JSON
    status            TEXT NOT NULL CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    requested_count   BIGINT NOT NULL,
    already_unlocked  BIGINT NOT NULL,
    new_count         BIGINT NOT NULL,
    would_skip        BIGINT NOT NULL CHECK (would_skip >= 0), -- new companies that the file leaves out
    credits_charged   BIGINT NOT NULL CHECK (credits_charged >= 0),
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
    CHECK (already_unlocked + new_count = requested_count AND credits_charged + would_skip = new_count)
);
INSERT INTO export_next (id, workspace_id, token_id, job_id, name, source_type, list_id, filters, sort, terms, format,
        options, status, requested_count, already_unlocked, new_count, would_skip, credits_charged, balance_before, capped,
        transaction_id, credits_refunded, refund_id, as_of, processed_records, size_bytes, sha256, error, created_at,
        completed_at)
    SELECT id, workspace_id, token_id, job_id, name, source_type, list_id, filters, sort, '{}', format,
        options, status, requested_count, already_unlocked, new_count, 0, credits_charged, balance_before, capped,
        transaction_id, credits_refunded, refund_id, as_of, processed_records, size_bytes, sha256, error, created_at,
        completed_at
    FROM export;

CREATE TABLE export_selection_next (
    export_id TEXT PRIMARY KEY REFERENCES export_next (id),
    companies BLOB NOT NULL
);
INSERT INTO export_selection_next (export_id, companies) SELECT export_id, companies FROM export_selection;

DROP TABLE export_selection;
DROP TABLE export;
ALTER TABLE export_next RENAME TO export;
ALTER TABLE export_selection_next RENAME TO export_selection;
CREATE INDEX export_workspace ON export (workspace_id, created_at, id);
CREATE INDEX export_unfinished ON export (as_of) WHERE status IN ('pending', 'processing');

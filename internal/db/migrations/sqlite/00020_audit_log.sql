-- +goose Up
-- The audit log: who did what and when. Rows are only ever added, in the transaction of what they report.
CREATE TABLE audit_entry (
    id           TEXT PRIMARY KEY,      -- a UUID of version 7, so in the order of creation
    created_at   BIGINT NOT NULL,
    workspace_id TEXT REFERENCES workspace (id), -- NULL for the whole installation
    actor        TEXT NOT NULL,         -- as in the ledger: person:ID, token:ID, person:LOGIN of a command, or system
    address      TEXT NOT NULL,         -- of the client; empty for commands and the system
    action       TEXT NOT NULL,
    subject      TEXT NOT NULL,         -- what it was done to: kind:ID
    name         TEXT NOT NULL,         -- the subject's name at that time
    details      TEXT NOT NULL          -- a JSON object
);
CREATE INDEX audit_entry_workspace ON audit_entry (workspace_id, id);

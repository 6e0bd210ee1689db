-- +goose Up
-- What a workspace can spend. balance is the sum of its entries and seq the number of the newest; one statement updates both.
CREATE TABLE account (
    workspace_id TEXT PRIMARY KEY REFERENCES workspace (id),
    balance      BIGINT NOT NULL CHECK (balance >= 0),
    seq          BIGINT NOT NULL
);

-- The ledger. Rows are only added. seq counts a workspace's entries from 1 without gaps.
CREATE TABLE entry (
    id            TEXT PRIMARY KEY,
    workspace_id  TEXT NOT NULL REFERENCES account (workspace_id),
    seq           BIGINT NOT NULL,
    amount        BIGINT NOT NULL CHECK (amount <> 0),
    balance_after BIGINT NOT NULL CHECK (balance_after >= 0),
    reason        TEXT NOT NULL,
    reference     TEXT, -- what was paid for, such as export:<id>:create; unique, so nothing is paid for twice
    note          TEXT NOT NULL,
    actor         TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    UNIQUE (workspace_id, seq),
    UNIQUE (workspace_id, reference)
);

-- +goose Up
-- One row for each import: its source and its outcome.
CREATE TABLE import (
    number      BIGINT NOT NULL PRIMARY KEY,
    files       TEXT NOT NULL, -- a JSON array of names
    started_at  BIGINT NOT NULL,
    finished_at BIGINT,
    undone_at   BIGINT,
    figures     TEXT NOT NULL  -- a JSON object of counts
);

-- The companies that one transaction of an import added: the numbers from first to last.
CREATE TABLE import_added (
    import BIGINT NOT NULL,
    first  BIGINT NOT NULL,
    last   BIGINT NOT NULL,
    PRIMARY KEY (import, first)
);

-- Records of companies before an import updated them. written is a hash of the record that the import wrote.
CREATE TABLE import_past (
    import  BIGINT NOT NULL,
    number  BIGINT NOT NULL,
    written BIGINT NOT NULL,
    record  BYTEA NOT NULL,
    PRIMARY KEY (import, number)
);

-- The import that added the connection.
ALTER TABLE connection ADD COLUMN import BIGINT;
CREATE INDEX connection_import ON connection (import) WHERE import IS NOT NULL;

-- One row: the removed companies, as a roaring bitmap of their numbers. They keep number and id, and their record is
-- empty. A removal locks the row for update, a purchase for share.
CREATE TABLE company_removed (
    id        SMALLINT PRIMARY KEY CHECK (id = 1),
    companies BYTEA NOT NULL
);
INSERT INTO company_removed (id, companies) VALUES (1, '');

-- Identifies this catalog to the index on disk. No company could, since each may be removed.
ALTER TABLE catalog_state ADD COLUMN origin TEXT NOT NULL DEFAULT '';
UPDATE catalog_state SET origin = replace(gen_random_uuid()::text, '-', '');

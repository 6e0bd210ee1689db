-- +goose Up
-- When each transaction changed the catalog: at is the time, and number the first number that it gave to a new company, or would have.
CREATE TABLE catalog_moment (
    seq    INTEGER PRIMARY KEY,
    at     BIGINT NOT NULL,
    number BIGINT NOT NULL
);
CREATE INDEX catalog_moment_at ON catalog_moment (at, seq, number);
-- The last transaction before moments were kept, and the time from which they are.
ALTER TABLE catalog_state ADD COLUMN moments_after BIGINT NOT NULL DEFAULT 0;
ALTER TABLE catalog_state ADD COLUMN moments_from BIGINT NOT NULL DEFAULT 0;
UPDATE catalog_state SET moments_after = seq, moments_from = CAST(strftime('%s', 'now') AS INTEGER) * 1000000;

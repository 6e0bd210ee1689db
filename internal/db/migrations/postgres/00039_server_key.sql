-- +goose Up
-- The SHA-256 of the key that signs links and encrypts secrets, which all servers of the database must have. One row at most.
CREATE TABLE server_key (
    id          SMALLINT NOT NULL PRIMARY KEY CHECK (id = 1),
    fingerprint BYTEA NOT NULL,
    accepted_at BIGINT NOT NULL
);

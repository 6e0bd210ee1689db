-- +goose Up
-- What only one server may do at a time, and who does it until when, by the database's clock.
CREATE TABLE lease (
    name       TEXT   NOT NULL PRIMARY KEY,
    holder     TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);

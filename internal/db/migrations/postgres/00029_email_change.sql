-- +goose Up
-- Links that confirm the address to which a person wants to change their email. The secret is stored only as its SHA-256.
CREATE TABLE email_change (
    hash       BYTEA NOT NULL PRIMARY KEY,
    person_id  TEXT NOT NULL REFERENCES person (id),
    email      TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX email_change_person ON email_change (person_id);

-- Jobs that have ended lose their payload, which may have what people typed, such as an email address.
UPDATE job SET payload = 'null' WHERE state IN ('done', 'buried');

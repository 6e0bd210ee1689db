-- +goose Up
-- Two-factor sign-in of people: a secret that they share with an app, which computes a code of it every 30 seconds (RFC 6238).
CREATE TABLE two_factor (
    person_id  TEXT PRIMARY KEY REFERENCES person (id),
    secret     BYTEA NOT NULL,   -- encrypted with a key that is not in the database
    period     BIGINT NOT NULL, -- of the last code that was used; codes of it and of earlier ones are refused
    created_at BIGINT NOT NULL,
    enabled_at BIGINT           -- NULL until a code has shown that the app has the secret
);

-- Codes for when the app is lost. Each works once.
CREATE TABLE recovery_code (
    person_id TEXT NOT NULL REFERENCES person (id),
    hash      BYTEA NOT NULL, -- SHA-256
    used_at   BIGINT,
    PRIMARY KEY (person_id, hash)
);

-- Who has given their password in this browser, and must still give a code. Then person_id is NULL.
ALTER TABLE session ADD COLUMN awaiting TEXT REFERENCES person (id);
CREATE INDEX session_awaiting ON session (awaiting);

-- When the person last signed in; NULL for never.
ALTER TABLE person ADD COLUMN signed_in_at BIGINT;
UPDATE person SET signed_in_at = (
    SELECT max(a.created_at) FROM audit_entry a WHERE a.action = 'session.signed_in' AND a.subject = 'person:' || person.id);

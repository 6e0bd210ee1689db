-- +goose Up
-- The passkeys of people: key pairs whose private keys stay in their devices (Web Authentication, W3C).
CREATE TABLE passkey (
    id            TEXT PRIMARY KEY,
    person_id     TEXT NOT NULL REFERENCES person (id),
    credential_id BYTEA NOT NULL UNIQUE, -- by which a device finds its private key
    credential    BYTEA NOT NULL,        -- public key, signature counter and flags, as JSON
    name          TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    used_at       BIGINT              -- NULL for never
);
CREATE INDEX passkey_person ON passkey (person_id);

-- Challenges that a passkey is to sign, until they are used. The secret is stored only as its SHA-256; the browser's session has it.
CREATE TABLE passkey_challenge (
    hash       BYTEA NOT NULL PRIMARY KEY,
    purpose    TEXT NOT NULL CHECK (purpose IN ('add', 'sign_in', 'prove')),
    person_id  TEXT REFERENCES person (id), -- NULL for a sign-in, before it is known who signs in
    data       BYTEA NOT NULL,                 -- the challenge and what was asked for, as JSON
    expires_at BIGINT NOT NULL
);
CREATE INDEX passkey_challenge_expires ON passkey_challenge (expires_at);

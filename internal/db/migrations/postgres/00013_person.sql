-- +goose Up
-- People who sign in to the console. password is an argon2id hash in its usual text form, empty for a person who
-- signs in only through an OpenID provider. member.person and token.owner are ids of people.
CREATE TABLE person (
    id         TEXT PRIMARY KEY,
    email      TEXT NOT NULL UNIQUE, -- in lower case
    name       TEXT NOT NULL,
    password   TEXT NOT NULL,
    operator   SMALLINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- The identities of people at OpenID providers.
CREATE TABLE identity (
    issuer     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    person_id  TEXT NOT NULL REFERENCES person (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);

-- Browsers that are signed in, or about to be (person_id is NULL). The cookie's secret is stored only as its SHA-256.
CREATE TABLE session (
    id         TEXT PRIMARY KEY,
    hash       BYTEA NOT NULL UNIQUE,
    person_id  TEXT REFERENCES person (id),
    data       BYTEA NOT NULL,
    address    TEXT NOT NULL,
    agent      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL, -- accurate to about a minute
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_person ON session (person_id);
CREATE INDEX session_expires ON session (expires_at);

-- Invitation links, which work once. The secret is stored only as its SHA-256.
CREATE TABLE invitation (
    id           TEXT PRIMARY KEY,
    hash         BYTEA NOT NULL UNIQUE,
    kind         TEXT NOT NULL CHECK (kind IN ('first', 'operator', 'member', 'password')),
    workspace_id TEXT REFERENCES workspace (id), -- of a member
    role         TEXT NOT NULL,                  -- of a member; else empty
    email        TEXT NOT NULL,                  -- of the invited person; empty if anyone with the link may use it
    person_id    TEXT REFERENCES person (id),    -- whose password it resets
    invited_by   TEXT REFERENCES person (id),    -- NULL if it was made at the command line
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    used_at      BIGINT,
    CHECK ((kind = 'member') = (workspace_id IS NOT NULL)),
    CHECK ((kind = 'password') = (person_id IS NOT NULL))
);
CREATE INDEX invitation_workspace ON invitation (workspace_id);

-- Who created the export in the console. token_id is then an id of no token, as in a quote.
ALTER TABLE export ADD COLUMN person_id TEXT;

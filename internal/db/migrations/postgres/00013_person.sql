-- +goose Up
-- People who sign in to the console. password is an argon2id hash in its usual text form, empty for one who only comes
-- by way of an OpenID provider. member.person and token.owner are ids of people.
CREATE TABLE person (
    id         TEXT PRIMARY KEY,
    email      TEXT NOT NULL UNIQUE, -- in lower case
    name       TEXT NOT NULL,
    password   TEXT NOT NULL,
    operator   SMALLINT NOT NULL,
    created_at BIGINT NOT NULL
);

-- Who a person is at an OpenID provider.
CREATE TABLE identity (
    issuer     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    person_id  TEXT NOT NULL REFERENCES person (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);

-- Browsers that are signed in, or on the way to it (person_id is NULL). The cookie's secret is kept as its SHA-256 alone.
CREATE TABLE session (
    id         TEXT PRIMARY KEY,
    hash       BYTEA NOT NULL UNIQUE,
    person_id  TEXT REFERENCES person (id),
    data       BYTEA NOT NULL,
    address    TEXT NOT NULL,
    agent      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL, -- to about a minute
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_person ON session (person_id);
CREATE INDEX session_expires ON session (expires_at);

-- Links that let someone in once; the secret is kept as its SHA-256 alone.
CREATE TABLE invitation (
    id           TEXT PRIMARY KEY,
    hash         BYTEA NOT NULL UNIQUE,
    kind         TEXT NOT NULL CHECK (kind IN ('first', 'operator', 'member', 'password')),
    workspace_id TEXT REFERENCES workspace (id), -- of a member
    role         TEXT NOT NULL,                  -- of a member; else empty
    email        TEXT NOT NULL,                  -- whom it is for; empty for whoever has the link
    person_id    TEXT REFERENCES person (id),    -- whose password it sets anew
    invited_by   TEXT REFERENCES person (id),    -- NULL if it was made at the command line
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    used_at      BIGINT,
    CHECK ((kind = 'member') = (workspace_id IS NOT NULL)),
    CHECK ((kind = 'password') = (person_id IS NOT NULL))
);
CREATE INDEX invitation_workspace ON invitation (workspace_id);

-- Who created the export in the console; token_id is the id of none then, as in a quote.
ALTER TABLE export ADD COLUMN person_id TEXT;

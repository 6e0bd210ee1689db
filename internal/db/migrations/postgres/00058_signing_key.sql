-- +goose Up
-- The keys that sign manifests, receipts and statements. Public keys stay, so that what they have signed can be verified.
CREATE TABLE signing_key (
    number     BIGINT NOT NULL PRIMARY KEY, -- 1, 2, 3 and so on
    kid        TEXT NOT NULL UNIQUE,        -- the SHA-256 thumbprint of the public key (RFC 7638)
    public     BYTEA NOT NULL,
    private    BYTEA,                       -- encrypted; NULL once a later key signs
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    revoked_at BIGINT
);

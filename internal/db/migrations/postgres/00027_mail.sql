-- +goose Up
-- Further secrets of an invitation's link: each email has its own, which is created when it is sent and stored only as its SHA-256.
CREATE TABLE invitation_secret (
    hash          BYTEA NOT NULL PRIMARY KEY,
    invitation_id TEXT NOT NULL REFERENCES invitation (id) ON DELETE CASCADE
);
CREATE INDEX invitation_secret_invitation ON invitation_secret (invitation_id);

-- The job that sends the link by email; NULL if it is not sent.
ALTER TABLE invitation ADD COLUMN mail_job TEXT;

-- Whether the person who created the export is told by email when it completes or fails.
ALTER TABLE export ADD COLUMN notify SMALLINT NOT NULL DEFAULT 0;

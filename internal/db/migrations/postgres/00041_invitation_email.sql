-- +goose Up
-- To which address the secret was sent, if the invitation does not name one.
ALTER TABLE invitation_secret ADD COLUMN email TEXT NOT NULL DEFAULT '';

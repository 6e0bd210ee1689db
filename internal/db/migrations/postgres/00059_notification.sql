-- +goose Up
-- What members are told by email: the end of their exports, unless they choose otherwise at an export, and low credits.
ALTER TABLE member ADD COLUMN mail_exports SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN mail_low SMALLINT NOT NULL DEFAULT 0;

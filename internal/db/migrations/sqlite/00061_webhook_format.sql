-- +goose Up
-- What a webhook is sent: the event, or a sentence about it as the text of a message.
ALTER TABLE webhook ADD COLUMN format TEXT NOT NULL DEFAULT 'event';

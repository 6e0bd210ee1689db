-- +goose Up
-- The address to which the person wants to change their email, until an operator confirms or declines it. It may be taken: only
-- operators learn that.
ALTER TABLE person ADD COLUMN wanted_email TEXT;

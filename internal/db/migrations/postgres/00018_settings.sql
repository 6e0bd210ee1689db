-- +goose Up
-- The settings of a workspace, and how far its first steps are. A deleted workspace keeps its rows, and nobody is in it.
ALTER TABLE workspace ADD COLUMN export_columns TEXT NOT NULL DEFAULT ''; -- names separated by commas; empty for all columns
ALTER TABLE workspace ADD COLUMN searched_at BIGINT;
ALTER TABLE workspace ADD COLUMN welcomed_at BIGINT; -- when the first steps were finished or closed
ALTER TABLE workspace ADD COLUMN deleted_at BIGINT;

-- How the console looks to the person: light or dark; empty for the system's choice.
ALTER TABLE person ADD COLUMN theme TEXT NOT NULL DEFAULT '';

-- +goose Up
-- How many matches the quote left out because they were on an excluded list, so that the export of the quote can say so too.
ALTER TABLE quote ADD COLUMN excluded_count BIGINT NOT NULL DEFAULT 0;

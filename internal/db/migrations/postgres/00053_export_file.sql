-- +goose Up
-- The file of a completed export: when it was written, NULL while there is none, its revision, how many revisions were begun, and when its
-- rows were read, NULL if they are those of the purchase.
ALTER TABLE export ADD COLUMN file_at BIGINT;
ALTER TABLE export ADD COLUMN file_revision BIGINT NOT NULL DEFAULT 0;
ALTER TABLE export ADD COLUMN file_begun BIGINT NOT NULL DEFAULT 0;
ALTER TABLE export ADD COLUMN rows_as_of BIGINT;
UPDATE export SET file_at = completed_at WHERE status = 'completed';
CREATE INDEX export_file ON export (file_at) WHERE file_at IS NOT NULL;
-- The seq from which on earlier states of the companies are kept.
ALTER TABLE catalog_state ADD COLUMN past_from BIGINT NOT NULL DEFAULT 0;
UPDATE catalog_state SET past_from = seq;

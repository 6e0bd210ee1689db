-- +goose Up
-- Checkpoints: an index on disk writes one here whenever it is saved, and stores its name. A catalog without the index's
-- checkpoint has another history than the index, for example because it was restored from a backup.
CREATE TABLE catalog_mark (
    index_id  TEXT NOT NULL,
    mark      TEXT NOT NULL,
    seq       BIGINT NOT NULL, -- the catalog's seq that the index has applied
    marked_at BIGINT NOT NULL,
    PRIMARY KEY (index_id, mark)
);

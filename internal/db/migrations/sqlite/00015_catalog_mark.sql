-- +goose Up
-- What an index on a disk leaves here whenever it is saved, and names there: a catalog that does not hold an index's mark
-- has another past than the index, as one that was restored from a backup.
CREATE TABLE catalog_mark (
    index_id  TEXT NOT NULL,
    mark      TEXT NOT NULL,
    seq       BIGINT NOT NULL, -- up to which the index knows the catalog
    marked_at BIGINT NOT NULL,
    PRIMARY KEY (index_id, mark)
);

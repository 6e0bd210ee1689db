-- +goose Up
-- Connections without an index of all identities, whose hashes would have each batch of an import write pages all over it. A connection is
-- found by its source; only one with an unknown end is found by its identity.
CREATE TABLE connection_next (
    identity      BIGINT NOT NULL,
    source        BIGINT,
    target        BIGINT,
    category      TEXT NOT NULL,
    source_id     TEXT NOT NULL,
    source_name   TEXT NOT NULL,
    source_domain TEXT NOT NULL,
    target_id     TEXT NOT NULL,
    target_name   TEXT NOT NULL,
    target_domain TEXT NOT NULL,
    import        BIGINT
);
INSERT INTO connection_next
SELECT identity, source, target, category, source_id, source_name, source_domain, target_id, target_name, target_domain, import
FROM connection ORDER BY source;

-- The sources of connections by their targets, in a small and a large table like company_key. A pair may outlive its connection.
CREATE TABLE connection_by_target_old (
    target BIGINT NOT NULL,
    source BIGINT NOT NULL,
    PRIMARY KEY (target, source)
) WITHOUT ROWID;

CREATE TABLE connection_by_target_new (
    target BIGINT NOT NULL,
    source BIGINT NOT NULL,
    PRIMARY KEY (target, source)
) WITHOUT ROWID;

CREATE VIEW connection_by_target AS
    SELECT target, source FROM connection_by_target_old UNION ALL SELECT target, source FROM connection_by_target_new;

INSERT OR IGNORE INTO connection_by_target_old (target, source)
SELECT target, source FROM connection WHERE source IS NOT NULL AND target IS NOT NULL ORDER BY target;

DROP TABLE connection;
ALTER TABLE connection_next RENAME TO connection;
CREATE INDEX connection_source ON connection (source) WHERE source IS NOT NULL;
CREATE INDEX connection_import ON connection (import) WHERE import IS NOT NULL;
CREATE INDEX connection_open ON connection (identity) WHERE source IS NULL OR target IS NULL;
CREATE INDEX connection_target_open ON connection (target) WHERE source IS NULL AND target IS NOT NULL;

-- +goose StatementBegin
CREATE TRIGGER connection_by_target_add AFTER INSERT ON connection WHEN NEW.source IS NOT NULL AND NEW.target IS NOT NULL BEGIN
    INSERT INTO connection_by_target_new (target, source) VALUES (NEW.target, NEW.source) ON CONFLICT DO NOTHING;
END;
-- +goose StatementEnd

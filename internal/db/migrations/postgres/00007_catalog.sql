-- +goose Up
-- One row: the newest sequence number and the number that the next company gets. A transaction that writes the
-- catalog locks the row until it ends, so the order of commits is the order of seq.
CREATE TABLE catalog_state (
    id          SMALLINT PRIMARY KEY CHECK (id = 1),
    seq         BIGINT NOT NULL,
    next_number BIGINT NOT NULL CHECK (next_number BETWEEN 1 AND 4294967296)
);
INSERT INTO catalog_state (id, seq, next_number) VALUES (1, 0, 1);

-- record and connections are the encoded company; the keys are 32-bit hashes of the values by which companies are matched.
CREATE TABLE company (
    number      BIGINT PRIMARY KEY,
    id          TEXT NOT NULL,
    domain_key  BIGINT,
    name_key    BIGINT NOT NULL,
    place_key   BIGINT NOT NULL, -- of country, state, city and domain together
    seq         BIGINT NOT NULL,
    record      BYTEA NOT NULL,
    connections BYTEA
);
CREATE UNIQUE INDEX company_id ON company (id);
CREATE INDEX company_domain ON company (domain_key) WHERE domain_key IS NOT NULL;
CREATE INDEX company_name ON company (name_key, place_key);
CREATE INDEX company_seq ON company (seq);

-- Past records of companies, valid from seq up to, but not including, until: for exports that were bought in that time.
CREATE TABLE company_past (
    number      BIGINT NOT NULL,
    seq         BIGINT NOT NULL,
    until       BIGINT NOT NULL,
    record      BYTEA NOT NULL,
    connections BYTEA,
    PRIMARY KEY (number, seq)
);
CREATE INDEX company_past_until ON company_past (until);

-- Connections as imported. source and target are NULL while the catalog does not know the company.
-- identity is a 64-bit hash of all imported values.
CREATE TABLE connection (
    identity      BIGINT PRIMARY KEY,
    source        BIGINT,
    target        BIGINT,
    category      TEXT NOT NULL,
    source_id     TEXT NOT NULL,
    source_name   TEXT NOT NULL,
    source_domain TEXT NOT NULL,
    target_id     TEXT NOT NULL,
    target_name   TEXT NOT NULL,
    target_domain TEXT NOT NULL
);
CREATE INDEX connection_source ON connection (source) WHERE source IS NOT NULL;
CREATE INDEX connection_target ON connection (target) WHERE target IS NOT NULL;

-- Pending links: the unknown ends of connections, by the keys of the companies that they wait for. side is 0 for the
-- source, 1 for the target.
CREATE TABLE connection_wait (
    key      BIGINT NOT NULL,
    identity BIGINT NOT NULL,
    side     SMALLINT NOT NULL,
    PRIMARY KEY (key, identity, side)
);

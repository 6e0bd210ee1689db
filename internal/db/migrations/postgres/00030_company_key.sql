-- +goose Up
-- Companies by id, domain and name. place is the company's place_key for a name, 0 for a domain and 1 for an id. Of an id the key is
-- the last 32 bits.
DROP INDEX company_id;
CREATE INDEX company_id ON company ((('x' || right(id, 8))::bit(32)::bigint));

CREATE VIEW company_key AS
    SELECT ('x' || right(id, 8))::bit(32)::bigint AS key, 1::bigint AS place, number FROM company
    UNION ALL SELECT domain_key, 0, number FROM company WHERE domain_key IS NOT NULL
    UNION ALL SELECT name_key, place_key, number FROM company;

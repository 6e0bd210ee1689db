-- +goose Up
-- While no server runs, an import stores the keys of the companies that it adds later, all at once and in the order of the keys: with
-- each batch it would write pages all over the small table again. The keys of companies with a number above after may be missing in
-- company_key_old and company_key_new. Until they are there, the view reads them from the companies.
CREATE TABLE company_key_later (
    id    SMALLINT PRIMARY KEY CHECK (id = 1),
    after BIGINT NOT NULL
);
INSERT INTO company_key_later (id, after) VALUES (1, 9223372036854775807);

CREATE VIEW company_key_stored AS
    SELECT key, place, number FROM company_key_old UNION ALL SELECT key, place, number FROM company_key_new;

-- Without the casts, the columns of the parts would have different affinities, and SQLite would read all keys to find one.
DROP VIEW company_key;
CREATE VIEW company_key AS
    SELECT key, place, number FROM company_key_old UNION ALL SELECT key, place, number FROM company_key_new
    UNION ALL SELECT name_key, place_key, number FROM company WHERE number > (SELECT after FROM company_key_later)
    UNION ALL SELECT domain_key, CAST(0 AS BIGINT), number FROM company
        WHERE number > (SELECT after FROM company_key_later) AND domain_key IS NOT NULL
    UNION ALL SELECT CAST(('0x' || substr(id, 29)) ->> '$' AS BIGINT), CAST(1 AS BIGINT), number FROM company
        WHERE number > (SELECT after FROM company_key_later);

DROP TRIGGER company_key_add;
-- +goose StatementBegin
CREATE TRIGGER company_key_add AFTER INSERT ON company
WHEN NEW.number <= (SELECT after FROM company_key_later)
    AND NOT EXISTS (SELECT 1 FROM company_key_new WHERE key = NEW.name_key AND place = NEW.place_key AND number = NEW.number) BEGIN
    INSERT INTO company_key_new (key, place, number) VALUES (('0x' || substr(NEW.id, 29)) ->> '$', 1, NEW.number);
    INSERT INTO company_key_new (key, place, number) SELECT NEW.domain_key, 0, NEW.number WHERE NEW.domain_key IS NOT NULL;
    INSERT INTO company_key_new (key, place, number) VALUES (NEW.name_key, NEW.place_key, NEW.number);
END;
-- +goose StatementEnd

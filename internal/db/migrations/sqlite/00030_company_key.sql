-- +goose Up
-- Companies by id, domain and name. Keys are hashes, so an index of all of them would have each batch of an import write pages all over
-- it. New keys are therefore stored in a small table, from which an import moves them to the large one in the order of the keys.
-- place is the company's place_key for a name, 0 for a domain and 1 for an id. Of an id the key is the last 32 bits.
CREATE TABLE company_key_old (
    key    BIGINT NOT NULL,
    place  BIGINT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (key, place, number)
) WITHOUT ROWID;

CREATE TABLE company_key_new (
    key    BIGINT NOT NULL,
    place  BIGINT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (key, place, number)
) WITHOUT ROWID;

CREATE VIEW company_key AS
    SELECT key, place, number FROM company_key_old UNION ALL SELECT key, place, number FROM company_key_new;

INSERT INTO company_key_old (key, place, number)
SELECT domain_key, 0, number FROM company WHERE domain_key IS NOT NULL ORDER BY domain_key, number;
INSERT INTO company_key_old (key, place, number)
SELECT name_key, place_key, number FROM company ORDER BY name_key, place_key, number;
INSERT INTO company_key_old (key, place, number)
SELECT ('0x' || substr(id, 29)) ->> '$', 1, number FROM company ORDER BY 1, number;

DROP INDEX company_id;
DROP INDEX company_domain;
DROP INDEX company_name;

-- +goose StatementBegin
CREATE TRIGGER company_key_add AFTER INSERT ON company BEGIN
    INSERT INTO company_key_new (key, place, number) VALUES (('0x' || substr(NEW.id, 29)) ->> '$', 1, NEW.number);
    INSERT INTO company_key_new (key, place, number) SELECT NEW.domain_key, 0, NEW.number WHERE NEW.domain_key IS NOT NULL;
    INSERT INTO company_key_new (key, place, number) VALUES (NEW.name_key, NEW.place_key, NEW.number);
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER company_domain_change AFTER UPDATE OF domain_key ON company WHEN OLD.domain_key IS NOT NEW.domain_key BEGIN
    DELETE FROM company_key_old WHERE key = OLD.domain_key AND place = 0 AND number = OLD.number;
    DELETE FROM company_key_new WHERE key = OLD.domain_key AND place = 0 AND number = OLD.number;
    INSERT INTO company_key_new (key, place, number) SELECT NEW.domain_key, 0, NEW.number WHERE NEW.domain_key IS NOT NULL;
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER company_name_change AFTER UPDATE OF name_key, place_key ON company
WHEN OLD.name_key <> NEW.name_key OR OLD.place_key <> NEW.place_key BEGIN
    DELETE FROM company_key_old WHERE key = OLD.name_key AND place = OLD.place_key AND number = OLD.number;
    DELETE FROM company_key_new WHERE key = OLD.name_key AND place = OLD.place_key AND number = OLD.number;
    INSERT INTO company_key_new (key, place, number) VALUES (NEW.name_key, NEW.place_key, NEW.number);
END;
-- +goose StatementEnd

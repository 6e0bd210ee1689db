-- +goose Up
-- An import writes the keys of new companies itself, in the order of the keys, before the companies. Then the trigger has nothing to do.
DROP TRIGGER company_key_add;
-- +goose StatementBegin
CREATE TRIGGER company_key_add AFTER INSERT ON company
WHEN NOT EXISTS (SELECT 1 FROM company_key_new WHERE key = NEW.name_key AND place = NEW.place_key AND number = NEW.number) BEGIN
    INSERT INTO company_key_new (key, place, number) VALUES (('0x' || substr(NEW.id, 29)) ->> '$', 1, NEW.number);
    INSERT INTO company_key_new (key, place, number) SELECT NEW.domain_key, 0, NEW.number WHERE NEW.domain_key IS NOT NULL;
    INSERT INTO company_key_new (key, place, number) VALUES (NEW.name_key, NEW.place_key, NEW.number);
END;
-- +goose StatementEnd

-- Of a company with very many connections, one is found without reading all.
CREATE INDEX connection_source_identity ON connection (source, identity) WHERE source IS NOT NULL;
DROP INDEX connection_source;

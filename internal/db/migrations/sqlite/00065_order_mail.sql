-- +goose Up
-- Members can be told by email that a run of an order was skipped, and that an export could not be delivered.
ALTER TABLE member ADD COLUMN mail_orders SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN mail_deliveries SMALLINT NOT NULL DEFAULT 0;
-- When a run was asked for that a server has still to make; NULL for none.
ALTER TABLE standing_order ADD COLUMN asked_at BIGINT;

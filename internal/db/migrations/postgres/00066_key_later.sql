-- +goose Up
-- Only SQLite stores the keys of companies in tables of their own.
SELECT 1;

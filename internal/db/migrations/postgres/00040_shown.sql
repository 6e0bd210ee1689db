-- +goose Up
-- The most companies that a workspace, or a token, is shown in a day (UTC) without owning them; 0 for no limit.
ALTER TABLE workspace ADD COLUMN daily_companies BIGINT NOT NULL DEFAULT 0;
ALTER TABLE token ADD COLUMN daily_companies BIGINT NOT NULL DEFAULT 0;

-- The companies that were shown on a day, which is the number of days since 1970: a row for each workspace and each token that has a
-- limit. token_id is empty in that of a workspace.
CREATE TABLE shown (
    workspace_id TEXT NOT NULL REFERENCES workspace (id),
    token_id     TEXT NOT NULL,
    day          BIGINT NOT NULL,
    companies    BYTEA NOT NULL, -- a set
    size         BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, token_id, day)
);
CREATE INDEX shown_day ON shown (day);

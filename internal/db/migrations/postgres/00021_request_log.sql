-- +goose Up
-- The recent API requests of each token, for a week: no bodies and no parameters. id sorts by time.
CREATE TABLE request_log (
    id         TEXT PRIMARY KEY,
    token_id   TEXT NOT NULL,
    request_id TEXT NOT NULL, -- may be the client's own, so it may repeat
    at         BIGINT NOT NULL,
    method     TEXT NOT NULL,
    route      TEXT NOT NULL,
    status     BIGINT NOT NULL,
    took_us    BIGINT NOT NULL,
    credits    BIGINT NOT NULL -- charged; negative if refunded
);
CREATE INDEX request_log_token ON request_log (token_id, id);
CREATE INDEX request_log_at ON request_log (at);

-- All requests of a token by the hour (UTC), for a week.
CREATE TABLE request_count (
    token_id TEXT NOT NULL,
    hour     BIGINT NOT NULL,
    requests BIGINT NOT NULL,
    errors   BIGINT NOT NULL,
    credits  BIGINT NOT NULL,
    PRIMARY KEY (token_id, hour)
);
CREATE INDEX request_count_hour ON request_count (hour);

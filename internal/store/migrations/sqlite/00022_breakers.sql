-- +goose Up
-- Trunks that take no calls, or did not lately. A row is written when one fails,
-- and every few seconds while phones ring.
CREATE TABLE trunk_breakers (
    trunk_id     TEXT PRIMARY KEY NOT NULL,
    workspace_id TEXT NOT NULL,
    mode         TEXT NOT NULL,
    failed       BIGINT NOT NULL,
    alive_at     BIGINT NOT NULL,
    opened_at    BIGINT NOT NULL,
    open_until   BIGINT NOT NULL
);

-- +goose Down
DROP TABLE trunk_breakers;

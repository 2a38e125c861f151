-- +goose Up
ALTER TABLE endpoints ADD COLUMN schedule TEXT NOT NULL DEFAULT 'standard';
ALTER TABLE endpoints ADD COLUMN rate_limit BIGINT NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN old_secret TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoints ADD COLUMN old_secret_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN disabled_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE endpoints ADD COLUMN disabled_for TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN resent BIGINT NOT NULL DEFAULT 0;
CREATE INDEX deliveries_failed ON deliveries (endpoint_id, created_at, id) WHERE state = 'failed';

-- Endpoints that fail: no row says that one works.
CREATE TABLE endpoints_failing (
    endpoint_id TEXT PRIMARY KEY NOT NULL,
    since       BIGINT NOT NULL
);

-- Every try to deliver.
CREATE TABLE tries (
    delivery_id TEXT NOT NULL,
    number      BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    status_code BIGINT NOT NULL,
    latency_ms  BIGINT NOT NULL,
    error       TEXT NOT NULL,
    request     TEXT NOT NULL,
    response    TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
) WITHOUT ROWID;

CREATE TABLE notices (
    id           TEXT PRIMARY KEY NOT NULL,
    workspace_id TEXT NOT NULL,
    mode         TEXT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    kind         TEXT NOT NULL,
    subject_id   TEXT NOT NULL,
    text         TEXT NOT NULL
);
CREATE INDEX notices_list ON notices (workspace_id, mode, id);

-- +goose Down
DROP TABLE notices;
DROP TABLE tries;
DROP TABLE endpoints_failing;
DROP INDEX deliveries_failed;
ALTER TABLE deliveries DROP COLUMN resent;
ALTER TABLE endpoints DROP COLUMN disabled_for;
ALTER TABLE endpoints DROP COLUMN disabled_at;
ALTER TABLE endpoints DROP COLUMN old_secret_until;
ALTER TABLE endpoints DROP COLUMN old_secret;
ALTER TABLE endpoints DROP COLUMN rate_limit;
ALTER TABLE endpoints DROP COLUMN schedule;

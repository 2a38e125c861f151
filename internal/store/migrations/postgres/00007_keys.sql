-- +goose Up
ALTER TABLE workspaces ADD COLUMN credits BIGINT; -- NULL is no limit
ALTER TABLE workspaces ADD COLUMN price_per_minute BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE workspaces ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE keys ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
ALTER TABLE calls ADD COLUMN key_id TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN cost BIGINT NOT NULL DEFAULT 0;

CREATE TABLE key_addresses (
    key_id   TEXT COLLATE "C" NOT NULL,
    address  TEXT COLLATE "C" NOT NULL,
    first_at BIGINT NOT NULL,
    last_at  BIGINT NOT NULL,
    PRIMARY KEY (key_id, address)
);

CREATE TABLE key_failures (
    key_id       TEXT COLLATE "C" NOT NULL,
    fault        TEXT NOT NULL,
    count        BIGINT NOT NULL,
    last_at      BIGINT NOT NULL,
    last_address TEXT NOT NULL,
    PRIMARY KEY (key_id, fault)
);

-- The sums of days, and what is still to be added to them.
CREATE TABLE usage_days (
    workspace_id  TEXT COLLATE "C" NOT NULL,
    mode          TEXT NOT NULL,
    day           TEXT COLLATE "C" NOT NULL,
    key_id        TEXT COLLATE "C" NOT NULL,
    requests      BIGINT NOT NULL,
    successes     BIGINT NOT NULL,
    redirects     BIGINT NOT NULL,
    client_errors BIGINT NOT NULL,
    server_errors BIGINT NOT NULL,
    calls         BIGINT NOT NULL,
    seconds       BIGINT NOT NULL,
    cost          BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, mode, day, key_id)
);

CREATE TABLE usage_additions (
    id            TEXT COLLATE "C" PRIMARY KEY,
    workspace_id  TEXT COLLATE "C" NOT NULL,
    mode          TEXT NOT NULL,
    day           TEXT COLLATE "C" NOT NULL,
    key_id        TEXT COLLATE "C" NOT NULL,
    requests      BIGINT NOT NULL,
    successes     BIGINT NOT NULL,
    redirects     BIGINT NOT NULL,
    client_errors BIGINT NOT NULL,
    server_errors BIGINT NOT NULL,
    calls         BIGINT NOT NULL,
    seconds       BIGINT NOT NULL,
    cost          BIGINT NOT NULL
);

-- How often keys were used in the minute that runs. Nobody needs that after a
-- crash, so it is not logged.
CREATE UNLOGGED TABLE rate_windows (
    key_id  TEXT COLLATE "C" PRIMARY KEY,
    used    BIGINT NOT NULL,
    passed  BOOLEAN NOT NULL,
    ends_at BIGINT NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02);

-- +goose Down
DROP TABLE rate_windows;
DROP TABLE usage_additions;
DROP TABLE usage_days;
DROP TABLE key_failures;
DROP TABLE key_addresses;
ALTER TABLE calls DROP COLUMN cost;
ALTER TABLE calls DROP COLUMN key_id;
ALTER TABLE keys DROP COLUMN version;
ALTER TABLE workspaces DROP COLUMN updated_at;
ALTER TABLE workspaces DROP COLUMN version;
ALTER TABLE workspaces DROP COLUMN price_per_minute;
ALTER TABLE workspaces DROP COLUMN credits;

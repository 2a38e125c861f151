-- +goose Up
-- What checks of our own found: counts by component and day, and times in which
-- a component was down.
CREATE TABLE uptime_days (
    component  TEXT NOT NULL,
    day        BIGINT NOT NULL,
    good       BIGINT NOT NULL,
    bad        BIGINT NOT NULL,
    checked_at BIGINT NOT NULL,
    PRIMARY KEY (component, day)
);
CREATE TABLE incidents (
    id        TEXT PRIMARY KEY NOT NULL,
    component TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    seen_at   BIGINT NOT NULL,
    closed_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX incidents_open ON incidents (component) WHERE closed_at = 0;

-- +goose Down
DROP TABLE incidents;
DROP TABLE uptime_days;

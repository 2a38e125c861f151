-- +goose Up
-- What happened on each day: of a campaign, by the date in UTC; of all calls of a
-- workspace (campaign_id ''), by its own date. A day's sums are those over all
-- parts. There are several parts so that writers do not wait for one another.
CREATE TABLE tallies (
    workspace_id TEXT NOT NULL,
    mode         TEXT NOT NULL,
    campaign_id  TEXT NOT NULL,
    day          TEXT NOT NULL,
    part         BIGINT NOT NULL,
    answered     BIGINT NOT NULL,
    abandoned    BIGINT NOT NULL,
    spent        BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, mode, campaign_id, day, part)
);

-- When a campaign that had dialed was last made to go on.
ALTER TABLE campaigns ADD COLUMN resumed_at BIGINT NOT NULL DEFAULT 0;

-- What the calls of one day may cost; NULL is no limit.
ALTER TABLE workspaces ADD COLUMN daily_budget BIGINT;

-- +goose Down
ALTER TABLE workspaces DROP COLUMN daily_budget;
ALTER TABLE campaigns DROP COLUMN resumed_at;
DROP TABLE tallies;

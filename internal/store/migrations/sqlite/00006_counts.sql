-- +goose Up
-- How many calls there are, so that a total costs the same however many they
-- are. An hour is 3,600,000,000 µs, counted since 1970.
--
-- Triggers note here what each statement changes, in its own transaction. Rows
-- are only ever added, so no writer waits for another; they are folded into
-- call_counts later.
CREATE TABLE call_changes (
    id           INTEGER PRIMARY KEY NOT NULL,
    workspace_id TEXT NOT NULL,
    mode         TEXT NOT NULL,
    hour         BIGINT NOT NULL,
    agent_id     TEXT NOT NULL,
    campaign_id  TEXT NOT NULL,
    direction    TEXT NOT NULL,
    state        TEXT NOT NULL,
    n            BIGINT NOT NULL
);
CREATE INDEX call_changes_scope ON call_changes (workspace_id, mode, hour);

-- The sums: by agent and campaign ('' is all of them), over spans of 1, 24 and
-- 720 hours that begin at the hour "starts", and over all time (span 0).
CREATE TABLE call_counts (
    workspace_id TEXT NOT NULL,
    mode         TEXT NOT NULL,
    agent_id     TEXT NOT NULL,
    campaign_id  TEXT NOT NULL,
    span         BIGINT NOT NULL,
    starts       BIGINT NOT NULL,
    direction    TEXT NOT NULL,
    state        TEXT NOT NULL,
    n            BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, mode, agent_id, campaign_id, span, starts, direction, state)
) WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER calls_counted_insert AFTER INSERT ON calls BEGIN
    INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, state, n)
    VALUES (NEW.workspace_id, NEW.mode, NEW.created_at / 3600000000, NEW.agent_id, NEW.campaign_id, NEW.direction, NEW.state, 1);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER calls_counted_delete AFTER DELETE ON calls BEGIN
    INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, state, n)
    VALUES (OLD.workspace_id, OLD.mode, OLD.created_at / 3600000000, OLD.agent_id, OLD.campaign_id, OLD.direction, OLD.state, -1);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER calls_counted_update AFTER UPDATE ON calls
WHEN (OLD.state, OLD.agent_id, OLD.campaign_id, OLD.direction, OLD.workspace_id, OLD.mode, OLD.created_at)
  <> (NEW.state, NEW.agent_id, NEW.campaign_id, NEW.direction, NEW.workspace_id, NEW.mode, NEW.created_at) BEGIN
    INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, state, n)
    VALUES (OLD.workspace_id, OLD.mode, OLD.created_at / 3600000000, OLD.agent_id, OLD.campaign_id, OLD.direction, OLD.state, -1),
           (NEW.workspace_id, NEW.mode, NEW.created_at / 3600000000, NEW.agent_id, NEW.campaign_id, NEW.direction, NEW.state, 1);
END;
-- +goose StatementEnd

INSERT INTO call_counts (workspace_id, mode, agent_id, campaign_id, span, starts, direction, state, n)
SELECT workspace_id, mode, agent, campaign, span, starts, direction, state, sum(n)
FROM (
    SELECT workspace_id, mode, direction, state, n, span,
        CASE by_agent WHEN 1 THEN agent_id ELSE '' END AS agent,
        CASE by_campaign WHEN 1 THEN campaign_id ELSE '' END AS campaign,
        CASE span WHEN 0 THEN 0 ELSE hour - hour % span END AS starts
    FROM (
        SELECT workspace_id, mode, agent_id, campaign_id, direction, state, hour, count(*) AS n
        FROM (SELECT workspace_id, mode, agent_id, campaign_id, direction, state, created_at / 3600000000 AS hour FROM calls) AS hours
        GROUP BY workspace_id, mode, agent_id, campaign_id, direction, state, hour
    ) AS kinds
    CROSS JOIN (SELECT 0 AS span UNION ALL SELECT 1 UNION ALL SELECT 24 UNION ALL SELECT 720) AS spans
    CROSS JOIN (SELECT 0 AS by_agent UNION ALL SELECT 1) AS agents
    CROSS JOIN (SELECT 0 AS by_campaign UNION ALL SELECT 1) AS campaigns
    WHERE (by_agent = 0 OR agent_id <> '') AND (by_campaign = 0 OR campaign_id <> '')
) AS parts
GROUP BY workspace_id, mode, agent, campaign, span, starts, direction, state;

-- +goose Down
DROP TRIGGER calls_counted_update;
DROP TRIGGER calls_counted_delete;
DROP TRIGGER calls_counted_insert;
DROP TABLE call_counts;
DROP TABLE call_changes;

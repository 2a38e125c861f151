-- +goose Up
-- How many calls there are, so that a total costs the same however many they
-- are. An hour is 3,600,000,000 µs, counted since 1970.
--
-- Triggers note here what each statement changes, in its own transaction. Rows
-- are only ever added, so no writer waits for another; they are folded into
-- call_counts later.
CREATE TABLE call_changes (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    hour         BIGINT NOT NULL,
    agent_id     TEXT COLLATE "C" NOT NULL,
    campaign_id  TEXT COLLATE "C" NOT NULL,
    direction    TEXT NOT NULL,
    state        TEXT NOT NULL,
    n            BIGINT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX call_changes_scope ON call_changes (workspace_id, mode, hour);

-- The sums: by agent and campaign ('' is all of them), over spans of 1, 24 and
-- 720 hours that begin at the hour "starts", and over all time (span 0).
CREATE TABLE call_counts (
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    agent_id     TEXT COLLATE "C" NOT NULL,
    campaign_id  TEXT COLLATE "C" NOT NULL,
    span         BIGINT NOT NULL,
    starts       BIGINT NOT NULL,
    direction    TEXT NOT NULL,
    state        TEXT NOT NULL,
    n            BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, mode, agent_id, campaign_id, span, starts, direction, state)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);

-- +goose StatementBegin
CREATE FUNCTION calls_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, state, n)
        VALUES (OLD.workspace_id, OLD.mode, OLD.created_at / 3600000000, OLD.agent_id, OLD.campaign_id, OLD.direction, OLD.state, -1);
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, state, n)
        VALUES (NEW.workspace_id, NEW.mode, NEW.created_at / 3600000000, NEW.agent_id, NEW.campaign_id, NEW.direction, NEW.state, 1);
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER calls_counted AFTER INSERT OR DELETE ON calls FOR EACH ROW EXECUTE FUNCTION calls_counted();
CREATE TRIGGER calls_counted_update AFTER UPDATE ON calls FOR EACH ROW
WHEN ((OLD.state, OLD.agent_id, OLD.campaign_id, OLD.direction, OLD.workspace_id, OLD.mode, OLD.created_at)
   IS DISTINCT FROM (NEW.state, NEW.agent_id, NEW.campaign_id, NEW.direction, NEW.workspace_id, NEW.mode, NEW.created_at))
EXECUTE FUNCTION calls_counted();

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
DROP TRIGGER calls_counted_update ON calls;
DROP TRIGGER calls_counted ON calls;
DROP FUNCTION calls_counted();
DROP TABLE call_counts;
DROP TABLE call_changes;

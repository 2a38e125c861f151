-- +goose Up
-- A change of a call's state is one row that says what the state was, and the
-- time that was talked goes with it. How many calls an agent had is in
-- call_counts, so that agent_use is left with what was talked.
--
-- In a row n calls came to be in a state: out of the state "was", or, where that
-- is '', into the table; with n below zero they are gone from it. This is what
-- the rows that are there say already.
ALTER TABLE call_changes ADD COLUMN was TEXT NOT NULL DEFAULT '';
ALTER TABLE call_changes ADD COLUMN talked BIGINT NOT NULL DEFAULT 0;

DROP TRIGGER calls_used_delete ON calls;
DROP TRIGGER calls_used_update ON calls;
DROP TRIGGER calls_used_insert ON calls;
DROP FUNCTION calls_used();
DROP TRIGGER calls_counted_update ON calls;
DROP TRIGGER calls_counted ON calls;

INSERT INTO agent_use (workspace_id, mode, agent_id, calls, talked)
SELECT workspace_id, mode, agent_id, 0, sum(talked) FROM agent_changes WHERE true GROUP BY workspace_id, mode, agent_id
ON CONFLICT (workspace_id, mode, agent_id) DO UPDATE SET talked = agent_use.talked + excluded.talked;
DROP TABLE agent_changes;
ALTER TABLE agent_use DROP COLUMN calls;

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION calls_counted() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    more BIGINT;
BEGIN
    IF TG_OP = 'UPDATE' AND (OLD.agent_id, OLD.campaign_id, OLD.direction, OLD.workspace_id, OLD.mode, OLD.created_at)
            = (NEW.agent_id, NEW.campaign_id, NEW.direction, NEW.workspace_id, NEW.mode, NEW.created_at) THEN
        more := talked(NEW.answered_at, NEW.ended_at) - talked(OLD.answered_at, OLD.ended_at);
        IF OLD.state <> NEW.state OR more <> 0 THEN
            INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, was, state, n, talked)
            VALUES (NEW.workspace_id, NEW.mode, NEW.created_at / 3600000000, NEW.agent_id, NEW.campaign_id, NEW.direction, OLD.state, NEW.state, 1, more);
        END IF;
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, state, n, talked)
        VALUES (OLD.workspace_id, OLD.mode, OLD.created_at / 3600000000, OLD.agent_id, OLD.campaign_id, OLD.direction, OLD.state, -1, -talked(OLD.answered_at, OLD.ended_at));
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, state, n, talked)
        VALUES (NEW.workspace_id, NEW.mode, NEW.created_at / 3600000000, NEW.agent_id, NEW.campaign_id, NEW.direction, NEW.state, 1, talked(NEW.answered_at, NEW.ended_at));
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
-- Without a WHEN, which would be read anew for each statement.
CREATE TRIGGER calls_counted AFTER INSERT OR DELETE OR UPDATE OF
    state, answered_at, ended_at, agent_id, campaign_id, direction, workspace_id, mode, created_at
ON calls FOR EACH ROW EXECUTE FUNCTION calls_counted();

-- +goose Down
DROP TRIGGER calls_counted ON calls;
DROP FUNCTION calls_counted();

CREATE TABLE agent_changes (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    agent_id     TEXT COLLATE "C" NOT NULL,
    calls        BIGINT NOT NULL,
    talked       BIGINT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX agent_changes_agent ON agent_changes (workspace_id, mode, agent_id);
INSERT INTO agent_changes (workspace_id, mode, agent_id, calls, talked)
SELECT workspace_id, mode, agent_id, CASE WHEN was = '' THEN n ELSE 0 END, talked FROM call_changes WHERE agent_id <> '';
ALTER TABLE agent_use ADD COLUMN calls BIGINT NOT NULL DEFAULT 0;
INSERT INTO agent_use (workspace_id, mode, agent_id, calls, talked)
SELECT workspace_id, mode, agent_id, sum(n), 0 FROM call_counts WHERE agent_id <> '' AND campaign_id = '' AND span = 0
GROUP BY workspace_id, mode, agent_id
ON CONFLICT (workspace_id, mode, agent_id) DO UPDATE SET calls = excluded.calls;

INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, state, n)
SELECT workspace_id, mode, hour, agent_id, campaign_id, direction, was, -n FROM call_changes WHERE was <> '';
ALTER TABLE call_changes DROP COLUMN talked;
ALTER TABLE call_changes DROP COLUMN was;

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
-- +goose StatementBegin
CREATE FUNCTION calls_used() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO agent_changes (workspace_id, mode, agent_id, calls, talked)
        VALUES (NEW.workspace_id, NEW.mode, NEW.agent_id, 1, talked(NEW.answered_at, NEW.ended_at));
    ELSIF TG_OP = 'UPDATE' THEN
        INSERT INTO agent_changes (workspace_id, mode, agent_id, calls, talked)
        VALUES (NEW.workspace_id, NEW.mode, NEW.agent_id, 0, talked(NEW.answered_at, NEW.ended_at) - talked(OLD.answered_at, OLD.ended_at));
    ELSE
        INSERT INTO agent_changes (workspace_id, mode, agent_id, calls, talked)
        VALUES (OLD.workspace_id, OLD.mode, OLD.agent_id, -1, -talked(OLD.answered_at, OLD.ended_at));
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd
CREATE TRIGGER calls_used_insert AFTER INSERT ON calls FOR EACH ROW WHEN (NEW.agent_id <> '') EXECUTE FUNCTION calls_used();
CREATE TRIGGER calls_used_update AFTER UPDATE ON calls FOR EACH ROW
WHEN (NEW.agent_id <> '' AND (NEW.ended_at <> OLD.ended_at OR NEW.answered_at <> OLD.answered_at AND NEW.ended_at > 0))
EXECUTE FUNCTION calls_used();
CREATE TRIGGER calls_used_delete AFTER DELETE ON calls FOR EACH ROW WHEN (OLD.agent_id <> '') EXECUTE FUNCTION calls_used();

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

DROP TRIGGER calls_used_delete;
DROP TRIGGER calls_used_update;
DROP TRIGGER calls_used_insert;
DROP TRIGGER calls_counted_update;
DROP TRIGGER calls_counted_delete;
DROP TRIGGER calls_counted_insert;

INSERT INTO agent_use (workspace_id, mode, agent_id, calls, talked)
SELECT workspace_id, mode, agent_id, 0, sum(talked) FROM agent_changes WHERE true GROUP BY workspace_id, mode, agent_id
ON CONFLICT (workspace_id, mode, agent_id) DO UPDATE SET talked = agent_use.talked + excluded.talked;
DROP TABLE agent_changes;
ALTER TABLE agent_use DROP COLUMN calls;

-- +goose StatementBegin
CREATE TRIGGER calls_counted_insert AFTER INSERT ON calls BEGIN
    INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, state, n, talked)
    VALUES (NEW.workspace_id, NEW.mode, NEW.created_at / 3600000000, NEW.agent_id, NEW.campaign_id, NEW.direction, NEW.state, 1, CASE WHEN NEW.answered_at > 0 AND NEW.ended_at > NEW.answered_at THEN NEW.ended_at - NEW.answered_at ELSE 0 END);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER calls_counted_delete AFTER DELETE ON calls BEGIN
    INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, state, n, talked)
    VALUES (OLD.workspace_id, OLD.mode, OLD.created_at / 3600000000, OLD.agent_id, OLD.campaign_id, OLD.direction, OLD.state, -1, -(CASE WHEN OLD.answered_at > 0 AND OLD.ended_at > OLD.answered_at THEN OLD.ended_at - OLD.answered_at ELSE 0 END));
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER calls_counted_update AFTER UPDATE OF state, answered_at, ended_at ON calls
WHEN (OLD.state, OLD.answered_at, OLD.ended_at) <> (NEW.state, NEW.answered_at, NEW.ended_at) AND (OLD.agent_id, OLD.campaign_id, OLD.direction, OLD.workspace_id, OLD.mode, OLD.created_at)
  = (NEW.agent_id, NEW.campaign_id, NEW.direction, NEW.workspace_id, NEW.mode, NEW.created_at) BEGIN
    INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, was, state, n, talked)
    VALUES (NEW.workspace_id, NEW.mode, NEW.created_at / 3600000000, NEW.agent_id, NEW.campaign_id, NEW.direction, OLD.state, NEW.state, 1,
        CASE WHEN NEW.answered_at > 0 AND NEW.ended_at > NEW.answered_at THEN NEW.ended_at - NEW.answered_at ELSE 0 END
        - CASE WHEN OLD.answered_at > 0 AND OLD.ended_at > OLD.answered_at THEN OLD.ended_at - OLD.answered_at ELSE 0 END);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER calls_counted_moved AFTER UPDATE OF agent_id, campaign_id, direction, workspace_id, mode, created_at ON calls
WHEN (OLD.agent_id, OLD.campaign_id, OLD.direction, OLD.workspace_id, OLD.mode, OLD.created_at)
  <> (NEW.agent_id, NEW.campaign_id, NEW.direction, NEW.workspace_id, NEW.mode, NEW.created_at) BEGIN
    INSERT INTO call_changes (workspace_id, mode, hour, agent_id, campaign_id, direction, state, n, talked)
    VALUES (OLD.workspace_id, OLD.mode, OLD.created_at / 3600000000, OLD.agent_id, OLD.campaign_id, OLD.direction, OLD.state, -1, -(CASE WHEN OLD.answered_at > 0 AND OLD.ended_at > OLD.answered_at THEN OLD.ended_at - OLD.answered_at ELSE 0 END)),
           (NEW.workspace_id, NEW.mode, NEW.created_at / 3600000000, NEW.agent_id, NEW.campaign_id, NEW.direction, NEW.state, 1, CASE WHEN NEW.answered_at > 0 AND NEW.ended_at > NEW.answered_at THEN NEW.ended_at - NEW.answered_at ELSE 0 END);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER calls_counted_moved;
DROP TRIGGER calls_counted_update;
DROP TRIGGER calls_counted_delete;
DROP TRIGGER calls_counted_insert;

CREATE TABLE agent_changes (
    id           INTEGER PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    mode         TEXT NOT NULL,
    agent_id     TEXT NOT NULL,
    calls        BIGINT NOT NULL,
    talked       BIGINT NOT NULL
);
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
-- +goose StatementBegin
CREATE TRIGGER calls_used_insert AFTER INSERT ON calls WHEN NEW.agent_id <> '' BEGIN
    INSERT INTO agent_changes (workspace_id, mode, agent_id, calls, talked)
    VALUES (NEW.workspace_id, NEW.mode, NEW.agent_id, 1, CASE WHEN NEW.answered_at > 0 AND NEW.ended_at > NEW.answered_at THEN NEW.ended_at - NEW.answered_at ELSE 0 END);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER calls_used_update AFTER UPDATE OF answered_at, ended_at ON calls
WHEN NEW.agent_id <> '' AND (NEW.ended_at <> OLD.ended_at OR NEW.answered_at <> OLD.answered_at AND NEW.ended_at > 0) BEGIN
    INSERT INTO agent_changes (workspace_id, mode, agent_id, calls, talked)
    VALUES (NEW.workspace_id, NEW.mode, NEW.agent_id, 0,
        CASE WHEN NEW.answered_at > 0 AND NEW.ended_at > NEW.answered_at THEN NEW.ended_at - NEW.answered_at ELSE 0 END
        - CASE WHEN OLD.answered_at > 0 AND OLD.ended_at > OLD.answered_at THEN OLD.ended_at - OLD.answered_at ELSE 0 END);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER calls_used_delete AFTER DELETE ON calls WHEN OLD.agent_id <> '' BEGIN
    INSERT INTO agent_changes (workspace_id, mode, agent_id, calls, talked)
    VALUES (OLD.workspace_id, OLD.mode, OLD.agent_id, -1, -(CASE WHEN OLD.answered_at > 0 AND OLD.ended_at > OLD.answered_at THEN OLD.ended_at - OLD.answered_at ELSE 0 END));
END;
-- +goose StatementEnd

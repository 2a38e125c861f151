-- +goose Up
-- Agents that came with the test mode's sample data: no plan counts them.
ALTER TABLE agents ADD COLUMN sample BOOLEAN NOT NULL DEFAULT FALSE;

-- What an agent's calls add up to: how many there are, and how many microseconds
-- those that ended had been answered. Triggers keep it in each call's own
-- transaction. An agent has a row for each last digit of its calls' ids, so that
-- calls which end at the same time seldom wait for each other.
CREATE TABLE agent_use (
    workspace_id TEXT NOT NULL,
    mode         TEXT NOT NULL,
    agent_id     TEXT NOT NULL,
    shard        TEXT NOT NULL,
    calls        BIGINT NOT NULL,
    talked       BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, mode, agent_id, shard)
) WITHOUT ROWID;

INSERT INTO agent_use (workspace_id, mode, agent_id, shard, calls, talked)
SELECT workspace_id, mode, agent_id, substr(id, 24, 1), count(*),
    sum(CASE WHEN answered_at > 0 AND ended_at > answered_at THEN ended_at - answered_at ELSE 0 END)
FROM calls WHERE agent_id <> '' GROUP BY workspace_id, mode, agent_id, substr(id, 24, 1);

-- +goose StatementBegin
CREATE TRIGGER calls_used_insert AFTER INSERT ON calls WHEN NEW.agent_id <> '' BEGIN
    INSERT INTO agent_use (workspace_id, mode, agent_id, shard, calls, talked)
    VALUES (NEW.workspace_id, NEW.mode, NEW.agent_id, substr(NEW.id, 24, 1), 1,
        CASE WHEN NEW.answered_at > 0 AND NEW.ended_at > NEW.answered_at THEN NEW.ended_at - NEW.answered_at ELSE 0 END)
    ON CONFLICT (workspace_id, mode, agent_id, shard) DO UPDATE SET calls = calls + 1, talked = talked + excluded.talked;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER calls_used_update AFTER UPDATE OF answered_at, ended_at ON calls
WHEN NEW.agent_id <> '' AND (NEW.ended_at <> OLD.ended_at OR NEW.answered_at <> OLD.answered_at AND NEW.ended_at > 0) BEGIN
    UPDATE agent_use SET talked = talked
        + CASE WHEN NEW.answered_at > 0 AND NEW.ended_at > NEW.answered_at THEN NEW.ended_at - NEW.answered_at ELSE 0 END
        - CASE WHEN OLD.answered_at > 0 AND OLD.ended_at > OLD.answered_at THEN OLD.ended_at - OLD.answered_at ELSE 0 END
    WHERE workspace_id = NEW.workspace_id AND mode = NEW.mode AND agent_id = NEW.agent_id AND shard = substr(NEW.id, 24, 1);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER calls_used_delete AFTER DELETE ON calls WHEN OLD.agent_id <> '' BEGIN
    UPDATE agent_use SET calls = calls - 1, talked = talked
        - CASE WHEN OLD.answered_at > 0 AND OLD.ended_at > OLD.answered_at THEN OLD.ended_at - OLD.answered_at ELSE 0 END
    WHERE workspace_id = OLD.workspace_id AND mode = OLD.mode AND agent_id = OLD.agent_id AND shard = substr(OLD.id, 24, 1);
END;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER calls_used_delete;
DROP TRIGGER calls_used_update;
DROP TRIGGER calls_used_insert;
DROP TABLE agent_use;
ALTER TABLE agents DROP COLUMN sample;

-- +goose Up
-- What calls add to the use of their agent is noted in rows of its own, and
-- folded into agent_use later: a campaign is many calls of one agent, and who
-- added to its row had all others wait for the commit.
CREATE TABLE agent_changes (
    id           BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    agent_id     TEXT COLLATE "C" NOT NULL,
    calls        BIGINT NOT NULL,
    talked       BIGINT NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
CREATE INDEX agent_changes_agent ON agent_changes (workspace_id, mode, agent_id);

DROP TRIGGER calls_used_delete ON calls;
DROP TRIGGER calls_used_update ON calls;
DROP TRIGGER calls_used_insert ON calls;
DROP FUNCTION calls_used_delete();
DROP FUNCTION calls_used_update();
DROP FUNCTION calls_used_insert();

ALTER TABLE agent_use RENAME TO agent_use_sharded;
CREATE TABLE agent_use (
    workspace_id TEXT NOT NULL,
    mode         TEXT NOT NULL,
    agent_id     TEXT NOT NULL,
    calls        BIGINT NOT NULL,
    talked       BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, mode, agent_id)
);
INSERT INTO agent_use (workspace_id, mode, agent_id, calls, talked)
SELECT workspace_id, mode, agent_id, sum(calls), sum(talked) FROM agent_use_sharded GROUP BY workspace_id, mode, agent_id;
DROP TABLE agent_use_sharded;

-- +goose StatementBegin
CREATE FUNCTION talked(answered_at BIGINT, ended_at BIGINT) RETURNS BIGINT LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN answered_at > 0 AND ended_at > answered_at THEN ended_at - answered_at ELSE 0 END
$$;
-- +goose StatementEnd
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

-- +goose Down
DROP TRIGGER calls_used_delete ON calls;
DROP TRIGGER calls_used_update ON calls;
DROP TRIGGER calls_used_insert ON calls;
DROP FUNCTION calls_used();
DROP FUNCTION talked(BIGINT, BIGINT);
INSERT INTO agent_use (workspace_id, mode, agent_id, calls, talked)
SELECT workspace_id, mode, agent_id, sum(calls), sum(talked) FROM agent_changes GROUP BY workspace_id, mode, agent_id
ON CONFLICT (workspace_id, mode, agent_id) DO UPDATE SET calls = agent_use.calls + excluded.calls, talked = agent_use.talked + excluded.talked;
DROP TABLE agent_changes;
ALTER TABLE agent_use RENAME TO agent_use_whole;
CREATE TABLE agent_use (
    workspace_id TEXT NOT NULL,
    mode         TEXT NOT NULL,
    agent_id     TEXT NOT NULL,
    shard        TEXT NOT NULL,
    calls        BIGINT NOT NULL,
    talked       BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, mode, agent_id, shard)
);
INSERT INTO agent_use (workspace_id, mode, agent_id, shard, calls, talked)
SELECT workspace_id, mode, agent_id, shards.shard, CASE WHEN shards.shard = '0' THEN calls ELSE 0 END, CASE WHEN shards.shard = '0' THEN talked ELSE 0 END
FROM agent_use_whole CROSS JOIN (SELECT '0' AS shard UNION ALL SELECT '1' UNION ALL SELECT '2' UNION ALL SELECT '3' UNION ALL SELECT '4' UNION ALL SELECT '5' UNION ALL SELECT '6' UNION ALL SELECT '7' UNION ALL SELECT '8' UNION ALL SELECT '9' UNION ALL SELECT 'a' UNION ALL SELECT 'b' UNION ALL SELECT 'c' UNION ALL SELECT 'd' UNION ALL SELECT 'e' UNION ALL SELECT 'f') AS shards;
DROP TABLE agent_use_whole;

-- +goose StatementBegin
CREATE FUNCTION calls_used_insert() RETURNS trigger AS $$
BEGIN
    INSERT INTO agent_use (workspace_id, mode, agent_id, shard, calls, talked)
    VALUES (NEW.workspace_id, NEW.mode, NEW.agent_id, substr(NEW.id, 24, 1), 1,
        CASE WHEN NEW.answered_at > 0 AND NEW.ended_at > NEW.answered_at THEN NEW.ended_at - NEW.answered_at ELSE 0 END)
    ON CONFLICT (workspace_id, mode, agent_id, shard)
    DO UPDATE SET calls = agent_use.calls + 1, talked = agent_use.talked + excluded.talked;
    RETURN NULL;
END
$$ LANGUAGE plpgsql;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION calls_used_update() RETURNS trigger AS $$
BEGIN
    UPDATE agent_use SET talked = talked
        + CASE WHEN NEW.answered_at > 0 AND NEW.ended_at > NEW.answered_at THEN NEW.ended_at - NEW.answered_at ELSE 0 END
        - CASE WHEN OLD.answered_at > 0 AND OLD.ended_at > OLD.answered_at THEN OLD.ended_at - OLD.answered_at ELSE 0 END
    WHERE workspace_id = NEW.workspace_id AND mode = NEW.mode AND agent_id = NEW.agent_id AND shard = substr(NEW.id, 24, 1);
    RETURN NULL;
END
$$ LANGUAGE plpgsql;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION calls_used_delete() RETURNS trigger AS $$
BEGIN
    UPDATE agent_use SET calls = calls - 1, talked = talked
        - CASE WHEN OLD.answered_at > 0 AND OLD.ended_at > OLD.answered_at THEN OLD.ended_at - OLD.answered_at ELSE 0 END
    WHERE workspace_id = OLD.workspace_id AND mode = OLD.mode AND agent_id = OLD.agent_id AND shard = substr(OLD.id, 24, 1);
    RETURN NULL;
END
$$ LANGUAGE plpgsql;
-- +goose StatementEnd
CREATE TRIGGER calls_used_insert AFTER INSERT ON calls FOR EACH ROW WHEN (NEW.agent_id <> '')
    EXECUTE FUNCTION calls_used_insert();
CREATE TRIGGER calls_used_update AFTER UPDATE ON calls FOR EACH ROW
    WHEN (NEW.agent_id <> '' AND (NEW.ended_at <> OLD.ended_at OR NEW.answered_at <> OLD.answered_at AND NEW.ended_at > 0))
    EXECUTE FUNCTION calls_used_update();
CREATE TRIGGER calls_used_delete AFTER DELETE ON calls FOR EACH ROW WHEN (OLD.agent_id <> '')
    EXECUTE FUNCTION calls_used_delete();

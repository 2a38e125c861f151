-- +goose Up
-- The receiver of a call's events that was named in the request for it, as JSON.
ALTER TABLE calls ADD COLUMN callback TEXT NOT NULL DEFAULT '';
-- The calls of a flow, newest first.
CREATE INDEX calls_by_flow ON calls (workspace_id, mode, flow_id, created_at, id) WHERE flow_id <> '';

-- +goose Down
DROP INDEX calls_by_flow;
ALTER TABLE calls DROP COLUMN callback;

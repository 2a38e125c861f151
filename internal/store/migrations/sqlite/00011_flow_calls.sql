-- +goose Up
-- The calls of a flow, newest first.
CREATE INDEX calls_by_flow ON calls (workspace_id, mode, flow_id, created_at, id) WHERE flow_id <> '';

-- +goose Down
DROP INDEX calls_by_flow;

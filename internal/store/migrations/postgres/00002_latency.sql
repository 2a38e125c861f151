-- +goose Up
-- How the time went before a turn of the agent: JSON, '' for none.
ALTER TABLE turns ADD COLUMN latency TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE turns DROP COLUMN latency;

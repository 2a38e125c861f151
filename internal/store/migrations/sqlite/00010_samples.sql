-- +goose Up
-- Agents that came with the test mode's sample data: no plan counts them.
ALTER TABLE agents ADD COLUMN sample BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE agents DROP COLUMN sample;

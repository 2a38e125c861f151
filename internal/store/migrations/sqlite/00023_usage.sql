-- +goose Up
-- Text messages are counted beside calls.
ALTER TABLE usage_days ADD COLUMN messages BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_days ADD COLUMN segments BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_additions ADD COLUMN messages BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_additions ADD COLUMN segments BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE usage_additions DROP COLUMN segments;
ALTER TABLE usage_additions DROP COLUMN messages;
ALTER TABLE usage_days DROP COLUMN segments;
ALTER TABLE usage_days DROP COLUMN messages;

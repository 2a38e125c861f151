-- +goose Up
-- Members of an object that a dialect of the API keeps and gives back, as JSON.
ALTER TABLE agents ADD COLUMN extra TEXT NOT NULL DEFAULT '';
ALTER TABLE flows ADD COLUMN extra TEXT NOT NULL DEFAULT '';
ALTER TABLE flow_versions ADD COLUMN extra TEXT NOT NULL DEFAULT '';
ALTER TABLE calls ADD COLUMN extra TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE calls DROP COLUMN extra;
ALTER TABLE flow_versions DROP COLUMN extra;
ALTER TABLE flows DROP COLUMN extra;
ALTER TABLE agents DROP COLUMN extra;

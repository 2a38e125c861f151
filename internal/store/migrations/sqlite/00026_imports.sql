-- +goose Up
-- A campaign into which a file is read does not end before fed_until.
ALTER TABLE campaigns ADD COLUMN fed_until BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE campaigns DROP COLUMN fed_until;

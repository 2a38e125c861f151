-- +goose Up
-- The contacts of a campaign that were finished last.
CREATE INDEX recipients_recent ON recipients (campaign_id, ended_at, id) WHERE ended_at > 0;

-- +goose Down
DROP INDEX recipients_recent;

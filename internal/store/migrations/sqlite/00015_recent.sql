-- +goose Up
-- The contacts of a campaign that were finished last.
CREATE INDEX recipients_recent ON recipients (campaign_id, ended_at, id) WHERE ended_at > 0;
-- One index by number serves both what is there once in a campaign, and who has a
-- number: rows of a sheet come in no order of their numbers, and each such index
-- costs an import a page that is written for almost every row.
CREATE UNIQUE INDEX recipients_number ON recipients (phone, campaign_id);
DROP INDEX recipients_once;
DROP INDEX recipients_by_phone;

-- +goose Down
CREATE UNIQUE INDEX recipients_once ON recipients (campaign_id, phone);
CREATE INDEX recipients_by_phone ON recipients (workspace_id, mode, phone);
DROP INDEX recipients_number;
DROP INDEX recipients_recent;

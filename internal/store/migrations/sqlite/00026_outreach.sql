-- +goose Up
-- A campaign into which a file is read does not end before fed_until. Contacts that
-- its hours have put off before rejudge_at are to be looked at again; 0: none are.
ALTER TABLE campaigns ADD COLUMN fed_until BIGINT NOT NULL DEFAULT 0;
ALTER TABLE campaigns ADD COLUMN rejudge_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX recipients_put_off ON recipients (campaign_id, why, updated_at) WHERE state = 'waiting' AND why <> '';

-- +goose Down
DROP INDEX recipients_put_off;
ALTER TABLE campaigns DROP COLUMN rejudge_at;
ALTER TABLE campaigns DROP COLUMN fed_until;

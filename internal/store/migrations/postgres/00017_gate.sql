-- +goose Up
-- The regions that a workspace calls, a list of ISO 3166-1 codes; null is those
-- of its own numbers.
ALTER TABLE workspaces ADD COLUMN regions TEXT NOT NULL DEFAULT '';

-- Why a contact may be called for marketing; null for no consent.
ALTER TABLE contacts ADD COLUMN consent TEXT NOT NULL DEFAULT '';

-- The key by which who is called asks not to be called again; '' for none.
ALTER TABLE agents ADD COLUMN opt_out_key TEXT NOT NULL DEFAULT '9';

-- By which rules and clocks a dial was allowed or refused.
ALTER TABLE attempts ADD COLUMN basis TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE attempts DROP COLUMN basis;
ALTER TABLE agents DROP COLUMN opt_out_key;
ALTER TABLE contacts DROP COLUMN consent;
ALTER TABLE workspaces DROP COLUMN regions;

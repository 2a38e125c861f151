-- +goose Up
-- Who is erased is found by their contact too.
CREATE INDEX recipients_by_contact ON recipients (contact_id) WHERE contact_id <> '';

-- +goose Down
DROP INDEX recipients_by_contact;

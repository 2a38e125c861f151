-- +goose Up
-- What an attempt is for: '' dials the call's number, 'incoming' was dialed by
-- the far end, 'transfer' is a second leg of a call.
ALTER TABLE attempts ADD COLUMN kind TEXT NOT NULL DEFAULT '';
-- Only calls that are placed are one at a time to a number: a switchboard may
-- call often, and calls may be handed over to it often.
DROP INDEX attempts_live;
CREATE UNIQUE INDEX attempts_live ON attempts (workspace_id, mode, number)
    WHERE kind = '' AND state IN ('intent', 'ringing', 'answered');
ALTER TABLE numbers ADD COLUMN hours TEXT NOT NULL DEFAULT 'null';
ALTER TABLE trunks ADD COLUMN incoming TEXT NOT NULL DEFAULT 'null';

-- +goose Down
ALTER TABLE trunks DROP COLUMN incoming;
ALTER TABLE numbers DROP COLUMN hours;
DROP INDEX attempts_live;
CREATE UNIQUE INDEX attempts_live ON attempts (workspace_id, mode, number)
    WHERE state IN ('intent', 'ringing', 'answered');
ALTER TABLE attempts DROP COLUMN kind;

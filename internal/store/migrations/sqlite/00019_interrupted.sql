-- +goose Up
-- Calls that their process left behind: the next starts look for the latest.
CREATE INDEX attempts_interrupted ON attempts (ended_at) WHERE end_reason = 'interrupted';

-- +goose Down
DROP INDEX attempts_interrupted;

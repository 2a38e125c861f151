-- +goose Up
-- What waits for each endpoint, so that what waits for a slow one is stepped over.
CREATE INDEX deliveries_waiting ON deliveries (endpoint_id, due_at, id) WHERE due_at IS NOT NULL;

-- The proof that a key is the one that secrets are sealed with.
CREATE TABLE seals (
    id      TEXT PRIMARY KEY NOT NULL,
    sealed  TEXT NOT NULL,
    made_at BIGINT NOT NULL
);

-- Whom a delivery is about that is not about a call: the contact of an
-- appointment, or a message.
ALTER TABLE deliveries ADD COLUMN about_id TEXT NOT NULL DEFAULT '';
CREATE INDEX deliveries_about ON deliveries (about_id) WHERE about_id <> '';

-- +goose Down
DROP INDEX deliveries_about;
ALTER TABLE deliveries DROP COLUMN about_id;
DROP TABLE seals;
DROP INDEX deliveries_waiting;

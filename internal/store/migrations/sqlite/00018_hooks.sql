-- +goose Up
-- What waits for each endpoint, so that what waits for a slow one is stepped over.
CREATE INDEX deliveries_waiting ON deliveries (endpoint_id, due_at, id) WHERE due_at IS NOT NULL;

-- The proof that a key is the one that secrets are sealed with.
CREATE TABLE seals (
    id      TEXT PRIMARY KEY NOT NULL,
    sealed  TEXT NOT NULL,
    made_at BIGINT NOT NULL
);

-- +goose Down
DROP TABLE seals;
DROP INDEX deliveries_waiting;

-- +goose Up
-- What waits for each endpoint, so that what waits for a slow one is stepped over.
CREATE INDEX deliveries_waiting ON deliveries (endpoint_id, due_at, id) WHERE due_at IS NOT NULL;

-- +goose Down
DROP INDEX deliveries_waiting;

-- +goose Up
-- Entries of a workspace's calendar. What no list is narrowed by is JSON in details.
CREATE TABLE appointments (
    id           TEXT PRIMARY KEY NOT NULL,
    workspace_id TEXT NOT NULL,
    mode         TEXT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    contact_id   TEXT NOT NULL,
    agent_id     TEXT NOT NULL,
    call_id      TEXT NOT NULL,
    title        TEXT NOT NULL,
    notes        TEXT NOT NULL,
    start_at     BIGINT NOT NULL,
    end_at       BIGINT NOT NULL,
    status       TEXT NOT NULL,
    details      TEXT NOT NULL
);
CREATE INDEX appointments_newest ON appointments (workspace_id, mode, id);
CREATE INDEX appointments_list ON appointments (workspace_id, mode, start_at, id);
CREATE INDEX appointments_by_status ON appointments (workspace_id, mode, status, start_at, id);
CREATE INDEX appointments_by_agent ON appointments (workspace_id, mode, agent_id, start_at, id) WHERE agent_id <> '';
CREATE INDEX appointments_by_contact ON appointments (workspace_id, mode, contact_id, start_at, id) WHERE contact_id <> '';

-- +goose Down
DROP TABLE appointments;

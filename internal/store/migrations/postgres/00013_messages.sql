-- +goose Up
-- Text messages. asked_at is set while a carrier is asked to send one.
CREATE TABLE messages (
    id              TEXT COLLATE "C" PRIMARY KEY,
    workspace_id    TEXT COLLATE "C" NOT NULL,
    mode            TEXT NOT NULL,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    direction       TEXT NOT NULL,
    phone_number_id TEXT COLLATE "C" NOT NULL,
    trunk_id        TEXT COLLATE "C" NOT NULL,
    from_number     TEXT COLLATE "C" NOT NULL,
    to_number       TEXT COLLATE "C" NOT NULL,
    text            TEXT NOT NULL,
    status          TEXT NOT NULL,
    encoding        TEXT NOT NULL,
    segments        BIGINT NOT NULL,
    error           TEXT NOT NULL,
    carrier_id      TEXT COLLATE "C" NOT NULL,
    call_id         TEXT COLLATE "C" NOT NULL,
    contact_id      TEXT COLLATE "C" NOT NULL,
    extra           TEXT NOT NULL,
    asked_at        BIGINT NOT NULL,
    sent_at         BIGINT NOT NULL,
    delivered_at    BIGINT NOT NULL
);
CREATE INDEX messages_newest ON messages (workspace_id, mode, id);
CREATE INDEX messages_by_direction ON messages (workspace_id, mode, direction, id);
CREATE INDEX messages_by_status ON messages (workspace_id, mode, status, id);
CREATE INDEX messages_by_from ON messages (workspace_id, mode, from_number, id);
CREATE INDEX messages_by_to ON messages (workspace_id, mode, to_number, id);
CREATE INDEX messages_by_contact ON messages (workspace_id, mode, contact_id, id) WHERE contact_id <> '';
CREATE UNIQUE INDEX messages_by_carrier ON messages (trunk_id, direction, carrier_id) WHERE carrier_id <> '';

-- +goose Down
DROP TABLE messages;

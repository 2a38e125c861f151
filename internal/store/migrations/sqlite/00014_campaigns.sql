-- +goose Up
-- Campaigns, batches among them. due_at is when the dialer looks at one next, 0
-- while nobody is to be dialed for it.
CREATE TABLE campaigns (
    id              TEXT PRIMARY KEY NOT NULL,
    workspace_id    TEXT NOT NULL,
    mode            TEXT NOT NULL,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    kind            TEXT NOT NULL,
    name            TEXT NOT NULL,
    state           TEXT NOT NULL,
    pause_reason    TEXT NOT NULL,
    agent_id        TEXT NOT NULL,
    phone_number_id TEXT NOT NULL,
    start_at        BIGINT NOT NULL,
    timezone        TEXT NOT NULL,
    "window"        TEXT NOT NULL,
    max_concurrent  BIGINT NOT NULL,
    purpose         TEXT NOT NULL,
    enforce_rules   BOOLEAN NOT NULL,
    retry           TEXT NOT NULL,
    budget          BIGINT,
    variables       TEXT NOT NULL,
    extra           TEXT NOT NULL,
    key_id          TEXT NOT NULL,
    due_at          BIGINT NOT NULL,
    started_at      BIGINT NOT NULL,
    ended_at        BIGINT NOT NULL
);
CREATE INDEX campaigns_newest ON campaigns (workspace_id, mode, kind, id);
CREATE INDEX campaigns_by_state ON campaigns (workspace_id, mode, kind, state, id);
CREATE INDEX campaigns_due ON campaigns (due_at, id) WHERE due_at > 0;

-- The contacts of campaigns.
CREATE TABLE recipients (
    id           TEXT PRIMARY KEY NOT NULL,
    workspace_id TEXT NOT NULL,
    mode         TEXT NOT NULL,
    campaign_id  TEXT NOT NULL,
    contact_id   TEXT NOT NULL,
    line         BIGINT NOT NULL,
    phone        TEXT NOT NULL,
    first_name   TEXT NOT NULL,
    last_name    TEXT NOT NULL,
    email        TEXT NOT NULL,
    company      TEXT NOT NULL,
    timezone     TEXT NOT NULL,
    region       TEXT NOT NULL,
    variables    TEXT NOT NULL,
    consent      TEXT NOT NULL,
    state        TEXT NOT NULL,
    result       TEXT NOT NULL,
    why          TEXT NOT NULL,
    next_at      BIGINT NOT NULL,
    tries        TEXT NOT NULL,
    call_id      TEXT NOT NULL,
    calls        BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL
);
CREATE UNIQUE INDEX recipients_once ON recipients (campaign_id, phone);
CREATE INDEX recipients_due ON recipients (campaign_id, next_at, id) WHERE state = 'waiting';
CREATE INDEX recipients_by_state ON recipients (campaign_id, state, id);
CREATE INDEX recipients_newest ON recipients (campaign_id, id);
CREATE INDEX recipients_by_phone ON recipients (workspace_id, mode, phone);

-- How many of them are in each state: the sums over all parts. There are several
-- parts so that writers do not wait for one another.
CREATE TABLE campaign_counts (
    campaign_id TEXT NOT NULL,
    part        BIGINT NOT NULL,
    waiting     BIGINT NOT NULL,
    active      BIGINT NOT NULL,
    completed   BIGINT NOT NULL,
    failed      BIGINT NOT NULL,
    answered    BIGINT NOT NULL,
    abandoned   BIGINT NOT NULL,
    talk        BIGINT NOT NULL,
    spent       BIGINT NOT NULL,
    last_at     BIGINT NOT NULL,
    PRIMARY KEY (campaign_id, part)
);

ALTER TABLE calls ADD COLUMN recipient_id TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN recipient_id TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN recipient_try BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN dialed_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN uncharged BOOLEAN NOT NULL DEFAULT FALSE;
CREATE UNIQUE INDEX attempts_recipient ON attempts (recipient_id, recipient_try) WHERE recipient_id <> '';
CREATE INDEX attempts_dialed ON attempts (workspace_id, mode, number, dialed_at) WHERE dialed_at > 0;
CREATE INDEX attempts_waiting ON attempts (workspace_id, mode, trunk_id) WHERE state IN ('planned', 'claimed');

-- +goose Down
DROP INDEX attempts_waiting;
DROP INDEX attempts_dialed;
DROP INDEX attempts_recipient;
ALTER TABLE attempts DROP COLUMN uncharged;
ALTER TABLE attempts DROP COLUMN dialed_at;
ALTER TABLE attempts DROP COLUMN recipient_try;
ALTER TABLE attempts DROP COLUMN recipient_id;
ALTER TABLE calls DROP COLUMN recipient_id;
DROP TABLE campaign_counts;
DROP TABLE recipients;
DROP TABLE campaigns;

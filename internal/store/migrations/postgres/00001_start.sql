-- +goose Up
-- Times are microseconds since 1970 UTC, 0 for none. Ids are text that sorts by
-- time of creation, byte by byte. JSON is text. Tables whose rows change often
-- leave room in their pages for that, and are cleaned up sooner.

CREATE TABLE workspaces (
    id         TEXT COLLATE "C" PRIMARY KEY,
    name       TEXT NOT NULL,
    plan       TEXT NOT NULL,
    timezone   TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE keys (
    id            TEXT COLLATE "C" PRIMARY KEY,
    workspace_id  TEXT COLLATE "C" NOT NULL,
    mode          TEXT NOT NULL,
    name          TEXT NOT NULL,
    prefix        TEXT NOT NULL,
    hash          BYTEA,
    scopes        TEXT NOT NULL,
    allow         TEXT NOT NULL,
    rate_limit    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    revoked_at    BIGINT NOT NULL,
    last_used_at  BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    rotated_until BIGINT NOT NULL
);
CREATE INDEX keys_list ON keys (workspace_id, id);

CREATE TABLE agents (
    id                TEXT COLLATE "C" PRIMARY KEY,
    workspace_id      TEXT COLLATE "C" NOT NULL,
    mode              TEXT NOT NULL,
    version           BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    updated_at        BIGINT NOT NULL,
    name              TEXT NOT NULL,
    is_active         BOOLEAN NOT NULL,
    voice             TEXT NOT NULL,
    language          TEXT NOT NULL,
    model             TEXT NOT NULL,
    system_prompt     TEXT NOT NULL,
    first_message     TEXT NOT NULL,
    flow_id           TEXT NOT NULL,
    record            BOOLEAN NOT NULL,
    variables         TEXT NOT NULL,
    max_call_duration BIGINT NOT NULL
);
CREATE INDEX agents_list ON agents (workspace_id, mode, id);

CREATE TABLE flows (
    id           TEXT COLLATE "C" PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    name         TEXT NOT NULL,
    status       TEXT NOT NULL,
    definition   BYTEA
);
CREATE INDEX flows_list ON flows (workspace_id, mode, id);

-- Every version of a flow that was ever saved: calls are pinned to one.
CREATE TABLE flow_versions (
    id           TEXT COLLATE "C" NOT NULL,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    name         TEXT NOT NULL,
    status       TEXT NOT NULL,
    definition   BYTEA,
    PRIMARY KEY (id, version)
);

CREATE TABLE numbers (
    id           TEXT COLLATE "C" PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    number       TEXT NOT NULL,
    trunk_id     TEXT COLLATE "C" NOT NULL,
    agent_id     TEXT COLLATE "C" NOT NULL
);
CREATE INDEX numbers_list ON numbers (workspace_id, mode, id);
CREATE UNIQUE INDEX numbers_number ON numbers (workspace_id, mode, number);

CREATE TABLE trunks (
    id               TEXT COLLATE "C" PRIMARY KEY,
    workspace_id     TEXT COLLATE "C" NOT NULL,
    mode             TEXT NOT NULL,
    version          BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    updated_at       BIGINT NOT NULL,
    name             TEXT NOT NULL,
    carrier          TEXT NOT NULL,
    host             TEXT NOT NULL,
    port             BIGINT NOT NULL,
    transport        TEXT NOT NULL,
    username         TEXT NOT NULL,
    password         TEXT NOT NULL,
    register         BOOLEAN NOT NULL,
    realtime_text    BOOLEAN NOT NULL,
    srtp             TEXT NOT NULL,
    codecs           TEXT NOT NULL,
    calls_per_second BIGINT NOT NULL,
    max_calls        BIGINT NOT NULL
);
CREATE INDEX trunks_list ON trunks (workspace_id, mode, id);

CREATE TABLE endpoints (
    id           TEXT COLLATE "C" PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    url          TEXT NOT NULL,
    events       TEXT NOT NULL,
    dialect      TEXT NOT NULL,
    description  TEXT NOT NULL,
    secret       TEXT NOT NULL,
    is_active    BOOLEAN NOT NULL
);
CREATE INDEX endpoints_list ON endpoints (workspace_id, mode, id);

CREATE TABLE calls (
    id              TEXT COLLATE "C" PRIMARY KEY,
    workspace_id    TEXT COLLATE "C" NOT NULL,
    mode            TEXT NOT NULL,
    direction       TEXT NOT NULL,
    state           TEXT NOT NULL,
    end_reason      TEXT NOT NULL,
    agent_id        TEXT COLLATE "C" NOT NULL,
    flow_id         TEXT NOT NULL,
    flow_version    BIGINT NOT NULL,
    phone_number_id TEXT NOT NULL,
    campaign_id     TEXT COLLATE "C" NOT NULL,
    from_number     TEXT NOT NULL,
    to_number       TEXT NOT NULL,
    record          BOOLEAN NOT NULL,
    max_duration    BIGINT NOT NULL,
    variables       TEXT NOT NULL,
    captured        TEXT NOT NULL,
    notes           TEXT NOT NULL,
    voice           TEXT NOT NULL,
    model           TEXT NOT NULL,
    recording       TEXT NOT NULL,
    sip_call_id     TEXT NOT NULL,
    analysis        TEXT NOT NULL,
    version         BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    dialed_at       BIGINT NOT NULL,
    ringing_at      BIGINT NOT NULL,
    answered_at     BIGINT NOT NULL,
    ended_at        BIGINT NOT NULL
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX calls_list ON calls (workspace_id, mode, created_at, id);
CREATE INDEX calls_by_state ON calls (workspace_id, mode, state, created_at, id);
CREATE INDEX calls_by_agent ON calls (workspace_id, mode, agent_id, created_at, id);
CREATE INDEX calls_by_callee ON calls (workspace_id, mode, to_number, created_at, id);
CREATE INDEX calls_by_campaign ON calls (workspace_id, mode, campaign_id, created_at, id) WHERE campaign_id <> '';
CREATE INDEX calls_active ON calls (workspace_id, mode) WHERE state IN ('dialing', 'ringing', 'in-progress');

CREATE TABLE attempts (
    id           TEXT COLLATE "C" PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    call_id      TEXT COLLATE "C" NOT NULL,
    number       TEXT NOT NULL,
    trunk_id     TEXT COLLATE "C" NOT NULL,
    try_number   BIGINT NOT NULL,
    state        TEXT NOT NULL,
    next_at      BIGINT NOT NULL,
    lease_until  BIGINT NOT NULL,
    claim        BIGINT NOT NULL,
    epoch        TEXT COLLATE "C" NOT NULL,
    sip_call_id  TEXT NOT NULL,
    dialog       BYTEA,
    end_reason   TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    ended_at     BIGINT NOT NULL,
    -- When it may be claimed: once due, or again when a claim's lease ran out.
    due_at       BIGINT GENERATED ALWAYS AS (
        CASE state WHEN 'planned' THEN next_at WHEN 'claimed' THEN lease_until END) STORED
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE UNIQUE INDEX attempts_try ON attempts (call_id, try_number);
CREATE INDEX attempts_due ON attempts (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX attempts_held ON attempts (id, epoch) WHERE state IN ('claimed', 'intent', 'ringing', 'answered');
-- At most one live call to a number.
CREATE UNIQUE INDEX attempts_live ON attempts (workspace_id, mode, number) WHERE state IN ('intent', 'ringing', 'answered');
CREATE INDEX attempts_live_trunk ON attempts (trunk_id) WHERE state IN ('intent', 'ringing', 'answered');

CREATE TABLE turns (
    call_id     TEXT COLLATE "C" NOT NULL,
    sequence    BIGINT NOT NULL,
    role        TEXT NOT NULL,
    text        TEXT NOT NULL,
    start_ms    BIGINT NOT NULL,
    end_ms      BIGINT NOT NULL,
    interrupted BOOLEAN NOT NULL,
    note        TEXT NOT NULL,
    node_id     TEXT NOT NULL,
    PRIMARY KEY (call_id, sequence)
);

CREATE TABLE nodes (
    epoch      TEXT COLLATE "C" PRIMARY KEY,
    address    TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    beat_at    BIGINT NOT NULL
);

CREATE TABLE events (
    id           TEXT COLLATE "C" PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    type         TEXT NOT NULL,
    call_id      TEXT COLLATE "C" NOT NULL,
    sequence     BIGINT NOT NULL,
    at           BIGINT NOT NULL
);
-- An event that is not about a call has no place in a sequence.
CREATE UNIQUE INDEX events_sequence ON events (call_id, sequence) WHERE call_id <> '';

CREATE TABLE deliveries (
    id           TEXT COLLATE "C" PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    event_id     TEXT NOT NULL,
    event_type   TEXT NOT NULL,
    endpoint_id  TEXT COLLATE "C" NOT NULL,
    call_id      TEXT COLLATE "C" NOT NULL,
    body         BYTEA,
    state        TEXT NOT NULL,
    next_at      BIGINT NOT NULL,
    lease_until  BIGINT NOT NULL,
    attempt      BIGINT NOT NULL,
    status_code  BIGINT NOT NULL,
    error        TEXT NOT NULL,
    response     TEXT NOT NULL,
    latency_ms   BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    finished_at  BIGINT NOT NULL,
    due_at       BIGINT GENERATED ALWAYS AS (
        CASE state WHEN 'pending' THEN GREATEST(next_at, lease_until) END) STORED
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX deliveries_due ON deliveries (due_at, id, endpoint_id) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_by_endpoint ON deliveries (endpoint_id, id);
CREATE INDEX deliveries_by_call ON deliveries (call_id, id) WHERE call_id <> '';

CREATE TABLE jobs (
    id           TEXT COLLATE "C" PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    kind         TEXT NOT NULL,
    subject      TEXT NOT NULL,
    state        TEXT NOT NULL,
    next_at      BIGINT NOT NULL,
    lease_until  BIGINT NOT NULL,
    attempt      BIGINT NOT NULL,
    error        TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    due_at       BIGINT GENERATED ALWAYS AS (
        CASE state WHEN 'pending' THEN GREATEST(next_at, lease_until) END) STORED
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02);
CREATE INDEX jobs_due ON jobs (kind, due_at, id) WHERE due_at IS NOT NULL;

CREATE TABLE idempotency (
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    key_id       TEXT NOT NULL,
    key          TEXT NOT NULL,
    request_hash BYTEA,
    status       BIGINT NOT NULL,
    body         BYTEA,
    created_at   BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, mode, key_id, key)
);
CREATE INDEX idempotency_age ON idempotency (created_at);

-- +goose Down
DROP TABLE idempotency;
DROP TABLE jobs;
DROP TABLE deliveries;
DROP TABLE events;
DROP TABLE nodes;
DROP TABLE turns;
DROP TABLE attempts;
DROP TABLE calls;
DROP TABLE endpoints;
DROP TABLE trunks;
DROP TABLE numbers;
DROP TABLE flow_versions;
DROP TABLE flows;
DROP TABLE agents;
DROP TABLE keys;
DROP TABLE workspaces;

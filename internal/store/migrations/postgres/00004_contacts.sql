-- +goose Up
CREATE TABLE contacts (
    id           TEXT COLLATE "C" PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    phone        TEXT NOT NULL,
    phones       TEXT NOT NULL,
    first_name   TEXT NOT NULL,
    last_name    TEXT NOT NULL,
    email        TEXT NOT NULL,
    company      TEXT NOT NULL,
    website      TEXT NOT NULL,
    timezone     TEXT NOT NULL,
    stage        TEXT NOT NULL,
    status       TEXT NOT NULL,
    address      TEXT NOT NULL,
    tags         TEXT NOT NULL,
    notes        TEXT NOT NULL,
    custom       TEXT NOT NULL,
    industry     TEXT NOT NULL,
    -- Names, e-mail address, company and numbers in lower case.
    searched     TEXT NOT NULL
);
CREATE INDEX contacts_list ON contacts (workspace_id, mode, id);
CREATE INDEX contacts_by_stage ON contacts (workspace_id, mode, stage, id);
CREATE INDEX contacts_by_status ON contacts (workspace_id, mode, status, id);

-- By what contacts are found: their numbers and tags.
CREATE TABLE contact_marks (
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    kind         TEXT NOT NULL,
    mark         TEXT NOT NULL,
    contact_id   TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (workspace_id, mode, kind, mark, contact_id)
);
CREATE INDEX contact_marks_of ON contact_marks (contact_id);

CREATE TABLE context_variables (
    id           TEXT COLLATE "C" PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    context_type TEXT NOT NULL,
    name         TEXT NOT NULL,
    display_name TEXT NOT NULL,
    description  TEXT NOT NULL,
    type         TEXT NOT NULL,
    options      TEXT NOT NULL
);
CREATE INDEX context_variables_list ON context_variables (workspace_id, mode, id);
CREATE UNIQUE INDEX context_variables_name ON context_variables (workspace_id, mode, context_type, name);

CREATE TABLE business_context (
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    context      TEXT NOT NULL,
    PRIMARY KEY (workspace_id, mode)
);

CREATE TABLE suppressions (
    id           TEXT COLLATE "C" PRIMARY KEY,
    workspace_id TEXT COLLATE "C" NOT NULL,
    mode         TEXT NOT NULL,
    number       TEXT NOT NULL,
    reason       TEXT NOT NULL,
    source       TEXT NOT NULL,
    call_id      TEXT COLLATE "C" NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE INDEX suppressions_list ON suppressions (workspace_id, mode, id);
CREATE UNIQUE INDEX suppressions_number ON suppressions (workspace_id, mode, number);

ALTER TABLE calls ADD COLUMN contact_id TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX calls_by_contact ON calls (workspace_id, mode, contact_id, id) WHERE contact_id <> '';
CREATE INDEX calls_by_caller ON calls (workspace_id, mode, from_number, id) WHERE direction = 'inbound';

-- +goose Down
DROP INDEX calls_by_caller;
DROP INDEX calls_by_contact;
ALTER TABLE calls DROP COLUMN contact_id;
DROP TABLE suppressions;
DROP TABLE business_context;
DROP TABLE context_variables;
DROP TABLE contact_marks;
DROP TABLE contacts;

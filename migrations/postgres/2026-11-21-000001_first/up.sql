-- The first schema. Its twin for SQLite has the same tables, columns and indexes.
-- Text sorts by bytes, as on SQLite.
-- Ids and structured parts are text, instants microseconds since 1970, days ISO text, versions count saves.

CREATE TABLE people (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    email TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    password_hash TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    version BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    person TEXT COLLATE "C" NOT NULL REFERENCES people (id),
    label TEXT COLLATE "C" NOT NULL,
    digest TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_keys_by_person ON api_keys (person, id);

CREATE TABLE vendors (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    legal_name TEXT COLLATE "C" NOT NULL,
    name_key TEXT COLLATE "C" NOT NULL UNIQUE,
    trade_name TEXT COLLATE "C",
    country TEXT COLLATE "C" NOT NULL,
    address TEXT COLLATE "C",
    role TEXT COLLATE "C" NOT NULL,
    tier TEXT COLLATE "C" NOT NULL,
    tier_note TEXT COLLATE "C",
    owner TEXT COLLATE "C" NOT NULL REFERENCES people (id),
    contacts TEXT COLLATE "C" NOT NULL,
    data_locations TEXT COLLATE "C" NOT NULL,
    lifecycle TEXT COLLATE "C" NOT NULL,
    lifecycle_since BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX vendors_by_lifecycle ON vendors (lifecycle, id);
CREATE INDEX vendors_by_tier ON vendors (tier, id);
CREATE INDEX vendors_by_owner ON vendors (owner, id);

CREATE TABLE assessments (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    vendor TEXT COLLATE "C" NOT NULL REFERENCES vendors (id),
    kind TEXT COLLATE "C" NOT NULL,
    template TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    open BOOLEAN NOT NULL,
    decided_at BIGINT,
    questionnaire TEXT COLLATE "C",
    answers TEXT COLLATE "C" NOT NULL,
    score TEXT COLLATE "C",
    opened_by TEXT COLLATE "C" NOT NULL,
    opened_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
-- One open round per vendor and kind.
CREATE UNIQUE INDEX assessments_open ON assessments (vendor, kind) WHERE open;
CREATE INDEX assessments_by_vendor ON assessments (vendor, id);
CREATE INDEX assessments_decided ON assessments (vendor, kind, decided_at);

CREATE TABLE evidence (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    vendor TEXT COLLATE "C" NOT NULL REFERENCES vendors (id),
    name TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    issued TEXT COLLATE "C" NOT NULL,
    expires TEXT COLLATE "C",
    mandatory BOOLEAN NOT NULL,
    sha256 TEXT COLLATE "C" NOT NULL,
    bytes BIGINT NOT NULL,
    uploaded_by TEXT COLLATE "C" NOT NULL,
    uploaded_at BIGINT NOT NULL,
    accepted_by TEXT COLLATE "C"
);
CREATE INDEX evidence_by_vendor ON evidence (vendor, id);

CREATE TABLE agreements (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    vendor TEXT COLLATE "C" NOT NULL REFERENCES vendors (id),
    reference TEXT COLLATE "C" NOT NULL UNIQUE,
    kind TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    ended_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX agreements_by_vendor ON agreements (vendor, id);

CREATE TABLE agreement_versions (
    agreement TEXT COLLATE "C" NOT NULL REFERENCES agreements (id),
    number INTEGER NOT NULL,
    terms TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    -- The beginning of a signed version; none otherwise.
    signed_from BIGINT,
    document TEXT COLLATE "C",
    author TEXT COLLATE "C" NOT NULL,
    authors TEXT COLLATE "C" NOT NULL,
    approver TEXT COLLATE "C",
    comment TEXT COLLATE "C",
    signatures TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (agreement, number)
);
CREATE INDEX agreement_versions_signed ON agreement_versions (agreement, signed_from);

CREATE TABLE sources (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL,
    location TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);

CREATE TABLE subject_domains (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    logical_type TEXT COLLATE "C" NOT NULL
);

CREATE TABLE datasets (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    source TEXT COLLATE "C" NOT NULL REFERENCES sources (id),
    table_name TEXT COLLATE "C" NOT NULL,
    fields TEXT COLLATE "C" NOT NULL,
    subject_field TEXT COLLATE "C" NOT NULL,
    subject_domain TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX datasets_by_source ON datasets (source);

CREATE TABLE permits (
    key TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    agreement TEXT COLLATE "C" NOT NULL REFERENCES agreements (id),
    vendor TEXT COLLATE "C" NOT NULL REFERENCES vendors (id),
    paused_at BIGINT,
    ended_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX permits_by_agreement ON permits (agreement, key);
CREATE INDEX permits_by_vendor ON permits (vendor, key);

CREATE TABLE permit_revisions (
    permit TEXT COLLATE "C" NOT NULL REFERENCES permits (key),
    number INTEGER NOT NULL,
    agreement_version INTEGER NOT NULL,
    dataset TEXT COLLATE "C" NOT NULL,
    terms TEXT COLLATE "C" NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    policy TEXT COLLATE "C",
    author TEXT COLLATE "C" NOT NULL,
    authors TEXT COLLATE "C" NOT NULL,
    approver TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    in_force_at BIGINT,
    PRIMARY KEY (permit, number)
);
-- A permit says one thing at a time.
CREATE INDEX permit_revisions_in_force ON permit_revisions (permit, in_force_at) WHERE status = 'in_force';
CREATE INDEX permit_revisions_by_dataset ON permit_revisions (dataset, permit);

CREATE TABLE clients (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    vendor TEXT COLLATE "C" NOT NULL REFERENCES vendors (id),
    name TEXT COLLATE "C" NOT NULL,
    permits TEXT COLLATE "C",
    secret_digest TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    revoked_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX clients_by_vendor ON clients (vendor, id);

CREATE TABLE tokens (
    id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    client TEXT COLLATE "C" NOT NULL REFERENCES clients (id),
    vendor TEXT COLLATE "C" NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);
CREATE INDEX tokens_by_client ON tokens (client, expires_at);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

CREATE TABLE sealed_keys (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sealed BYTEA NOT NULL,
    public TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    retired_at BIGINT
);

CREATE TABLE quota_use (
    permit TEXT COLLATE "C" NOT NULL,
    day TEXT COLLATE "C" NOT NULL,
    used BIGINT NOT NULL,
    PRIMARY KEY (permit, day)
);

CREATE TABLE open_streams (
    release_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    broker TEXT COLLATE "C" NOT NULL,
    vendor TEXT COLLATE "C" NOT NULL,
    client TEXT COLLATE "C" NOT NULL,
    permit TEXT COLLATE "C" NOT NULL,
    dataset TEXT COLLATE "C" NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    opened_at BIGINT NOT NULL
);
CREATE INDEX open_streams_by_broker ON open_streams (broker, release_id);

CREATE TABLE tolls (
    release_id TEXT COLLATE "C" NOT NULL REFERENCES open_streams (release_id),
    number BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    segment TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (release_id, number)
);

-- A missing row counts as 0; `all` is the global counter.
CREATE TABLE counters (
    scope TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);

-- How many entries have a position; the next position.
CREATE TABLE history_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    size BIGINT NOT NULL
);
INSERT INTO history_head (id, size) VALUES (1, 0);

CREATE SEQUENCE history_order MINVALUE 0 START 0 CACHE 1;

CREATE TABLE history_entries (
    -- The order in which rights were held: drawn from `history_order` while the gate is held.
    order_no BIGINT NOT NULL PRIMARY KEY,
    -- Contiguous from 0; none while the entry is pending.
    position BIGINT UNIQUE,
    at BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    bytes BYTEA NOT NULL,
    -- Erasable text beside the leaf and its salt; bytes, because it may hold any character.
    beside BYTEA,
    beside_salt TEXT COLLATE "C",
    noun TEXT COLLATE "C",
    vendor TEXT COLLATE "C",
    client TEXT COLLATE "C",
    permit TEXT COLLATE "C",
    dataset TEXT COLLATE "C",
    purpose TEXT COLLATE "C",
    outcome TEXT COLLATE "C",
    gate TEXT COLLATE "C",
    person TEXT COLLATE "C",
    release_id TEXT COLLATE "C",
    -- The digest that a `policy` entry is named by.
    policy TEXT COLLATE "C"
);
CREATE INDEX history_pending ON history_entries (order_no) WHERE position IS NULL;
CREATE INDEX history_by_time ON history_entries (at);
CREATE INDEX history_by_kind ON history_entries (kind, position);
CREATE INDEX history_by_vendor ON history_entries (vendor, position) WHERE vendor IS NOT NULL;
CREATE INDEX history_by_permit ON history_entries (permit, position) WHERE permit IS NOT NULL;
CREATE INDEX history_by_dataset ON history_entries (dataset, position) WHERE dataset IS NOT NULL;
CREATE INDEX history_by_purpose ON history_entries (purpose, position) WHERE purpose IS NOT NULL;
CREATE INDEX history_by_outcome ON history_entries (outcome, position) WHERE outcome IS NOT NULL;
CREATE INDEX history_by_gate ON history_entries (gate, position) WHERE gate IS NOT NULL;
CREATE INDEX history_by_person ON history_entries (person, position) WHERE person IS NOT NULL;
CREATE INDEX history_by_release ON history_entries (release_id, position) WHERE release_id IS NOT NULL;
CREATE INDEX history_by_policy ON history_entries (policy) WHERE policy IS NOT NULL;

-- Small segments of the subject ledger; large ones are files.
CREATE TABLE segments (
    digest TEXT NOT NULL PRIMARY KEY,
    bytes BYTEA NOT NULL
);

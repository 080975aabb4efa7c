-- The first schema. Its twin for PostgreSQL has the same tables, columns and indexes.
-- Ids and structured parts are text, instants microseconds since 1970, days ISO text, versions count saves.

CREATE TABLE people (
    id TEXT NOT NULL PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    label TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE INDEX api_keys_by_person ON api_keys (person, id);

CREATE TABLE vendors (
    id TEXT NOT NULL PRIMARY KEY,
    legal_name TEXT NOT NULL,
    name_key TEXT NOT NULL UNIQUE,
    trade_name TEXT,
    country TEXT NOT NULL,
    address TEXT,
    role TEXT NOT NULL,
    tier TEXT NOT NULL,
    tier_note TEXT,
    owner TEXT NOT NULL REFERENCES people (id),
    contacts TEXT NOT NULL,
    data_locations TEXT NOT NULL,
    lifecycle TEXT NOT NULL,
    lifecycle_since INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX vendors_by_lifecycle ON vendors (lifecycle, id);
CREATE INDEX vendors_by_tier ON vendors (tier, id);
CREATE INDEX vendors_by_owner ON vendors (owner, id);

CREATE TABLE assessments (
    id TEXT NOT NULL PRIMARY KEY,
    vendor TEXT NOT NULL REFERENCES vendors (id),
    kind TEXT NOT NULL,
    template TEXT NOT NULL,
    status TEXT NOT NULL,
    open INTEGER NOT NULL,
    decided_at INTEGER,
    questionnaire TEXT,
    answers TEXT NOT NULL,
    score TEXT,
    opened_by TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
-- One open round per vendor and kind.
CREATE UNIQUE INDEX assessments_open ON assessments (vendor, kind) WHERE open;
CREATE INDEX assessments_by_vendor ON assessments (vendor, id);
CREATE INDEX assessments_decided ON assessments (vendor, kind, decided_at);

CREATE TABLE evidence (
    id TEXT NOT NULL PRIMARY KEY,
    vendor TEXT NOT NULL REFERENCES vendors (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    issued TEXT NOT NULL,
    expires TEXT,
    mandatory INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    uploaded_by TEXT NOT NULL,
    uploaded_at INTEGER NOT NULL,
    accepted_by TEXT
) STRICT;
CREATE INDEX evidence_by_vendor ON evidence (vendor, id);

CREATE TABLE agreements (
    id TEXT NOT NULL PRIMARY KEY,
    vendor TEXT NOT NULL REFERENCES vendors (id),
    reference TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX agreements_by_vendor ON agreements (vendor, id);

CREATE TABLE agreement_versions (
    agreement TEXT NOT NULL REFERENCES agreements (id),
    number INTEGER NOT NULL,
    terms TEXT NOT NULL,
    status TEXT NOT NULL,
    -- The beginning of a signed version; none otherwise.
    signed_from INTEGER,
    document TEXT,
    author TEXT NOT NULL,
    authors TEXT NOT NULL,
    approver TEXT,
    comment TEXT,
    signatures TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (agreement, number)
) STRICT;
CREATE INDEX agreement_versions_signed ON agreement_versions (agreement, signed_from);

CREATE TABLE sources (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    location TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE subject_domains (
    name TEXT NOT NULL PRIMARY KEY,
    logical_type TEXT NOT NULL
) STRICT;

CREATE TABLE datasets (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    source TEXT NOT NULL REFERENCES sources (id),
    table_name TEXT NOT NULL,
    fields TEXT NOT NULL,
    subject_field TEXT NOT NULL,
    subject_domain TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX datasets_by_source ON datasets (source);

CREATE TABLE permits (
    key TEXT NOT NULL PRIMARY KEY,
    agreement TEXT NOT NULL REFERENCES agreements (id),
    vendor TEXT NOT NULL REFERENCES vendors (id),
    paused_at INTEGER,
    ended_at INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX permits_by_agreement ON permits (agreement, key);
CREATE INDEX permits_by_vendor ON permits (vendor, key);

CREATE TABLE permit_revisions (
    permit TEXT NOT NULL REFERENCES permits (key),
    number INTEGER NOT NULL,
    agreement_version INTEGER NOT NULL,
    dataset TEXT NOT NULL,
    terms TEXT NOT NULL,
    status TEXT NOT NULL,
    policy TEXT,
    author TEXT NOT NULL,
    authors TEXT NOT NULL,
    approver TEXT,
    created_at INTEGER NOT NULL,
    in_force_at INTEGER,
    PRIMARY KEY (permit, number)
) STRICT;
-- A permit says one thing at a time.
CREATE INDEX permit_revisions_in_force ON permit_revisions (permit, in_force_at) WHERE status = 'in_force';
CREATE INDEX permit_revisions_by_dataset ON permit_revisions (dataset, permit);

CREATE TABLE clients (
    id TEXT NOT NULL PRIMARY KEY,
    vendor TEXT NOT NULL REFERENCES vendors (id),
    name TEXT NOT NULL,
    permits TEXT,
    secret_digest TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX clients_by_vendor ON clients (vendor, id);

CREATE TABLE tokens (
    id TEXT NOT NULL PRIMARY KEY,
    client TEXT NOT NULL REFERENCES clients (id),
    vendor TEXT NOT NULL,
    scope TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;
CREATE INDEX tokens_by_client ON tokens (client, expires_at);
CREATE INDEX tokens_by_expiry ON tokens (expires_at);

CREATE TABLE sealed_keys (
    name TEXT NOT NULL PRIMARY KEY,
    sealed BLOB NOT NULL,
    public TEXT,
    created_at INTEGER NOT NULL,
    retired_at INTEGER
) STRICT;

CREATE TABLE quota_use (
    permit TEXT NOT NULL,
    day TEXT NOT NULL,
    used INTEGER NOT NULL,
    PRIMARY KEY (permit, day)
) STRICT;

CREATE TABLE open_streams (
    release_id TEXT NOT NULL PRIMARY KEY,
    broker TEXT NOT NULL,
    vendor TEXT NOT NULL,
    client TEXT NOT NULL,
    permit TEXT NOT NULL,
    dataset TEXT NOT NULL,
    purpose TEXT NOT NULL,
    opened_at INTEGER NOT NULL
) STRICT;
CREATE INDEX open_streams_by_broker ON open_streams (broker, release_id);

CREATE TABLE tolls (
    release_id TEXT NOT NULL REFERENCES open_streams (release_id),
    number INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    segment TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (release_id, number)
) STRICT;

-- A missing row counts as 0; `all` is the global counter.
CREATE TABLE counters (
    scope TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT;

-- How many entries have a position; the next position.
CREATE TABLE history_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL
) STRICT;
INSERT INTO history_head (id, size) VALUES (1, 0);

CREATE TABLE history_entries (
    -- The order in which rights were held; the position itself on SQLite.
    order_no INTEGER NOT NULL PRIMARY KEY,
    -- Contiguous from 0; none while the entry is pending.
    position INTEGER UNIQUE,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    hash TEXT NOT NULL,
    bytes BLOB NOT NULL,
    -- Erasable text beside the leaf and its salt; bytes, because it may hold any character.
    beside BLOB,
    beside_salt TEXT,
    noun TEXT,
    vendor TEXT,
    client TEXT,
    permit TEXT,
    dataset TEXT,
    purpose TEXT,
    outcome TEXT,
    gate TEXT,
    person TEXT,
    release_id TEXT,
    -- The digest that a `policy` entry is named by.
    policy TEXT
) STRICT;
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
    bytes BLOB NOT NULL
) STRICT;

-- How people sign in to the pages. Secrets are kept as digests, second factors sealed.

CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    person TEXT NOT NULL REFERENCES people (id),
    stage TEXT NOT NULL,
    browser TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_person ON sessions (person, id);
CREATE INDEX sessions_by_end ON sessions (ends_at);

-- One row for each account, address or device that failed lately.
CREATE TABLE sign_in_failures (
    bucket TEXT NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    open_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_in_failures_by_time ON sign_in_failures (last_at);

-- Links that set a password once: the first administrator's, invitations, resets.
CREATE TABLE password_links (
    digest TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    person TEXT REFERENCES people (id),
    created_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX password_links_by_person ON password_links (person);

CREATE TABLE second_factors (
    person TEXT NOT NULL PRIMARY KEY REFERENCES people (id),
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    confirmed_at INTEGER,
    -- The time step of the last code taken: no code is good twice.
    last_step INTEGER NOT NULL
) STRICT;

CREATE TABLE recovery_codes (
    digest TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL REFERENCES people (id),
    used_at INTEGER
) STRICT;
CREATE INDEX recovery_codes_by_person ON recovery_codes (person);

-- Forms that were sent, so that sending one twice does its act once.
CREATE TABLE sent_forms (
    digest TEXT NOT NULL PRIMARY KEY,
    sent_at INTEGER NOT NULL,
    -- Where the act led; NULL while it is being done, empty where it showed something once.
    led_to TEXT
) STRICT;
CREATE INDEX sent_forms_by_time ON sent_forms (sent_at);

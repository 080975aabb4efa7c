-- What people said: consent, objection, restriction, opt-out. Subjects are keyed hashes; no key of a person is kept.

-- How many records there are: the number of the last one is the watermark that a release names.
CREATE TABLE consent_head (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    watermark INTEGER NOT NULL
) STRICT;
INSERT INTO consent_head (id, watermark) VALUES (1, 0);

-- Every record, as it came.
CREATE TABLE consent_records (
    watermark INTEGER NOT NULL PRIMARY KEY,
    record TEXT NOT NULL UNIQUE,
    domain TEXT NOT NULL,
    subject INTEGER NOT NULL,
    signal TEXT NOT NULL,
    -- Empty for a signal that is not about one purpose.
    purpose TEXT NOT NULL,
    stands INTEGER NOT NULL,
    event_at INTEGER NOT NULL,
    ends_at INTEGER,
    recorded_at INTEGER NOT NULL,
    recorded_by TEXT,
    notice TEXT,
    channel TEXT,
    jurisdiction TEXT
) STRICT;
CREATE INDEX consent_records_by_subject ON consent_records (domain, subject, watermark);

-- What counts on each matter: the record with the latest event.
CREATE TABLE consent_standings (
    domain TEXT NOT NULL,
    signal TEXT NOT NULL,
    purpose TEXT NOT NULL,
    subject INTEGER NOT NULL,
    stands INTEGER NOT NULL,
    event_at INTEGER NOT NULL,
    ends_at INTEGER,
    watermark INTEGER NOT NULL,
    PRIMARY KEY (domain, signal, purpose, subject)
) STRICT;
-- Those for whom it stands, all that is read of them: far fewer than those of whom anything is known.
CREATE INDEX consent_standings_standing ON consent_standings (domain, signal, purpose, subject, ends_at, watermark) WHERE stands = 1;
-- What changed since a watermark.
CREATE INDEX consent_standings_by_watermark ON consent_standings (domain, signal, purpose, watermark);

-- How many persons there are on each matter, and for how many it stands: no page counts millions.
CREATE TABLE consent_counts (
    domain TEXT NOT NULL,
    signal TEXT NOT NULL,
    purpose TEXT NOT NULL,
    subjects INTEGER NOT NULL,
    standing INTEGER NOT NULL,
    PRIMARY KEY (domain, signal, purpose)
) STRICT;

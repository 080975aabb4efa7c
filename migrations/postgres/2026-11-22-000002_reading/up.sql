-- What the pages read: columns that lists sort and filter by, counts by the hour, and indexes.

-- When the vendor's next review falls due: the end of its latest decided security assessment, if that was an approval.
ALTER TABLE vendors ADD COLUMN review_until BIGINT;
UPDATE vendors SET review_until = (
    SELECT CAST(extract(epoch FROM CAST(substring(latest.status FROM '"valid_until":"([0-9TZ:.-]+)"\}$') AS timestamptz)) * 1000000 AS BIGINT)
    FROM assessments AS latest
    WHERE latest.vendor = vendors.id AND latest.kind = 'security' AND latest.decided_at IS NOT NULL
    ORDER BY latest.decided_at DESC, latest.id DESC LIMIT 1
) WHERE lifecycle <> 'retired';

-- The key of the state that `status` holds whole. Its JSON is read as text: what people wrote may hold what `jsonb` refuses.
ALTER TABLE assessments ADD COLUMN state TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE assessments SET state = substring(status FROM '^\{"status":"([a-z_]+)"');
ALTER TABLE agreement_versions ADD COLUMN state TEXT COLLATE "C" NOT NULL DEFAULT '';
-- The end of a signed version that has one; none otherwise.
ALTER TABLE agreement_versions ADD COLUMN signed_until BIGINT;
UPDATE agreement_versions SET state = substring(status FROM '^\{"status":"([a-z_]+)"');
UPDATE agreement_versions SET
    signed_until = CAST(extract(epoch FROM CAST(substring(status FROM '"until":"([0-9TZ:.-]+)"') AS timestamptz)) * 1000000 AS BIGINT)
WHERE state = 'signed';

-- How many entries of a kind have a position, by the hour since 1970 in which they were made, and where they lie.
CREATE TABLE history_hours (
    hour BIGINT NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    entries BIGINT NOT NULL,
    first_position BIGINT NOT NULL,
    last_position BIGINT NOT NULL,
    PRIMARY KEY (hour, kind)
);
INSERT INTO history_hours (hour, kind, entries, first_position, last_position)
SELECT at / 3600000000, kind, count(*), min(position), max(position)
FROM history_entries WHERE position IS NOT NULL GROUP BY at / 3600000000, kind;

CREATE INDEX vendors_by_review ON vendors (coalesce(review_until, 9223372036854775807), id);
CREATE INDEX vendors_by_rank ON vendors (
    (CASE tier WHEN 'critical' THEN 0 WHEN 'important' THEN 1 WHEN 'standard' THEN 2 ELSE 3 END), id
);
CREATE INDEX assessments_by_state ON assessments (state, id) WHERE open;
CREATE INDEX agreement_versions_by_state ON agreement_versions (state, created_at);
-- Holds all that a count of what is in force asks for.
CREATE INDEX agreement_versions_standing ON agreement_versions (signed_from, signed_until, agreement, number) WHERE signed_from IS NOT NULL;
CREATE INDEX agreement_versions_by_end ON agreement_versions (signed_until) WHERE signed_until IS NOT NULL;
CREATE INDEX evidence_by_end ON evidence (expires) WHERE expires IS NOT NULL;
CREATE INDEX permits_paused ON permits (paused_at) WHERE paused_at IS NOT NULL AND ended_at IS NULL;
CREATE INDEX permit_revisions_proposed ON permit_revisions (created_at) WHERE status = 'proposed';

-- The newest release of a vendor, permit or client without a walk past its refusals.
CREATE INDEX history_by_vendor_kind ON history_entries (vendor, kind, position) WHERE vendor IS NOT NULL;
CREATE INDEX history_by_vendor_outcome ON history_entries (vendor, outcome, position) WHERE vendor IS NOT NULL;
CREATE INDEX history_by_permit_kind ON history_entries (permit, kind, position) WHERE permit IS NOT NULL;
CREATE INDEX history_by_client_kind ON history_entries (client, kind, position) WHERE client IS NOT NULL;
-- One dataset may be in nearly every entry, so what is rare among its entries has an index of its own.
CREATE INDEX history_by_dataset_kind ON history_entries (dataset, kind, position) WHERE dataset IS NOT NULL;
CREATE INDEX history_by_dataset_outcome ON history_entries (dataset, outcome, position) WHERE dataset IS NOT NULL;

-- The purpose that `terms` holds whole: the list of permits is narrowed to it.
ALTER TABLE permit_revisions ADD COLUMN purpose TEXT COLLATE "C" NOT NULL DEFAULT '';
UPDATE permit_revisions SET purpose = substring(terms FROM '"purpose":"([a-z0-9_-]+)"');
CREATE INDEX permit_revisions_by_purpose ON permit_revisions (purpose, permit);
-- The list of agreements is narrowed to a kind, newest first.
CREATE INDEX agreements_by_kind ON agreements (kind, id);

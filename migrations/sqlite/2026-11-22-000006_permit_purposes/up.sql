-- The purpose that `terms` holds whole: the list of permits is narrowed to it.
ALTER TABLE permit_revisions ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
UPDATE permit_revisions SET purpose = json_extract(terms, '$.purpose');
CREATE INDEX permit_revisions_by_purpose ON permit_revisions (purpose, permit);
-- The list of agreements is narrowed to a kind, newest first.
CREATE INDEX agreements_by_kind ON agreements (kind, id);

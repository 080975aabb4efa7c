DROP INDEX agreements_by_kind;
DROP INDEX permit_revisions_by_purpose;
ALTER TABLE permit_revisions DROP COLUMN purpose;

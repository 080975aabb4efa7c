ALTER TABLE permit_revisions DROP COLUMN version;

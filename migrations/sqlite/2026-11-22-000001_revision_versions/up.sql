-- A change of a revision names the version it was based on.
ALTER TABLE permit_revisions ADD COLUMN version INTEGER NOT NULL DEFAULT 1;

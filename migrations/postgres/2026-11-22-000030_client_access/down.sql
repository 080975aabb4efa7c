ALTER TABLE clients DROP COLUMN old_secret_until;
ALTER TABLE clients DROP COLUMN old_secret_digest;
ALTER TABLE clients DROP COLUMN addresses;

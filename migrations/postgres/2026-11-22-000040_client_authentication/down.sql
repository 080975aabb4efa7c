-- No secret has this digest: clients without one stay without.
DROP TABLE activation_links;
DROP TABLE used_once;
DROP INDEX tokens_by_secret;
ALTER TABLE tokens DROP COLUMN bound_to;
ALTER TABLE tokens DROP COLUMN secret_digest;
ALTER TABLE tokens DROP COLUMN kind;
UPDATE clients SET secret_digest = '0000000000000000000000000000000000000000000000000000000000000000' WHERE secret_digest IS NULL;
ALTER TABLE clients ALTER COLUMN secret_digest SET NOT NULL;
ALTER TABLE clients DROP COLUMN dpop;
ALTER TABLE clients DROP COLUMN authentication;

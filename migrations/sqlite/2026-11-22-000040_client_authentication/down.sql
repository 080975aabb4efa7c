-- No secret has this digest: clients without one stay without.
DROP TABLE activation_links;
DROP TABLE used_once;
DROP INDEX tokens_by_secret;
ALTER TABLE tokens DROP COLUMN bound_to;
ALTER TABLE tokens DROP COLUMN secret_digest;
ALTER TABLE tokens DROP COLUMN kind;
ALTER TABLE clients RENAME COLUMN secret_digest TO later_secret_digest;
ALTER TABLE clients ADD COLUMN secret_digest TEXT NOT NULL DEFAULT '0000000000000000000000000000000000000000000000000000000000000000';
UPDATE clients SET secret_digest = coalesce(later_secret_digest, '0000000000000000000000000000000000000000000000000000000000000000');
ALTER TABLE clients DROP COLUMN later_secret_digest;
ALTER TABLE clients DROP COLUMN dpop;
ALTER TABLE clients DROP COLUMN authentication;

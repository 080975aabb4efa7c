-- How a client proves who it is (JSON), and whether its tokens are bound to a key. One with keys has no secret, and one with
-- a secret has none before it was collected.
ALTER TABLE clients ADD COLUMN authentication TEXT NOT NULL DEFAULT '{"kind":"secret"}';
ALTER TABLE clients ADD COLUMN dpop TEXT NOT NULL DEFAULT 'optional';
ALTER TABLE clients RENAME COLUMN secret_digest TO former_secret_digest;
ALTER TABLE clients ADD COLUMN secret_digest TEXT;
UPDATE clients SET secret_digest = former_secret_digest;
ALTER TABLE clients DROP COLUMN former_secret_digest;

-- Plain bearer tokens are found by their secret; tokens that are bound to a key name it.
ALTER TABLE tokens ADD COLUMN kind TEXT NOT NULL DEFAULT 'access';
ALTER TABLE tokens ADD COLUMN secret_digest TEXT;
ALTER TABLE tokens ADD COLUMN bound_to TEXT;
CREATE UNIQUE INDEX tokens_by_secret ON tokens (secret_digest) WHERE secret_digest IS NOT NULL;

-- What is taken once: assertions of clients and proofs of keys, until their age alone refuses them.
CREATE TABLE used_once (
    name TEXT NOT NULL PRIMARY KEY,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX used_once_by_end ON used_once (until);

-- Links by which a vendor collects a secret or a token, once.
CREATE TABLE activation_links (
    digest TEXT NOT NULL PRIMARY KEY,
    client TEXT NOT NULL REFERENCES clients (id),
    token TEXT,
    grace_seconds INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    used_at INTEGER
) STRICT;
CREATE INDEX activation_links_by_client ON activation_links (client);

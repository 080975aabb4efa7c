-- How a client proves who it is (JSON), and whether its tokens are bound to a key. One with keys has no secret, and one with
-- a secret has none before it was collected.
ALTER TABLE clients ADD COLUMN authentication TEXT COLLATE "C" NOT NULL DEFAULT '{"kind":"secret"}';
ALTER TABLE clients ADD COLUMN dpop TEXT COLLATE "C" NOT NULL DEFAULT 'optional';
ALTER TABLE clients ALTER COLUMN secret_digest DROP NOT NULL;

-- Plain bearer tokens are found by their secret; tokens that are bound to a key name it.
ALTER TABLE tokens ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT 'access';
ALTER TABLE tokens ADD COLUMN secret_digest TEXT COLLATE "C";
ALTER TABLE tokens ADD COLUMN bound_to TEXT COLLATE "C";
CREATE UNIQUE INDEX tokens_by_secret ON tokens (secret_digest) WHERE secret_digest IS NOT NULL;

-- What is taken once: assertions of clients and proofs of keys, until their age alone refuses them.
CREATE TABLE used_once (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    until BIGINT NOT NULL
);
CREATE INDEX used_once_by_end ON used_once (until);

-- Links by which a vendor collects a secret or a token, once.
CREATE TABLE activation_links (
    digest TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    client TEXT COLLATE "C" NOT NULL REFERENCES clients (id),
    token TEXT COLLATE "C",
    grace_seconds BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE INDEX activation_links_by_client ON activation_links (client);

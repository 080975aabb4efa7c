-- The life of each key that signs tokens. Its private half stays in sealed_keys, under 'signing/<kid>', while it may sign.
CREATE TABLE signing_keys (
    kid TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    public TEXT COLLATE "C" NOT NULL,
    made_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    retired_at BIGINT,
    leaves_at BIGINT,
    revoked_at BIGINT,
    reason TEXT COLLATE "C"
);
-- Of the keys there were, the newest signs on; those before it go when the longest token (900 s and 10 s of skew) is over.
INSERT INTO signing_keys (kid, public, made_at, signs_from, retired_at, leaves_at)
SELECT substr(name, 9), public, created_at, created_at, retired_at, retired_at + 910000000
FROM sealed_keys WHERE name LIKE 'signing/%' AND public IS NOT NULL;
UPDATE signing_keys SET
    retired_at = (SELECT max(made_at) FROM signing_keys),
    leaves_at = (SELECT max(made_at) FROM signing_keys) + 910000000
WHERE retired_at IS NULL AND made_at < (SELECT max(made_at) FROM signing_keys WHERE retired_at IS NULL);
UPDATE sealed_keys SET public = NULL, retired_at = NULL WHERE name LIKE 'signing/%';

-- Which key signed a token; none for one that is no signed token.
ALTER TABLE tokens ADD COLUMN kid TEXT COLLATE "C";
UPDATE tokens SET kid = (SELECT kid FROM signing_keys WHERE retired_at IS NULL LIMIT 1) WHERE kind = 'access';

-- The last stop of everything; no row before the first.
CREATE TABLE kill_switch (
    scope TEXT COLLATE "C" NOT NULL PRIMARY KEY CHECK (scope = 'everything'),
    stopped_at BIGINT NOT NULL,
    stopped_by TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C" NOT NULL,
    lifted_at BIGINT
);

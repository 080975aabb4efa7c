DROP TABLE kill_switch;
ALTER TABLE tokens DROP COLUMN kid;
-- Keys whose private half is destroyed have no place in the older schema: their tokens are over within 15 minutes anyway.
UPDATE sealed_keys SET
    public = (SELECT public FROM signing_keys WHERE kid = substr(sealed_keys.name, 9)),
    retired_at = (SELECT retired_at FROM signing_keys WHERE kid = substr(sealed_keys.name, 9))
WHERE name LIKE 'signing/%';
DROP TABLE signing_keys;

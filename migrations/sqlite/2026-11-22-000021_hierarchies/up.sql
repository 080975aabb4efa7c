-- Hierarchies that stewards handed in: a version of a name is never changed. `content` is the file as it came; `beginning`
-- are its first rows and `texts` the number of texts at each level, so that pages need not read it.
CREATE TABLE hierarchies (
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    digest TEXT NOT NULL,
    value_count INTEGER NOT NULL,
    texts TEXT NOT NULL,
    beginning TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    content TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (name, version)
) STRICT;

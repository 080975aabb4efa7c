-- Purposes and data categories that the house added; of a purpose `special` is false, of a category the other two are.
CREATE TABLE vocabulary_terms (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    direct_marketing INTEGER NOT NULL,
    sale INTEGER NOT NULL,
    special INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    retired_at INTEGER,
    PRIMARY KEY (kind, key)
) STRICT;

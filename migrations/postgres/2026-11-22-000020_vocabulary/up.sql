-- Purposes and data categories that the house added; of a purpose `special` is false, of a category the other two are.
CREATE TABLE vocabulary_terms (
    kind TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    title TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C" NOT NULL,
    direct_marketing BOOLEAN NOT NULL,
    sale BOOLEAN NOT NULL,
    special BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    retired_at BIGINT,
    PRIMARY KEY (kind, key)
);

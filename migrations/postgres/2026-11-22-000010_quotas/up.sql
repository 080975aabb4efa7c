-- Distinct subjects that left under a permit on a UTC day, where it limits them; `quota_use` holds their number.
ALTER TABLE quota_use ADD COLUMN subjects BIGINT NOT NULL DEFAULT 0;
CREATE TABLE subject_use (
    permit TEXT COLLATE "C" NOT NULL,
    day TEXT COLLATE "C" NOT NULL,
    subject BIGINT NOT NULL,
    PRIMARY KEY (permit, day, subject)
);

-- Requests of the newest minute in which a permit that limits them was used, counted from 1970.
CREATE TABLE request_use (
    permit TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    minute BIGINT NOT NULL,
    used BIGINT NOT NULL
);

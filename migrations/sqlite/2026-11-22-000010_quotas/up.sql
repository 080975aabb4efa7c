-- Distinct subjects that left under a permit on a UTC day, where it limits them; `quota_use` holds their number.
ALTER TABLE quota_use ADD COLUMN subjects INTEGER NOT NULL DEFAULT 0;
CREATE TABLE subject_use (
    permit TEXT NOT NULL,
    day TEXT NOT NULL,
    subject INTEGER NOT NULL,
    PRIMARY KEY (permit, day, subject)
) STRICT;

-- Requests of the newest minute in which a permit that limits them was used, counted from 1970.
CREATE TABLE request_use (
    permit TEXT NOT NULL PRIMARY KEY,
    minute INTEGER NOT NULL,
    used INTEGER NOT NULL
) STRICT;

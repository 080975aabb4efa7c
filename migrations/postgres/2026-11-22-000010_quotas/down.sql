DROP TABLE request_use;
DROP TABLE subject_use;
ALTER TABLE quota_use DROP COLUMN subjects;

DROP TABLE consent_counts;
DROP TABLE consent_standings;
DROP TABLE consent_records;
DROP TABLE consent_head;

DROP TABLE consent_counts;

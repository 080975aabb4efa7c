DROP TABLE sent_forms;
DROP TABLE recovery_codes;
DROP TABLE second_factors;
DROP TABLE password_links;
DROP TABLE sign_in_failures;
DROP TABLE sessions;

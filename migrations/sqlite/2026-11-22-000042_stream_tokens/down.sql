ALTER TABLE open_streams DROP COLUMN token;

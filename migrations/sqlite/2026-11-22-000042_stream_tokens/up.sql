-- The token that a stream was opened under: it is kept while the stream runs, so that its revocation stops the stream.
ALTER TABLE open_streams ADD COLUMN token TEXT;

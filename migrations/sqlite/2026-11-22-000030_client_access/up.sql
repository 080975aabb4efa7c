-- From which addresses a client may ask (JSON, none: any), and the secret before the present one while it is still taken.
ALTER TABLE clients ADD COLUMN addresses TEXT;
ALTER TABLE clients ADD COLUMN old_secret_digest TEXT;
ALTER TABLE clients ADD COLUMN old_secret_until INTEGER;

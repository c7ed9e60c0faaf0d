-- Up to where the sweeps have read, by the provider's clock: the next one looks back from there, however long ago that was.
ALTER TABLE pages_stream ADD COLUMN swept_to INTEGER NOT NULL DEFAULT 0;
UPDATE pages_stream SET swept_to = head_to;
ALTER TABLE collect_stream ADD COLUMN swept_to INTEGER NOT NULL DEFAULT 0;
UPDATE collect_stream SET swept_to = head_to;

-- What sweeps have missed in an outage they read themselves now.
ALTER TABLE pages_span DROP COLUMN trail;

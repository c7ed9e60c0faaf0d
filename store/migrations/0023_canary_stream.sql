-- Which stream has the channel of a canary: a hub may have any name, and only records tell what is in it. Empty: not known.
ALTER TABLE canary_arrival ADD COLUMN stream TEXT NOT NULL DEFAULT '';
ALTER TABLE coverage_canary ADD COLUMN stream TEXT NOT NULL DEFAULT '';

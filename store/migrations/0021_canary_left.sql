-- Canaries that change something are written down before that is done, so that nothing is left in the tenant whatever happens.
ALTER TABLE canary ADD COLUMN done INTEGER NOT NULL DEFAULT 1 CHECK (done IN (0, 1)); -- 0: it is not known whether it was done
ALTER TABLE canary ADD COLUMN left INTEGER NOT NULL DEFAULT 0 CHECK (left IN (0, 1)); -- 1: what it left is not taken away

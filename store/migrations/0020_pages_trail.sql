-- A sweep (cursor 1) that goes with back-fill and before the long sweeps: it reads again what the sweeps would have read while nobody
-- collected.
ALTER TABLE pages_span ADD COLUMN trail INTEGER NOT NULL DEFAULT 0 CHECK (trail IN (0, 1));

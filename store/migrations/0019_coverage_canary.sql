-- What became of canaries, derived from the acts of package canary. Times are Unix milliseconds by our clock.

-- Batches whose canaries are in: behind next_batch only where an older version, which passed them over, has read further.
ALTER TABLE coverage_state ADD COLUMN canaries INTEGER NOT NULL DEFAULT 0;

-- A kind of canary, and each channel that acts have named with it.
CREATE TABLE coverage_canary_channel (
    id      INTEGER PRIMARY KEY,
    tenant  TEXT    NOT NULL,
    kind    TEXT    NOT NULL,              -- "sign-in"
    channel TEXT    NOT NULL,              -- empty: that it was planted, whatever shows it
    source  TEXT    NOT NULL,              -- that spoke of it last
    UNIQUE (tenant, kind, channel)
) STRICT;

CREATE TABLE coverage_canary (
    channel INTEGER NOT NULL,
    planted INTEGER NOT NULL,
    id      TEXT    NOT NULL,
    delay   INTEGER,                       -- ms until its record was durable; NULL: it has not come
    missing INTEGER NOT NULL CHECK (missing IN (0, 1)), -- an act has said that it is
    act     TEXT    NOT NULL,              -- that says so
    PRIMARY KEY (channel, planted, id)
) STRICT, WITHOUT ROWID;

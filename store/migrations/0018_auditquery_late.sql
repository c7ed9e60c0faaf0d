-- What the feed may bring after all of what it was said to lack (package collect/auditquery). All of it can be deleted with the row of
-- auditquery_check, and comes back from the journal.
ALTER TABLE auditquery_check ADD COLUMN followed INTEGER NOT NULL DEFAULT 0; -- records of the journal's batches before are in

-- Gaps that the journal has and does not call filled.
CREATE TABLE auditquery_gap (
    id      INTEGER PRIMARY KEY,
    tenant  TEXT    NOT NULL,
    code    TEXT    NOT NULL,           -- of the act
    source  TEXT    NOT NULL,           -- whose feed it is
    stream  TEXT    NOT NULL,
    subject TEXT    NOT NULL,           -- operation; empty: all that have no gap of their own
    hour    INTEGER NOT NULL,           -- since 1970
    come    INTEGER NOT NULL DEFAULT 0, -- records that the feed has brought since
    UNIQUE (tenant, code)
) STRICT;

-- Records that were kept for a gap, and that the feed has not brought.
CREATE TABLE auditquery_awaited (
    gap   INTEGER NOT NULL REFERENCES auditquery_gap (id) ON DELETE CASCADE,
    batch INTEGER NOT NULL,             -- its event id
    place INTEGER NOT NULL,
    key   BLOB    NOT NULL,             -- of its id at the provider
    time  INTEGER NOT NULL,             -- hour of its event since 1970
    PRIMARY KEY (batch, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX auditquery_awaited_gap ON auditquery_awaited (gap, key);
CREATE INDEX auditquery_awaited_key ON auditquery_awaited (key);

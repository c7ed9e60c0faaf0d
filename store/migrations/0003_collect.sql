-- Cursors of the collectors: what was listed and what of it is sealed. Everything
-- here can be lost: collecting starts over then, and the journal knows what it has.
-- Times are Unix milliseconds; "provider" says by whose clock, else it is ours.
CREATE TABLE collect_stream (
    id         INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    stream     TEXT    NOT NULL,             -- "Audit.Exchange"
    journal    TEXT    NOT NULL,             -- origin of the journal that what is sealed is in
    size       INTEGER NOT NULL DEFAULT 0,   -- ... and how many entries it must have
    began      INTEGER NOT NULL,             -- provider: the first start
    head_from  INTEGER NOT NULL,             -- provider: where the head's window begins
    head_to    INTEGER NOT NULL,             -- provider: the head has listed to here, or others will
    swept      INTEGER NOT NULL,             -- provider: when the whole retention was last swept
    announced  INTEGER NOT NULL DEFAULT 0,   -- the journal names the blobs up to this id
    asked      INTEGER NOT NULL DEFAULT 0,   -- provider: when a start of the subscription was last asked for
    enabled    INTEGER NOT NULL DEFAULT 0,   -- provider: when the subscription was last seen to be enabled
    blind      INTEGER NOT NULL DEFAULT 0,   -- provider: since when the subscription may be off; 0 if it is on
    refused    INTEGER NOT NULL DEFAULT 0,   -- provider: since when a permission is missing; 0 if none is
    late       INTEGER NOT NULL DEFAULT 0,   -- blobs that only a sweep has found
    lags       TEXT    NOT NULL DEFAULT '',  -- histogram of how late blobs become visible
    UNIQUE (tenant, stream)
) STRICT;

-- Stretches of the provider's time that are to be listed.
CREATE TABLE collect_span (
    id          INTEGER PRIMARY KEY,
    stream      INTEGER NOT NULL REFERENCES collect_stream (id) ON DELETE CASCADE,
    cursor      INTEGER NOT NULL CHECK (cursor IN (0, 1, 2)), -- head, sweep, backfill
    start       INTEGER NOT NULL,            -- provider
    stop        INTEGER NOT NULL,            -- provider
    width       INTEGER NOT NULL CHECK (width > 0), -- of the windows that it is listed in
    stage       INTEGER NOT NULL DEFAULT 0,  -- provider: end of the window under way; 0 if none is
    at          INTEGER NOT NULL DEFAULT 0,  -- provider: when its first page was asked for
    next        TEXT    NOT NULL DEFAULT '', -- link of its next page
    pages       INTEGER NOT NULL DEFAULT 0,  -- that it has had so far
    named       INTEGER NOT NULL DEFAULT 0,  -- blobs on them
    attempts    INTEGER NOT NULL DEFAULT 0,  -- that failed in a row
    due         INTEGER NOT NULL DEFAULT 0,  -- not to be tried before
    quarantined INTEGER NOT NULL DEFAULT 0 CHECK (quarantined IN (0, 1)),
    CHECK (start < stop)
) STRICT;

CREATE INDEX collect_span_stream ON collect_span (stream, start);

-- Blobs that were listed and are not sealed: the work.
CREATE TABLE collect_blob (
    id       INTEGER PRIMARY KEY AUTOINCREMENT, -- never used twice: see announced
    stream   INTEGER NOT NULL REFERENCES collect_stream (id) ON DELETE CASCADE,
    created  INTEGER NOT NULL,               -- provider
    key      BLOB    NOT NULL,               -- first 16 bytes of the content id's SHA-256
    content  TEXT    NOT NULL,               -- the content id
    uri      TEXT    NOT NULL,
    expires  INTEGER NOT NULL,               -- provider
    lane     INTEGER NOT NULL CHECK (lane IN (0, 1, 2, 3)), -- head, backfill, retry, quarantine
    place    INTEGER NOT NULL,               -- in the lane, least first: minus created, created, due, due
    attempts INTEGER NOT NULL DEFAULT 0,     -- that failed
    failing  INTEGER NOT NULL DEFAULT 0      -- since when; 0 if it never failed
) STRICT;

CREATE UNIQUE INDEX collect_blob_key ON collect_blob (stream, created, key);
CREATE INDEX collect_blob_lane ON collect_blob (stream, lane, place);

-- Blobs that are done with, as long as they can be listed again: by time, so that
-- new ones and those to forget are each in one place.
CREATE TABLE collect_done (
    stream  INTEGER NOT NULL REFERENCES collect_stream (id) ON DELETE CASCADE,
    created INTEGER NOT NULL,
    key     BLOB    NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (stream, created, key)
) STRICT, WITHOUT ROWID;

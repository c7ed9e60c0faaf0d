-- Positions of the collectors of paged APIs (collect/pages). Everything here can be lost: collecting starts over then,
-- and the journal knows what it has. Times are Unix milliseconds; "provider" says by whose clock, else it is ours.
CREATE TABLE pages_stream (
    id        INTEGER PRIMARY KEY,
    tenant    TEXT    NOT NULL,
    stream    TEXT    NOT NULL,             -- "signIns"
    journal   TEXT    NOT NULL,             -- origin of the journal that what was read is in
    size      INTEGER NOT NULL DEFAULT 0,   -- ... and how many entries it must have
    began     INTEGER NOT NULL,             -- provider: the first start
    head_from INTEGER NOT NULL,             -- provider: where the head's latest window began
    head_to   INTEGER NOT NULL,             -- provider: the head has read to here, or others will
    next      TEXT    NOT NULL DEFAULT '',  -- the provider's own cursor, where it has one
    swept     INTEGER NOT NULL,             -- provider: when the long sweep was last begun
    refused   INTEGER NOT NULL DEFAULT 0,   -- provider: since when a permission is missing; 0 if none is
    late      INTEGER NOT NULL DEFAULT 0,   -- records that only a sweep has found
    lags      TEXT    NOT NULL DEFAULT '',  -- histogram of how late records become visible
    UNIQUE (tenant, stream)
) STRICT;

-- Stretches of the provider's time that are to be read.
CREATE TABLE pages_span (
    id       INTEGER PRIMARY KEY,
    stream   INTEGER NOT NULL REFERENCES pages_stream (id) ON DELETE CASCADE,
    cursor   INTEGER NOT NULL CHECK (cursor IN (1, 2)), -- sweep, backfill
    start    INTEGER NOT NULL,              -- provider
    stop     INTEGER NOT NULL,              -- provider
    width    INTEGER NOT NULL CHECK (width > 0), -- of the windows that it is read in
    stage    INTEGER NOT NULL DEFAULT 0,    -- provider: end of the window under way; 0 if none is
    at       INTEGER NOT NULL DEFAULT 0,    -- provider: when its first page was asked for
    next     TEXT    NOT NULL DEFAULT '',   -- link of its next page
    pages    INTEGER NOT NULL DEFAULT 0,    -- that are in the journal
    records  INTEGER NOT NULL DEFAULT 0,    -- on them
    attempts INTEGER NOT NULL DEFAULT 0,    -- that failed in a row
    due      INTEGER NOT NULL DEFAULT 0,    -- not to be tried before
    aside    INTEGER NOT NULL DEFAULT 0 CHECK (aside IN (0, 1)),
    CHECK (start < stop)
) STRICT;

CREATE INDEX pages_span_stream ON pages_span (stream, start);

-- What a provider's contract says of a stream, as its collector told when it was started: after so long nearly all is
-- visible, and for so long it can be had. Zero: the platform's own values.
ALTER TABLE coverage_feed ADD COLUMN settle INTEGER NOT NULL DEFAULT 0; -- ms
ALTER TABLE coverage_feed ADD COLUMN keep   INTEGER NOT NULL DEFAULT 0; -- ms

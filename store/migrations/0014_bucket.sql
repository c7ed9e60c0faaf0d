-- Positions of the collectors of buckets (collect/bucket). Everything here can be lost: collecting starts over then, and the
-- journal knows what it has. Times are Unix milliseconds; "store" says by the bucket's clock, else it is ours.
CREATE TABLE bucket_stream (
    id        INTEGER PRIMARY KEY,
    tenant    TEXT    NOT NULL,
    stream    TEXT    NOT NULL,             -- "CloudTrail"
    journal   TEXT    NOT NULL,             -- origin of the journal that what is sealed is in
    size      INTEGER NOT NULL DEFAULT 0,   -- ... and how many entries it must have
    began     INTEGER NOT NULL,             -- store: the first start
    head_from INTEGER NOT NULL,             -- store: where the head's latest listing began
    head_to   INTEGER NOT NULL,             -- store: the head has listed to here, or others will
    fill_from INTEGER NOT NULL,             -- store: back-fill has still to list from here
    fill_to   INTEGER NOT NULL,             -- store: ... to here
    swept     INTEGER NOT NULL,             -- store: when everything was last listed
    refused   INTEGER NOT NULL DEFAULT 0,   -- store: since when a permission is missing; 0 if none is
    proved    INTEGER NOT NULL DEFAULT 0,   -- store: digests have proved what was delivered to here
    late      INTEGER NOT NULL DEFAULT 0,   -- objects that only a sweep has found
    lags      TEXT    NOT NULL DEFAULT '',  -- histogram of how late objects become visible
    UNIQUE (tenant, stream)
) STRICT;

-- Days that could not be listed and are tried now and then.
CREATE TABLE bucket_aside (
    stream   INTEGER NOT NULL REFERENCES bucket_stream (id) ON DELETE CASCADE,
    start    INTEGER NOT NULL,              -- store
    stop     INTEGER NOT NULL,              -- store
    attempts INTEGER NOT NULL DEFAULT 0,
    due      INTEGER NOT NULL,
    PRIMARY KEY (stream, start)
) STRICT, WITHOUT ROWID;

-- Objects that were listed and are not sealed: the work.
CREATE TABLE bucket_object (
    id       INTEGER PRIMARY KEY,
    stream   INTEGER NOT NULL REFERENCES bucket_stream (id) ON DELETE CASCADE,
    hash     BLOB    NOT NULL,              -- first 16 bytes of the key's SHA-256
    key      TEXT    NOT NULL,
    etag     TEXT    NOT NULL,              -- empty: whatever is there
    size     INTEGER NOT NULL,
    modified INTEGER NOT NULL,              -- store
    lane     INTEGER NOT NULL CHECK (lane IN (0, 1, 2, 3)), -- head, backfill, retry, quarantine
    place    INTEGER NOT NULL,              -- in the lane, least first: minus modified, modified, due, due
    attempts INTEGER NOT NULL DEFAULT 0,    -- that failed
    failing  INTEGER NOT NULL DEFAULT 0,    -- since when; 0 if it never failed
    reason   TEXT    NOT NULL DEFAULT ''    -- of the gap that it is, if it was put aside
) STRICT;

CREATE UNIQUE INDEX bucket_object_hash ON bucket_object (stream, hash);
CREATE INDEX bucket_object_lane ON bucket_object (stream, lane, place);

-- Objects that are done with, as long as they can be listed again.
CREATE TABLE bucket_done (
    stream   INTEGER NOT NULL REFERENCES bucket_stream (id) ON DELETE CASCADE,
    hash     BLOB    NOT NULL,
    etag     TEXT    NOT NULL,
    modified INTEGER NOT NULL,
    sums     BLOB    NOT NULL,              -- SHA-256 of the content, uncompressed; of each that it ever had
    PRIMARY KEY (stream, hash)
) STRICT, WITHOUT ROWID;

-- Digests of CloudTrail that were verified, and hours of which none was found.
CREATE TABLE bucket_digest (
    stream    INTEGER NOT NULL REFERENCES bucket_stream (id) ON DELETE CASCADE,
    hash      BLOB    NOT NULL,             -- of the key; of a missing one, of its chain and start
    chain     TEXT    NOT NULL,             -- account, region and trail
    start     INTEGER NOT NULL,             -- store
    stop      INTEGER NOT NULL,             -- store
    missing   INTEGER NOT NULL DEFAULT 0 CHECK (missing IN (0, 1)),
    sum       BLOB    NOT NULL,             -- SHA-256 of its content
    signature BLOB    NOT NULL,             -- SHA-256 of its signature in hex
    prev      BLOB    NOT NULL,             -- the one before it: its hash; empty: it says that there is none
    prev_sum  BLOB    NOT NULL,
    prev_sign BLOB    NOT NULL,
    PRIMARY KEY (stream, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX bucket_digest_chain ON bucket_digest (stream, chain, start);
CREATE INDEX bucket_digest_prev ON bucket_digest (stream, prev);

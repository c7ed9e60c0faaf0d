-- What was logged, derived from the journal's acts by package coverage. All of
-- it can be deleted and comes back by replay, as far as the journal still holds the
-- acts. Times are Unix milliseconds UTC by the provider's clock unless said
-- otherwise; event ids ("e12.345") name the acts that say it.
CREATE TABLE coverage_state (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    next_batch INTEGER NOT NULL               -- where the follower goes on reading
) STRICT;

INSERT INTO coverage_state VALUES (1, 0);

-- A stream of a tenant.
CREATE TABLE coverage_feed (
    id         INTEGER PRIMARY KEY,
    tenant     TEXT    NOT NULL,
    stream     TEXT    NOT NULL,
    source     TEXT    NOT NULL,              -- that spoke of it last
    listed_at  INTEGER NOT NULL DEFAULT 0,    -- the latest listing's "at"; 0 none yet
    told       INTEGER NOT NULL DEFAULT 0,    -- when we wrote that, by our clock
    first_at   INTEGER NOT NULL DEFAULT 0,    -- the first listing's "at"
    begun      INTEGER NOT NULL DEFAULT 0,    -- the earliest moment ever asked for
    swept_from INTEGER NOT NULL DEFAULT 0,    -- the last sweep's window begins here
    swept_at   INTEGER NOT NULL DEFAULT 0,
    started_at INTEGER NOT NULL DEFAULT 0,    -- when the collector was last started
    purged     INTEGER NOT NULL DEFAULT 0,    -- sealed blobs that expired before were forgotten
    lag_max    INTEGER NOT NULL DEFAULT 0,    -- longest that a blob stayed invisible, ms
    lag        BLOB    NOT NULL DEFAULT x'',  -- of all blobs, as internal/histogram writes it
    failed     TEXT    NOT NULL DEFAULT '',   -- the last failure: its act
    failure    TEXT    NOT NULL DEFAULT '',   -- and what it said
    UNIQUE (tenant, stream)
) STRICT;

-- Which stretches were listed, and when at the latest: [from, to) without overlaps.
CREATE TABLE coverage_listing (
    feed       INTEGER NOT NULL,
    from_ms    INTEGER NOT NULL,
    to_ms      INTEGER NOT NULL CHECK (to_ms > from_ms),
    at_ms      INTEGER NOT NULL,              -- when the first page was asked for
    act        TEXT    NOT NULL,
    PRIMARY KEY (feed, from_ms)
) STRICT, WITHOUT ROWID;

-- Blobs: those that are not sealed, and those that are until they expire, so that
-- an act that is repeated is known.
CREATE TABLE coverage_blob (
    feed       INTEGER NOT NULL,
    key        BLOB    NOT NULL,              -- first half of the SHA-256 of its id and time
    created    INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    state      INTEGER NOT NULL,              -- 0 named, 1 sealed, 2 in a gap
    id         TEXT    NOT NULL,              -- empty once it is sealed
    act        TEXT    NOT NULL,              -- that named it; empty once it is sealed
    PRIMARY KEY (feed, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX coverage_blob_open ON coverage_blob (feed, created) WHERE state <> 1;
CREATE INDEX coverage_blob_done ON coverage_blob (feed, expires) WHERE state = 1;

-- What came of the blobs of one interval of five minutes.
CREATE TABLE coverage_interval (
    feed       INTEGER NOT NULL,
    slot       INTEGER NOT NULL,              -- interval since the epoch
    named      INTEGER NOT NULL,
    sealed     INTEGER NOT NULL,
    late       INTEGER NOT NULL,              -- blobs that a listing in time did not have
    records    INTEGER NOT NULL,
    stored     INTEGER NOT NULL,
    duplicates INTEGER NOT NULL,
    mutated    INTEGER NOT NULL,
    unreadable INTEGER NOT NULL,
    bytes      INTEGER NOT NULL,
    first_act  TEXT    NOT NULL,              -- of those that speak of its blobs
    last_act   TEXT    NOT NULL,
    PRIMARY KEY (feed, slot)
) STRICT, WITHOUT ROWID;

-- What cannot be had, and what could not but was had later.
CREATE TABLE coverage_gap (
    id         INTEGER PRIMARY KEY,
    feed       INTEGER NOT NULL,
    blob       TEXT    NOT NULL,              -- empty: all of the stretch
    from_ms    INTEGER NOT NULL,
    to_ms      INTEGER NOT NULL,              -- 9223372036854775807: it goes on
    permanent  INTEGER NOT NULL CHECK (permanent IN (0, 1)),
    reason     TEXT    NOT NULL,
    message    TEXT    NOT NULL,
    opened     TEXT    NOT NULL,              -- act
    closed     TEXT    NOT NULL               -- act; empty while it is open
) STRICT;

CREATE INDEX coverage_gap_open ON coverage_gap (feed, from_ms) WHERE closed = '';
CREATE INDEX coverage_gap_blob ON coverage_gap (feed, blob) WHERE blob <> '';

-- Alarms that are on.
CREATE TABLE coverage_alarm (
    feed       INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    code       TEXT    NOT NULL,
    since      INTEGER NOT NULL,
    again      INTEGER NOT NULL,              -- when it was last raised
    message    TEXT    NOT NULL,
    act        TEXT    NOT NULL,
    PRIMARY KEY (feed, reason, code)
) STRICT, WITHOUT ROWID;

-- How long records took, an hour of our clock at a time, and how many there were.
CREATE TABLE coverage_delay (
    hour       INTEGER NOT NULL,              -- since the epoch
    tenant     TEXT    NOT NULL,
    stream     TEXT    NOT NULL,
    operation  TEXT    NOT NULL,
    live       INTEGER NOT NULL CHECK (live IN (0, 1)), -- 0: back-filled
    counts     BLOB    NOT NULL,              -- a histogram for each step
    PRIMARY KEY (hour, tenant, stream, operation, live)
) STRICT, WITHOUT ROWID;

CREATE TABLE coverage_rate (
    tenant     TEXT    NOT NULL,
    stream     TEXT    NOT NULL,
    workload   TEXT    NOT NULL,
    hour       INTEGER NOT NULL,              -- of the provider's offer, since the epoch
    records    INTEGER NOT NULL,
    last       INTEGER NOT NULL,              -- the latest offer in the hour
    PRIMARY KEY (tenant, stream, workload, hour)
) STRICT, WITHOUT ROWID;

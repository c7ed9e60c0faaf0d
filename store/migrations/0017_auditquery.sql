-- How far the audit query API was held against the feed of the Management Activity API (package collect/auditquery). All of it
-- can be deleted: the hours of the last day are asked for again. Hours count from 1970.
CREATE TABLE auditquery_check (
    tenant  TEXT    PRIMARY KEY,
    journal TEXT    NOT NULL,           -- origin of the log that the row speaks of
    size    INTEGER NOT NULL DEFAULT 0, -- entries that the log must have for it
    next    INTEGER NOT NULL,           -- hour that is compared next
    asked   INTEGER NOT NULL DEFAULT 0, -- ours, Unix ms: when a query was last started
    refused INTEGER NOT NULL DEFAULT 0  -- provider, Unix ms: since when a permission is missing; 0 if none is
) STRICT;

-- Records of the hour under way that the feed did not have when they were first seen: they may be in the journal since, by us.
CREATE TABLE auditquery_lacking (
    tenant TEXT NOT NULL,
    id     BLOB NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

-- What both showed of an operation in an hour.
CREATE TABLE auditquery_count (
    tenant    TEXT    NOT NULL,
    hour      INTEGER NOT NULL,
    operation TEXT    NOT NULL,
    feed      INTEGER NOT NULL,
    query     INTEGER NOT NULL,
    lacking   INTEGER NOT NULL,         -- shown by the query and not by the feed
    unshown   INTEGER NOT NULL,         -- shown by the feed and not by the query
    verdict   TEXT    NOT NULL,
    PRIMARY KEY (tenant, hour, operation)
) STRICT, WITHOUT ROWID;

-- After so long a stream's intervals should be complete, as its collector told when it was started. Zero: soon after they have settled.
ALTER TABLE coverage_feed ADD COLUMN due INTEGER NOT NULL DEFAULT 0; -- ms

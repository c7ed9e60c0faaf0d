-- The lake's catalog: the segment files that exist, and how far the journal
-- has been written into them. Both change in one transaction.
CREATE TABLE lake_segment (
    id          INTEGER PRIMARY KEY,
    staged      INTEGER NOT NULL CHECK (staged IN (0, 1)),
    tenant      TEXT    NOT NULL,            -- empty if staged
    day         INTEGER NOT NULL,            -- days since 1970-01-01 UTC; 0 if staged
    rows        INTEGER NOT NULL CHECK (rows > 0),
    bytes       INTEGER NOT NULL CHECK (bytes > 0),
    checksum    INTEGER NOT NULL,            -- CRC-32C of the file
    min_time    INTEGER NOT NULL,            -- Unix milliseconds UTC
    max_time    INTEGER NOT NULL,
    first_batch INTEGER NOT NULL,
    first_index INTEGER NOT NULL,
    last_batch  INTEGER NOT NULL,
    last_index  INTEGER NOT NULL,
    damaged     INTEGER NOT NULL DEFAULT 0 CHECK (damaged IN (0, 1))
) STRICT;

CREATE TABLE lake_state (
    only_row     INTEGER PRIMARY KEY CHECK (only_row = 1),
    next_batch   INTEGER NOT NULL,           -- where the follower goes on reading
    next_index   INTEGER NOT NULL,
    next_segment INTEGER NOT NULL            -- no segment had this number or a greater one
) STRICT;

INSERT INTO lake_state VALUES (1, 0, 0, 1);

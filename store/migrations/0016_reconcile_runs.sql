-- Sessions, tokens and acts, of which there are many, in sorted runs instead of one row each: a run is written with the position
-- in the journal, and never changed; some of like size become one. The rows of before are put into a run when package reconcile is opened,
-- which drops reconcile_issue and reconcile_act.
CREATE TABLE reconcile_run (
    id      INTEGER PRIMARY KEY,
    tenant  INTEGER NOT NULL,
    class   INTEGER NOT NULL,                 -- 0: sessions and tokens that a sign-in has given out; else acts, of the kind that is one less
    entries INTEGER NOT NULL,
    newest  INTEGER NOT NULL,                 -- time of the newest entry
    fences  BLOB    NOT NULL,                 -- the first key of each page
    filter  BLOB    NOT NULL                  -- Bloom filter of the keys
) STRICT;

-- Entries in the order of their keys: 16 bytes of key and two numbers of 8 bytes, little-endian. Of a session or token: when it was given out
-- first and last. Of an act: its cell; its hour since 1970, and in the last 8 bits which channels have shown it.
CREATE TABLE reconcile_page (
    id   INTEGER PRIMARY KEY,                 -- the run's, times 2^20, and the number of the page
    body BLOB    NOT NULL
) STRICT;

-- Acts are counted by kind, operation and hour, which is a cell,
CREATE TABLE reconcile_cell (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant    INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    hour      INTEGER NOT NULL,               -- since 1970
    operation TEXT    NOT NULL,
    UNIQUE (tenant, kind, hour, operation)
) STRICT;

-- and by which channels have shown them.
CREATE TABLE reconcile_shown (
    cell     INTEGER NOT NULL REFERENCES reconcile_cell (id) ON DELETE CASCADE,
    channels INTEGER NOT NULL,                -- a bit for each
    acts     INTEGER NOT NULL,
    PRIMARY KEY (cell, channels)
) STRICT, WITHOUT ROWID;

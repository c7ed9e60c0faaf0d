-- What package reconcile knows of channels that it holds against each other. All of it can be deleted and comes back from
-- the journal, as far as that still has the records. Times are Unix milliseconds of events.
CREATE TABLE reconcile_state (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    next_batch INTEGER NOT NULL,              -- records of the journal's batches before are in
    forgotten  INTEGER NOT NULL               -- of what happened before nothing is said: rows of it were deleted to keep the bound
) STRICT;

INSERT INTO reconcile_state VALUES (1, 0, 0);

CREATE TABLE reconcile_tenant (
    id     INTEGER PRIMARY KEY,
    tenant TEXT    NOT NULL UNIQUE,
    latest INTEGER NOT NULL                   -- the latest event
) STRICT;

-- Sessions and tokens that a sign-in has given out.
CREATE TABLE reconcile_issue (
    tenant INTEGER NOT NULL,
    key    BLOB    NOT NULL,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX reconcile_issue_last ON reconcile_issue (last);

-- Sessions and tokens in use of which no sign-in is known.
CREATE TABLE reconcile_use (
    tenant  INTEGER NOT NULL,
    key     BLOB    NOT NULL,                 -- of the token; of the session where there is none
    session BLOB    NOT NULL,                 -- key of the session; empty: none
    issued  INTEGER NOT NULL,                 -- when the token says that it was issued; 0: it does not
    first   INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    app     INTEGER NOT NULL CHECK (app IN (0, 1)), -- an application by itself
    about   BLOB    NOT NULL,                 -- JSON: who, by the record of the first use
    event   TEXT    NOT NULL,                 -- id of that record
    orphan  INTEGER NOT NULL CHECK (orphan IN (0, 1)), -- it was said that there is no sign-in
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX reconcile_use_last ON reconcile_use (last);

-- Acts that not all channels have shown that should.
CREATE TABLE reconcile_act (
    tenant    INTEGER NOT NULL,
    key       BLOB    NOT NULL,
    kind      INTEGER NOT NULL,
    operation TEXT    NOT NULL,
    hour      INTEGER NOT NULL,               -- since 1970
    channels  INTEGER NOT NULL,               -- a bit for each that has shown it
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX reconcile_act_hour ON reconcile_act (tenant, kind, hour, operation, channels);

-- How many acts each channel has shown.
CREATE TABLE reconcile_count (
    tenant    INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    operation TEXT    NOT NULL,
    hour      INTEGER NOT NULL,
    channel   INTEGER NOT NULL,
    acts      INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, operation, hour, channel)
) STRICT, WITHOUT ROWID;

-- What switched the recording of a subject off, and on again.
CREATE TABLE reconcile_switch (
    tenant  INTEGER NOT NULL,
    reason  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    off     INTEGER NOT NULL CHECK (off IN (0, 1)),
    event   TEXT    NOT NULL,
    PRIMARY KEY (tenant, reason, subject, at, off)
) STRICT, WITHOUT ROWID;

-- What was found, and what the journal says of it already.
CREATE TABLE reconcile_finding (
    code    TEXT    PRIMARY KEY,
    kind    TEXT    NOT NULL CHECK (kind IN ('', 'switch', 'orphan', 'count')), -- empty: only the journal speaks of it so far
    tenant  TEXT    NOT NULL,
    stream  TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    start   INTEGER NOT NULL,
    stop    INTEGER NOT NULL,                 -- 9223372036854775807: it goes on; start: there is nothing any more
    message TEXT    NOT NULL,
    record  BLOB    NOT NULL,                 -- of a finding that is a record of its own; else empty
    told    INTEGER NOT NULL CHECK (told IN (0, 1)),
    told_start   INTEGER NOT NULL,
    told_stop    INTEGER NOT NULL,
    told_message TEXT    NOT NULL,
    due     INTEGER NOT NULL CHECK (due IN (0, 1)) -- the two differ
) STRICT;

CREATE INDEX reconcile_finding_due ON reconcile_finding (code) WHERE due = 1;

-- Who is who, derived from the journal by package identity. All of it can be deleted and comes back by replay.
CREATE TABLE identity_state (
    only_row   INTEGER PRIMARY KEY CHECK (only_row = 1),
    next_batch INTEGER NOT NULL,              -- what batches before it show is in
    told       TEXT    NOT NULL               -- digest of the people whom incidents go by
) STRICT;

INSERT INTO identity_state VALUES (1, 0, '');

-- A vendor's id that records show beside a mail address. Hours are since 1970, UTC.
CREATE TABLE identity_link (
    tenant      TEXT    NOT NULL,
    uid         TEXT    NOT NULL,
    address     TEXT    NOT NULL,
    suite       TEXT    NOT NULL,
    first       INTEGER NOT NULL,
    last        INTEGER NOT NULL,
    first_event TEXT    NOT NULL,             -- a record of the first hour, and one of the last
    last_event  TEXT    NOT NULL,
    PRIMARY KEY (tenant, uid, address)
) STRICT, WITHOUT ROWID;

CREATE INDEX identity_link_address ON identity_link (address);

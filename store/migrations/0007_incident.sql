-- Incidents have numbers, which alerts name: that an older alert gives an incident another id,
-- or that two become one, does not change all their alerts. What was derived is made anew:
-- alerts come back from detection, which begins again at the place in incident_state.
DROP TABLE incident_alert;
DROP TABLE incident_link;
DROP TABLE incident_busy;
DROP TABLE incident;

UPDATE incident_state SET batch = 0, place = 0;
ALTER TABLE incident_state ADD COLUMN mark INTEGER NOT NULL DEFAULT 0; -- of the last transaction

-- An alert, or the trace of one that was replaced.
CREATE TABLE incident_alert (
    num      INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE,
    revision INTEGER NOT NULL,               -- -1: only its replacement was seen so far
    replaced INTEGER NOT NULL DEFAULT -1,    -- the highest revision that replaces it
    by       TEXT    NOT NULL DEFAULT '',    -- and whose that is
    incident INTEGER NOT NULL DEFAULT 0,     -- 0: it does not stand
    named    INTEGER NOT NULL DEFAULT 0 CHECK (named IN (0, 1)), -- an incident had its id once
    tenant   TEXT    NOT NULL DEFAULT '',
    rule     TEXT    NOT NULL DEFAULT '',
    title    TEXT    NOT NULL DEFAULT '',
    who      TEXT    NOT NULL DEFAULT '',    -- what it is about, in a word
    level    INTEGER NOT NULL DEFAULT 0,
    tactics  INTEGER NOT NULL DEFAULT 0,     -- a bit for each, in the order of the kill chain
    first    INTEGER NOT NULL DEFAULT 0,
    last     INTEGER NOT NULL DEFAULT 0,
    batch    INTEGER NOT NULL DEFAULT 0,     -- with "place": the latest of its records
    place    INTEGER NOT NULL DEFAULT 0,
    links    BLOB    NOT NULL DEFAULT x''    -- what it can be joined by, and what of that is a bond
) STRICT;

CREATE INDEX incident_alert_incident ON incident_alert (incident, first) WHERE incident <> 0;
CREATE INDEX incident_alert_last ON incident_alert (last) WHERE incident <> 0;
CREATE INDEX incident_alert_by ON incident_alert (by) WHERE by <> '';

-- The whole alerts, which only those read who look at them.
CREATE TABLE incident_body (
    num      INTEGER PRIMARY KEY,
    body     BLOB    NOT NULL                -- JSON
) STRICT;

-- Which alerts show an entity.
CREATE TABLE incident_link (
    key      BLOB    NOT NULL,               -- of the entity: 16 bytes of a SHA-256
    period   INTEGER NOT NULL,               -- that the alert began in
    num      INTEGER NOT NULL,
    PRIMARY KEY (key, period, num)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident (
    num      INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE,        -- of the first alert
    tenant   TEXT    NOT NULL,
    title    TEXT    NOT NULL,
    level    INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    assignee TEXT    NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    alerts   INTEGER NOT NULL,
    tactics  INTEGER NOT NULL,
    reopened INTEGER NOT NULL CHECK (reopened IN (0, 1)), -- something older than the closing came in late
    who      TEXT    NOT NULL,               -- whom and what it is about: JSON
    decided  TEXT    NOT NULL,               -- the act that its state comes from; empty if none
    tally    BLOB    NOT NULL                -- what the summary is made of, to go on counting: JSON
) STRICT;

CREATE INDEX incident_last ON incident (last);

-- How many alerts of an incident are about whom.
CREATE TABLE incident_who (
    incident INTEGER NOT NULL,
    who      TEXT    NOT NULL,
    n        INTEGER NOT NULL,
    PRIMARY KEY (incident, who)
) STRICT, WITHOUT ROWID;

-- Alerts and the incidents that they join into, derived by package incident. All of it
-- can be deleted: alerts come back from detection, decisions from the acts in the
-- journal. Times are Unix nanoseconds UTC; levels count from 0 (informational) to 4.
CREATE TABLE incident_state (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    batch    INTEGER NOT NULL,               -- with "place": detection has handed over
    place    INTEGER NOT NULL,               -- what it found in the records before
    next_act INTEGER NOT NULL                -- decisions of the journal's batches before are in
) STRICT;

INSERT INTO incident_state VALUES (1, 0, 0, 0);

-- An alert, or the trace of one that was replaced.
CREATE TABLE incident_alert (
    num      INTEGER PRIMARY KEY,
    id       TEXT    NOT NULL UNIQUE,
    revision INTEGER NOT NULL,               -- -1: only its replacement was seen so far
    replaced INTEGER NOT NULL DEFAULT -1,    -- the highest revision that replaces it
    by       TEXT    NOT NULL DEFAULT '',    -- and whose that is
    incident TEXT    NOT NULL DEFAULT '',    -- empty: it does not stand
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
    links    BLOB    NOT NULL DEFAULT x'',   -- what it can be joined by
    body     BLOB    NOT NULL DEFAULT x''    -- the whole alert: JSON
) STRICT;

CREATE INDEX incident_alert_incident ON incident_alert (incident, first) WHERE incident <> '';
CREATE INDEX incident_alert_last ON incident_alert (last) WHERE incident <> '';
CREATE INDEX incident_alert_by ON incident_alert (by) WHERE by <> '';

-- Which alerts show an entity.
CREATE TABLE incident_link (
    key      BLOB    NOT NULL,               -- of the entity: 16 bytes of a SHA-256
    period   INTEGER NOT NULL,               -- that the alert began in
    num      INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    PRIMARY KEY (key, period, num)
) STRICT, WITHOUT ROWID;

-- Entities that are too busy in a period to join what only shows them.
CREATE TABLE incident_busy (
    key      BLOB    NOT NULL,
    period   INTEGER NOT NULL,
    flags    INTEGER NOT NULL,
    PRIMARY KEY (key, period)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident (
    id       TEXT    PRIMARY KEY,
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
    decided  TEXT    NOT NULL                -- the act that its state comes from; empty if none
) STRICT;

CREATE INDEX incident_last ON incident (last);

-- What people decided, as the acts say.
CREATE TABLE incident_decision (
    num      INTEGER PRIMARY KEY,
    act      TEXT    NOT NULL UNIQUE,        -- its own id, which repeated acts share
    batch    INTEGER NOT NULL,               -- with "place": where the journal has it
    place    INTEGER NOT NULL,
    anchor   TEXT    NOT NULL,               -- the alert that named the incident then
    body     BLOB    NOT NULL                -- the act: JSON
) STRICT;

CREATE INDEX incident_decision_anchor ON incident_decision (anchor);

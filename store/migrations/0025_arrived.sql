-- What was said to be missing, and has come after all.

-- The record that has brought the sign-in of a use that was said to have none, as JSON; empty: none has.
ALTER TABLE reconcile_use ADD COLUMN came BLOB NOT NULL DEFAULT x'';
CREATE INDEX reconcile_use_orphan ON reconcile_use (tenant, session) WHERE orphan = 1;

-- The last record of a gap that the feed has brought since, likewise.
ALTER TABLE auditquery_gap ADD COLUMN came BLOB NOT NULL DEFAULT x'';

-- How many alerts of an incident are about something missing that has come, and which alerts are.
ALTER TABLE incident ADD COLUMN arrived INTEGER NOT NULL DEFAULT 0;
ALTER TABLE incident_alert ADD COLUMN arrived INTEGER NOT NULL DEFAULT 0 CHECK (arrived IN (0, 1));

-- Which alerts are about a finding: something that is missing.
CREATE TABLE incident_finding (
    finding TEXT    NOT NULL,
    num     INTEGER NOT NULL,                -- of the alert
    PRIMARY KEY (finding, num)
) STRICT, WITHOUT ROWID;

-- What has come, as the journal says, whether an alert is known that was about it or not.
CREATE TABLE incident_arrival (
    finding TEXT    PRIMARY KEY,
    body    BLOB    NOT NULL                 -- JSON
) STRICT, WITHOUT ROWID;

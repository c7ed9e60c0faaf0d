-- Gaps and alarms can be of one subject of their stream: a mailbox, an account, an operation; empty is all of it.
ALTER TABLE coverage_gap ADD COLUMN subject TEXT NOT NULL DEFAULT '';

CREATE TABLE coverage_alarm_of (
    feed       INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    code       TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    since      INTEGER NOT NULL,
    again      INTEGER NOT NULL,              -- when it was last raised
    message    TEXT    NOT NULL,
    act        TEXT    NOT NULL,
    PRIMARY KEY (feed, reason, code, subject)
) STRICT, WITHOUT ROWID;

INSERT INTO coverage_alarm_of SELECT feed, reason, code, '', since, again, message, act FROM coverage_alarm;
DROP TABLE coverage_alarm;
ALTER TABLE coverage_alarm_of RENAME TO coverage_alarm;

-- Gaps of one reason that go on are looked up by their subject, of which there can be many.
CREATE INDEX coverage_gap_subject ON coverage_gap (feed, reason, subject) WHERE closed = '' AND blob = '';

-- Messages that go out. Times are Unix milliseconds UTC by our clock.
CREATE TABLE notify_message (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    channel  TEXT    NOT NULL,
    key      TEXT    NOT NULL,               -- receivers tell repeated messages by it
    subject  TEXT    NOT NULL,               -- the incident
    body     BLOB    NOT NULL,               -- JSON
    created  INTEGER NOT NULL,
    due      INTEGER NOT NULL,               -- not to be tried before
    attempts INTEGER NOT NULL DEFAULT 0,
    error    TEXT    NOT NULL DEFAULT '',    -- of the last attempt
    dead     INTEGER NOT NULL DEFAULT 0,     -- since when it is not tried any more; 0 if it is
    UNIQUE (channel, key)
) STRICT;

CREATE INDEX notify_message_due ON notify_message (channel, due) WHERE dead = 0;
CREATE INDEX notify_message_subject ON notify_message (channel, subject) WHERE attempts = 0;

-- What was delivered, so that a replay of the journal tells nobody twice.
CREATE TABLE notify_sent (
    channel  TEXT    NOT NULL,
    key      TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (channel, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX notify_sent_at ON notify_sent (at);

-- Positions of the collectors of Kafka topics and event hubs (collect/kafka). Everything here can be lost: collecting starts
-- over then, and the journal knows what it has. Times are Unix milliseconds of when messages were offered.
CREATE TABLE kafka_stream (
    id       INTEGER PRIMARY KEY,
    tenant   TEXT    NOT NULL,
    stream   TEXT    NOT NULL,             -- "contoso-logs/insights-logs-signinlogs"
    journal  TEXT    NOT NULL,             -- origin of the journal that what was read is in
    size     INTEGER NOT NULL DEFAULT 0,   -- ... and how many entries it must have
    stated   INTEGER NOT NULL DEFAULT 0,   -- an act says that everything before was read; 0: none does yet
    refused  INTEGER NOT NULL DEFAULT 0,   -- since when it may not be read, or is not there; 0 if it can be
    refusal  TEXT    NOT NULL DEFAULT '',  -- which of them
    UNIQUE (tenant, stream)
) STRICT;

CREATE TABLE kafka_partition (
    stream    INTEGER NOT NULL REFERENCES kafka_stream (id) ON DELETE CASCADE,
    partition INTEGER NOT NULL,
    next      INTEGER NOT NULL,            -- every offset before is in the journal, and an act says so
    read_to   INTEGER NOT NULL,            -- everything that was offered before is
    first     INTEGER NOT NULL,            -- when the first message that was read had been offered; 0: none was
    whole     INTEGER NOT NULL CHECK (whole IN (0, 1)), -- nothing had been deleted before it
    mark      TEXT    NOT NULL,            -- hash of the message before next; empty: none was read
    topic_id  TEXT    NOT NULL,            -- the broker's id of the topic that they are of, where it gives one
    PRIMARY KEY (stream, partition)
) STRICT, WITHOUT ROWID;

-- What the process that holds the data directory remembers.
CREATE TABLE node_setting (
    name  TEXT PRIMARY KEY,                  -- "mapping": version of the mapping that made the lake's rows
    value TEXT NOT NULL
) STRICT;

-- Kinds of records that the mapping does not know. Hints for people.
CREATE TABLE node_drift (
    family      TEXT    NOT NULL,
    what        TEXT    NOT NULL,
    first_seen  INTEGER NOT NULL,            -- Unix milliseconds UTC
    last_seen   INTEGER NOT NULL,
    count       INTEGER NOT NULL,
    batch       INTEGER NOT NULL,            -- with "place": an event that shows it
    place       INTEGER NOT NULL,
    PRIMARY KEY (family, what)
) STRICT;

-- Canaries that were planted (package canary), as long as delays are learned from them. Everything here can be lost: none is
-- awaited then, and delays are learned anew. Times are Unix milliseconds by our clock.
CREATE TABLE canary (
    id      TEXT    NOT NULL PRIMARY KEY,
    tenant  TEXT    NOT NULL,
    source  TEXT    NOT NULL,
    kind    TEXT    NOT NULL,           -- "sign-in"
    marker  TEXT    NOT NULL,           -- what its records are known by
    journal TEXT    NOT NULL,           -- origin of the journal that its records are awaited in
    size    INTEGER NOT NULL,           -- ... and how many entries that had before
    planted INTEGER NOT NULL,
    told    INTEGER NOT NULL DEFAULT 0 CHECK (told IN (0, 1)) -- the act that says so is durable
) STRICT, WITHOUT ROWID;

CREATE INDEX canary_planted ON canary (tenant, source, planted);

CREATE TABLE canary_arrival (
    canary  TEXT    NOT NULL REFERENCES canary (id) ON DELETE CASCADE,
    channel TEXT    NOT NULL,
    delay   INTEGER,                    -- milliseconds until its record was durable; NULL: it has not come
    missing INTEGER NOT NULL DEFAULT 0 CHECK (missing IN (0, 1)), -- an act says that it is
    PRIMARY KEY (canary, channel)
) STRICT, WITHOUT ROWID;

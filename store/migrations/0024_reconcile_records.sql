-- The unified audit log is held against CloudAppEvents of Defender, all of it: of the acts of this kind nothing is said before the moment,
-- for they have a bound of their own.
ALTER TABLE reconcile_state ADD COLUMN forgotten_records INTEGER NOT NULL DEFAULT 0;

-- The streams in which a channel has shown an operation, where only records tell that.
CREATE TABLE reconcile_stream (
    tenant    INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    operation TEXT    NOT NULL,
    channel   INTEGER NOT NULL,
    stream    TEXT    NOT NULL,
    hour      INTEGER NOT NULL,               -- of the latest, since 1970
    PRIMARY KEY (tenant, kind, operation, channel, stream)
) STRICT, WITHOUT ROWID;

-- The first and the last hour in which a channel has shown all acts of an operation that the other has: from then on it owes the
-- operation.
CREATE TABLE reconcile_agreed (
    tenant    INTEGER NOT NULL,
    kind      INTEGER NOT NULL,
    operation TEXT    NOT NULL,
    channel   INTEGER NOT NULL,
    first     INTEGER NOT NULL,
    last      INTEGER NOT NULL,
    PRIMARY KEY (tenant, kind, operation, channel)
) STRICT, WITHOUT ROWID;

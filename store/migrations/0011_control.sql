-- How the controls of logging stood when they were last read (package controls). Everything here can be lost: what does not
-- stand as it should is told again then. Times are Unix milliseconds of the provider's clock.
CREATE TABLE control_state (
    tenant  TEXT    NOT NULL,
    control TEXT    NOT NULL,              -- "mailbox-audit"
    subject TEXT    NOT NULL,              -- a mailbox, an account, …; empty: the tenant
    journal TEXT    NOT NULL,              -- origin of the journal that its acts are in
    size    INTEGER NOT NULL,              -- ... and how many entries it must have
    verdict TEXT    NOT NULL,              -- good, drift, not watched
    state   TEXT    NOT NULL,              -- canonical JSON
    since   INTEGER NOT NULL,              -- of the verdict
    read    INTEGER NOT NULL,              -- when it was last read
    event   TEXT    NOT NULL,              -- the record that told of the change; empty if none has
    good    INTEGER NOT NULL,              -- when it was last read and good; 0 if never
    PRIMARY KEY (tenant, control, subject)
) STRICT, WITHOUT ROWID;

-- The same, derived from the acts alone, with the act that says so: what coverage reports.
CREATE TABLE coverage_control (
    tenant  TEXT    NOT NULL,
    source  TEXT    NOT NULL,
    control TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    verdict TEXT    NOT NULL,
    since   INTEGER NOT NULL,
    state   TEXT    NOT NULL,
    before  TEXT    NOT NULL,
    message TEXT    NOT NULL,
    event   TEXT    NOT NULL,              -- the record that told of the change
    act     TEXT    NOT NULL,
    PRIMARY KEY (tenant, source, control, subject)
) STRICT, WITHOUT ROWID;

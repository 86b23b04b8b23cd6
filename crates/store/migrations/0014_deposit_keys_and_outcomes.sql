-- Deposits that were noted under a key of the caller's, so that a repeat notes nothing (R-LIFE-3).
CREATE TABLE deposit_key (
    project INTEGER NOT NULL,
    key     TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    fields  BLOB    NOT NULL,
    PRIMARY KEY (project, key)
) WITHOUT ROWID;
CREATE INDEX deposit_key_at ON deposit_key (at);

-- How messages of a route ended of late, as alerts count it (R-ALERT). record: see rows/outcomes.rs.
CREATE TABLE route_outcomes (
    route  INTEGER PRIMARY KEY,
    record BLOB NOT NULL
);

-- What routes (kind 0) and projects (kind 1) have used of their quotas (R-QUOTA-1): one record each, see
-- rows/meter.rs.
CREATE TABLE meter (
    kind   INTEGER NOT NULL,
    key    INTEGER NOT NULL,
    record BLOB    NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;

-- Every amount that moved (R-COST-1): what one account gains another loses. Accounts: see rows/account.rs.
CREATE TABLE ledger (
    seq     INTEGER PRIMARY KEY,
    project INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    gains   INTEGER NOT NULL,
    loses   INTEGER NOT NULL,
    amount  INTEGER NOT NULL,
    message INTEGER,
    attempt INTEGER,
    note    TEXT
);

-- The sum of the ledger for each account.
CREATE TABLE balance (
    project INTEGER NOT NULL,
    account INTEGER NOT NULL,
    amount  INTEGER NOT NULL,
    PRIMARY KEY (project, account)
) WITHOUT ROWID;

-- What came of channel attempts, by hour (R-METRIC-4). country: its two letters as a number, 0 where the
-- address tells none.
CREATE TABLE tally (
    project       INTEGER NOT NULL,
    hour          INTEGER NOT NULL,
    route         INTEGER NOT NULL,
    sender        INTEGER NOT NULL,
    country       INTEGER NOT NULL,
    class         INTEGER NOT NULL,
    sent          INTEGER NOT NULL,
    delivered     INTEGER NOT NULL,
    failed        INTEGER NOT NULL,
    segments      INTEGER NOT NULL,
    cost          INTEGER NOT NULL,
    delivery_time INTEGER NOT NULL,
    PRIMARY KEY (project, hour, route, sender, country, class)
) WITHOUT ROWID;

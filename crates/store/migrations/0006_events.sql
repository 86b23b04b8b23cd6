-- What happened (R-MON-1), in the order of commit. A message has several rows, so that they are narrow
-- and have no index but the key: readers go forward from a place. The newest row is never removed, so
-- that no place is given twice. detail: what the message may not tell any more, as JSON.
CREATE TABLE event (
    seq     INTEGER PRIMARY KEY,
    project INTEGER NOT NULL,
    sender  INTEGER,
    kind    INTEGER NOT NULL,
    message INTEGER,
    at      INTEGER NOT NULL,
    channel INTEGER,
    detail  TEXT
);

-- The endpoint of a sender (R-MON-2). events: a bit for each kind. secret: sealed, see seal.rs. Of the
-- events up to cursor none is to be delivered any more.
CREATE TABLE webhook (
    sender       INTEGER PRIMARY KEY,
    project      INTEGER NOT NULL,
    url          TEXT    NOT NULL,
    events       INTEGER NOT NULL,
    active       INTEGER NOT NULL,
    signature    INTEGER NOT NULL,
    secret       BLOB    NOT NULL,
    version      INTEGER NOT NULL,
    cursor       INTEGER NOT NULL,
    failures     INTEGER NOT NULL,
    tried        INTEGER NOT NULL,
    tries        INTEGER NOT NULL,
    next_try_at  INTEGER,
    last_error   TEXT,
    delivered_at INTEGER,
    created_at   INTEGER NOT NULL
);

-- Events to be delivered again, beside the queue.
CREATE TABLE webhook_again (
    sender INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (sender, seq)
) WITHOUT ROWID;
CREATE INDEX webhook_again_seq ON webhook_again (seq);

-- Events that were given up.
CREATE TABLE webhook_dead (
    sender INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    why    TEXT    NOT NULL,
    PRIMARY KEY (sender, seq)
) WITHOUT ROWID;
CREATE INDEX webhook_dead_seq ON webhook_dead (seq);

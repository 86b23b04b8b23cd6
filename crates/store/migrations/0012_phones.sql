-- Team phones with an app (R-PHONE-1). signing_key: sealed, see seal.rs. sims, may_send and health: JSON.
CREATE TABLE phone (
    id          TEXT    PRIMARY KEY,
    route       INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    token_hash  BLOB    NOT NULL,
    paired_by   BLOB    NOT NULL,
    signing_key BLOB    NOT NULL,
    sims        TEXT    NOT NULL,
    may_send    TEXT    NOT NULL,
    per_hour    INTEGER,
    per_day     INTEGER,
    created_at  INTEGER NOT NULL,
    seen_at     INTEGER NOT NULL,
    hooks_at    INTEGER,
    settings_at INTEGER,
    health      TEXT,
    revoked_at  INTEGER
) WITHOUT ROWID;

-- Who may become a phone.
CREATE TABLE phone_pairing (
    token_hash BLOB    PRIMARY KEY,
    code_hash  BLOB    NOT NULL,
    route      INTEGER NOT NULL,
    name       TEXT,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER
) WITHOUT ROWID;

-- What phones were handed, each under an id of its own. state: the order of a report, see
-- rows/codes.rs. text: empty once the phone cannot send it any more.
CREATE TABLE phone_handing (
    id          TEXT    PRIMARY KEY,
    route       INTEGER NOT NULL,
    phone       TEXT    NOT NULL,
    sim         INTEGER,
    message     INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    peer        TEXT    NOT NULL,
    text        TEXT    NOT NULL,
    parts       INTEGER NOT NULL,
    state       INTEGER NOT NULL,
    cancelling  INTEGER NOT NULL,
    handed_at   INTEGER NOT NULL,
    valid_until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX phone_handing_open ON phone_handing (route) WHERE state < 3;
CREATE INDEX phone_handing_time ON phone_handing (route, handed_at);
CREATE INDEX phone_handing_old ON phone_handing (valid_until);

-- Which phone last exchanged messages with a person.
CREATE TABLE phone_peer (
    route INTEGER NOT NULL,
    peer  TEXT    NOT NULL,
    phone TEXT    NOT NULL,
    sim   INTEGER,
    at    INTEGER NOT NULL,
    PRIMARY KEY (route, peer)
) WITHOUT ROWID;
CREATE INDEX phone_peer_time ON phone_peer (route, at);

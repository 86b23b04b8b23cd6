-- The people who use the pages (R-SEC). email is in lower case and one user's in all projects; password is
-- Argon2id in the form of the PHC, and empty until it was chosen.
CREATE TABLE user (
    id          INTEGER PRIMARY KEY,
    project     INTEGER NOT NULL,
    email       TEXT    NOT NULL UNIQUE,
    name        TEXT    NOT NULL,
    role        INTEGER NOT NULL,
    password    TEXT,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    disabled_at INTEGER
);
CREATE INDEX user_project ON user (project);

-- Browsers in which somebody is signed in. hash: SHA-256 of the token.
CREATE TABLE session (
    id         INTEGER PRIMARY KEY,
    hash       BLOB    NOT NULL UNIQUE,
    user       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    idle       INTEGER NOT NULL,
    agent      TEXT    NOT NULL
);
CREATE INDEX session_user ON session (user);

-- Links by which somebody chooses a password, one a user. hash: SHA-256 of the token.
CREATE TABLE password_link (
    user       INTEGER PRIMARY KEY,
    hash       BLOB    NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL
);

-- The key that pushes are signed with: one row, sealed.
CREATE TABLE push_key (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    private BLOB    NOT NULL
);

-- Where browsers can be rung. keys: sealed, the browser's public key and its secret.
CREATE TABLE push_subscription (
    endpoint   TEXT    PRIMARY KEY,
    user       INTEGER NOT NULL,
    session    INTEGER NOT NULL,
    keys       BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX push_subscription_session ON push_subscription (session);
CREATE INDEX push_subscription_user ON push_subscription (user);

-- Senders that were made by the API: key is that of registry, routes are configured ids as JSON.
CREATE TABLE sender (
    key        INTEGER PRIMARY KEY,
    project    INTEGER NOT NULL,
    id         TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    address    TEXT    NOT NULL,
    routes     TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
);

-- The default sender of a project, where the API chose it.
CREATE TABLE default_sender (
    project INTEGER PRIMARY KEY,
    sender  INTEGER NOT NULL
);

-- Phone numbers that a project says it has.
CREATE TABLE phone_number (
    project    INTEGER NOT NULL,
    number     TEXT    NOT NULL,
    name       TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (project, number)
) WITHOUT ROWID;

-- A person's word over a route (R-HEALTH): at most one for each.
CREATE TABLE route_control (
    route      INTEGER PRIMARY KEY,
    project    INTEGER NOT NULL,
    mode       INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    actor_kind INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    since      INTEGER NOT NULL,
    until      INTEGER
);

-- Who changed what, and what the automatics did (R-SEC). No place is given twice. detail: pairs of name and value, as JSON.
CREATE TABLE audit (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    project    INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    actor_kind INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    reason     TEXT,
    detail     TEXT,
    count      INTEGER NOT NULL
);
CREATE INDEX audit_subject ON audit (project, subject, id);
CREATE INDEX audit_project ON audit (project, id);
CREATE INDEX audit_at ON audit (at);

-- Alerts (R-ALERT). One of a kind and subject is raised at a time.
CREATE TABLE alert (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    project     INTEGER NOT NULL,
    kind        INTEGER NOT NULL,
    subject     TEXT    NOT NULL,
    value       INTEGER NOT NULL,
    words       TEXT    NOT NULL,
    raised_at   INTEGER NOT NULL,
    resolved_at INTEGER,
    told        INTEGER NOT NULL,
    acked_kind  INTEGER,
    acked_by    TEXT,
    acked_at    INTEGER
);
CREATE UNIQUE INDEX alert_raised ON alert (project, kind, subject) WHERE resolved_at IS NULL;
CREATE INDEX alert_resolved ON alert (resolved_at) WHERE resolved_at IS NOT NULL;

CREATE TABLE alert_silence (
    no         INTEGER PRIMARY KEY,
    project    INTEGER NOT NULL,
    kind       INTEGER,
    subject    TEXT,
    until      INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    actor_kind INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    created_at INTEGER NOT NULL
);

-- Up to which event a project's alerts were sent by e-mail.
CREATE TABLE alert_mail (
    project INTEGER PRIMARY KEY,
    upto    INTEGER NOT NULL
);

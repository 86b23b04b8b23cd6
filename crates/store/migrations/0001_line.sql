-- Times are milliseconds UTC, money millionths, phone numbers their digits as one integer.
-- Rows that change with every step (message, contact, thread, channel_record) are narrow; what is
-- written once (content, decision, receipt) stands apart.

-- One row: the newest owner of the work, and the newest key given to a contact or message.
CREATE TABLE line (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    epoch    INTEGER NOT NULL,
    last_key INTEGER NOT NULL
);
INSERT INTO line (id, epoch, last_key) VALUES (1, 0, 0);

-- Short names of configured ids. kind: 0 project, 1 sender, 2 route.
CREATE TABLE registry (
    kind    INTEGER NOT NULL,
    key     INTEGER NOT NULL,
    project INTEGER NOT NULL,
    id      TEXT    NOT NULL,
    made_at INTEGER NOT NULL,
    PRIMARY KEY (kind, key),
    UNIQUE (kind, project, id)
) WITHOUT ROWID;

-- A contact that has no rows in contact_address (addressed = 0) was made by a message and has the
-- addresses that its phone number implies.
CREATE TABLE contact (
    project         INTEGER NOT NULL,
    id              INTEGER NOT NULL,
    phone           INTEGER,
    addressed       INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    display_name    TEXT,
    default_channel INTEGER,
    metadata        TEXT,
    PRIMARY KEY (project, id)
) WITHOUT ROWID;

-- Whose a phone number is: one person is one contact (R-IN-3).
CREATE TABLE number (
    project INTEGER NOT NULL,
    phone   INTEGER NOT NULL,
    contact INTEGER NOT NULL,
    PRIMARY KEY (project, phone)
) WITHOUT ROWID;

CREATE TABLE contact_address (
    contact    INTEGER NOT NULL,
    kind       INTEGER NOT NULL,
    identifier TEXT    NOT NULL,
    project    INTEGER NOT NULL,
    is_primary INTEGER NOT NULL,
    verified   INTEGER NOT NULL,
    label      TEXT,
    metadata   TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (contact, kind, identifier)
) WITHOUT ROWID;

-- Phone numbers are unique by table number; kinds 2 to 5 are the addresses that are none.
CREATE UNIQUE INDEX contact_address_holder ON contact_address (project, kind, identifier)
    WHERE kind BETWEEN 2 AND 5;

CREATE TABLE channel_record (
    contact             INTEGER NOT NULL,
    channel             INTEGER NOT NULL,
    success_count       INTEGER NOT NULL,
    failure_count       INTEGER NOT NULL,
    delivery_time_sum   INTEGER NOT NULL,
    delivery_time_count INTEGER NOT NULL,
    last_success_at     INTEGER,
    incapable_until     INTEGER,
    last_inbound_at     INTEGER,
    PRIMARY KEY (contact, channel)
) WITHOUT ROWID;

CREATE TABLE thread (
    contact              INTEGER NOT NULL,
    sender               INTEGER NOT NULL,
    last_outbound_at     INTEGER,
    last_inbound_at      INTEGER,
    last_inbound_channel INTEGER,
    whatsapp_window_from INTEGER,
    opted_out            INTEGER NOT NULL,
    PRIMARY KEY (contact, sender)
) WITHOUT ROWID;

-- progress: see rows/progress.rs; NULL on inbound messages. lane: route * 2 + class while it waits
-- in one. place: its place there. contact stays when the contact is erased.
CREATE TABLE message (
    id         INTEGER PRIMARY KEY,
    project    INTEGER NOT NULL,
    sender     INTEGER NOT NULL,
    contact    INTEGER NOT NULL,
    place      INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    channel    INTEGER,
    in_hand    INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    lane       INTEGER,
    due_at     INTEGER,
    due_kind   INTEGER,
    progress   BLOB
);
CREATE INDEX message_contact ON message (contact);
CREATE INDEX message_project ON message (project);
CREATE INDEX message_standing ON message (project, status) WHERE status IN (0, 3);
CREATE INDEX message_lane ON message (lane, place) WHERE lane IS NOT NULL;
CREATE INDEX message_due ON message (due_at) WHERE due_at IS NOT NULL;

-- What never changes of a message, and the decision made at its acceptance.
CREATE TABLE content (
    message       INTEGER PRIMARY KEY,
    peer          INTEGER NOT NULL,
    kind          INTEGER NOT NULL,
    accepted_at   INTEGER NOT NULL,
    class_reason  INTEGER,
    category      INTEGER,
    speed         INTEGER,
    explicit      INTEGER,
    reply_to      INTEGER,
    reply_channel INTEGER,
    test          INTEGER,
    scheduled_at  INTEGER,
    extra         TEXT,
    template      TEXT,
    metadata      TEXT,
    text          TEXT,
    decision      TEXT
);

CREATE TABLE inbound (
    message     INTEGER PRIMARY KEY,
    route       INTEGER NOT NULL,
    address     TEXT    NOT NULL,
    provider_id TEXT,
    sent_at     INTEGER NOT NULL
);
CREATE UNIQUE INDEX inbound_provider ON inbound (route, provider_id) WHERE provider_id IS NOT NULL;

-- Decisions after the first.
CREATE TABLE decision (
    message INTEGER NOT NULL,
    no      INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    body    TEXT    NOT NULL,
    PRIMARY KEY (message, no)
) WITHOUT ROWID;

CREATE TABLE receipt (
    message INTEGER NOT NULL,
    no      INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    state   INTEGER NOT NULL,
    raw     TEXT    NOT NULL,
    PRIMARY KEY (message, no)
) WITHOUT ROWID;

-- The provider's names for what it took.
CREATE TABLE submission (
    route     INTEGER NOT NULL,
    reference TEXT    NOT NULL,
    message   INTEGER NOT NULL,
    attempt   INTEGER NOT NULL,
    part      INTEGER NOT NULL,
    PRIMARY KEY (route, reference)
) WITHOUT ROWID;

-- Submissions of unknown outcome (R-DUP).
CREATE TABLE unknown_submission (
    route   INTEGER NOT NULL,
    peer    INTEGER NOT NULL,
    message INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    PRIMARY KEY (route, peer, message, attempt)
) WITHOUT ROWID;

-- Receipts that came before the answer to their submission: a row for each form of the reference,
-- with consecutive ids from the first form on.
CREATE TABLE parked_receipt (
    id        INTEGER PRIMARY KEY,
    route     INTEGER NOT NULL,
    reference TEXT    NOT NULL,
    form      INTEGER NOT NULL,
    forms     INTEGER NOT NULL,
    peer      INTEGER,
    at        INTEGER NOT NULL,
    state     INTEGER NOT NULL,
    failure   TEXT,
    raw       TEXT    NOT NULL
);
CREATE INDEX parked_receipt_reference ON parked_receipt (route, reference);

CREATE TABLE idempotency (
    project INTEGER NOT NULL,
    key     TEXT    NOT NULL,
    message INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    fields  BLOB    NOT NULL,
    PRIMARY KEY (project, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency (at);

CREATE TABLE api_key (
    id         INTEGER PRIMARY KEY,
    project    INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    hash       BLOB    NOT NULL UNIQUE,
    scopes     INTEGER NOT NULL,
    test       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
);

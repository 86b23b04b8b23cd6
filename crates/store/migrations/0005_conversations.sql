-- Threads become conversations. project: NULL only on rows of contacts that are gone. last_message:
-- NULL while there is none, and the order of the list. channels: the set of channels, as bits.
ALTER TABLE thread ADD COLUMN project INTEGER;
ALTER TABLE thread ADD COLUMN no_promotions INTEGER NOT NULL DEFAULT 0;
ALTER TABLE thread ADD COLUMN channels INTEGER NOT NULL DEFAULT 0;
ALTER TABLE thread ADD COLUMN message_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE thread ADD COLUMN unread_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE thread ADD COLUMN last_message INTEGER;
ALTER TABLE thread ADD COLUMN created_at INTEGER;

-- What there was before counts as read. The bits of channels stand in the order of their codes.
UPDATE thread SET (project, message_count, last_message, channels, created_at) = (
    SELECT max(m.project), count(*), max(m.id),
        ifnull(max(m.channel = 0), 0) + 2 * ifnull(max(m.channel = 1), 0)
            + 4 * ifnull(max(m.channel = 2), 0) + 8 * ifnull(max(m.channel = 3), 0),
        min(m.id)
    FROM message m WHERE m.contact = thread.contact AND m.sender = thread.sender);
UPDATE thread SET created_at = (SELECT c.accepted_at FROM content c WHERE c.message = created_at);

CREATE INDEX thread_newest ON thread (project, last_message) WHERE last_message IS NOT NULL;

-- What changed a contact's consent towards a sender (R-IN-2).
CREATE TABLE consent (
    id        INTEGER PRIMARY KEY,
    contact   INTEGER NOT NULL,
    sender    INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    opted_out INTEGER NOT NULL,
    scope     INTEGER NOT NULL,
    source    INTEGER NOT NULL,
    channel   INTEGER,
    wording   TEXT    NOT NULL
);
CREATE INDEX consent_contact ON consent (contact, sender);

-- NULL is an ordinary message.
ALTER TABLE content ADD COLUMN purpose INTEGER;

-- The provider's names of messages that can be answered or reacted to are found by message, too:
-- channel is NULL on the others.
ALTER TABLE submission ADD COLUMN channel INTEGER;
CREATE INDEX submission_message ON submission (message, attempt, part) WHERE channel IS NOT NULL;

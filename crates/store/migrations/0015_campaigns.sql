-- What a caller counts messages under: its short name (registry, kind 3) where steps are booked, and its name
-- beside the content.
ALTER TABLE message ADD COLUMN campaign INTEGER;
ALTER TABLE content ADD COLUMN campaign TEXT;

-- Tallies by campaign, too; 0 is none.
CREATE TABLE tally_by_campaign (
    project       INTEGER NOT NULL,
    hour          INTEGER NOT NULL,
    route         INTEGER NOT NULL,
    sender        INTEGER NOT NULL,
    country       INTEGER NOT NULL,
    class         INTEGER NOT NULL,
    campaign      INTEGER NOT NULL,
    sent          INTEGER NOT NULL,
    delivered     INTEGER NOT NULL,
    failed        INTEGER NOT NULL,
    segments      INTEGER NOT NULL,
    cost          INTEGER NOT NULL,
    delivery_time INTEGER NOT NULL,
    PRIMARY KEY (project, hour, route, sender, country, class, campaign)
) WITHOUT ROWID;
INSERT INTO tally_by_campaign
    SELECT project, hour, route, sender, country, class, 0, sent, delivered, failed, segments, cost,
        delivery_time FROM tally;
DROP TABLE tally;
ALTER TABLE tally_by_campaign RENAME TO tally;

-- What a contact told the whole project of consent (R-IN-2): it holds towards every sender without a
-- row in thread, so also towards senders that are made later. A thread begins with a copy of it. In
-- consent, sender 0 is the whole project: keys of senders begin at 1.
CREATE TABLE project_consent (
    contact       INTEGER PRIMARY KEY,
    opted_out     INTEGER NOT NULL,
    no_promotions INTEGER NOT NULL
);

-- What contacts that are erased wanted no more. address: a keyed hash, see seal.rs. sender: 0 is the
-- whole project; the others are those towards which they stood otherwise.
CREATE TABLE suppression (
    project       INTEGER NOT NULL,
    address       BLOB    NOT NULL,
    sender        INTEGER NOT NULL,
    opted_out     INTEGER NOT NULL,
    no_promotions INTEGER NOT NULL,
    PRIMARY KEY (project, address, sender)
) WITHOUT ROWID;

-- Whether suppression ever had a row: while not, nobody who is new is looked for in it.
ALTER TABLE line ADD COLUMN suppresses INTEGER NOT NULL DEFAULT 0;

-- Messages that a person has (R-PHONE-2).
CREATE TABLE claim (
    project INTEGER NOT NULL,
    message INTEGER NOT NULL,
    PRIMARY KEY (project, message)
) WITHOUT ROWID;

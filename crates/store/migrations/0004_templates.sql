-- Templates (R-WIN-3). name, language and the provider's names stand outside of body, by which they
-- are found; body has all that the template says, as JSON. status is a code.
CREATE TABLE template (
    id          INTEGER PRIMARY KEY,
    project     INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    language    TEXT    NOT NULL,
    account     TEXT,
    provider_id TEXT,
    status      INTEGER NOT NULL,
    content_sid TEXT,
    reason      TEXT,
    body        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
);
CREATE INDEX template_project ON template (project, id);
CREATE INDEX template_name ON template (project, name, language);
CREATE INDEX template_provider ON template (project, provider_id) WHERE provider_id IS NOT NULL;

-- What is set up: one JSON document a row, by kind and name.
CREATE TABLE IF NOT EXISTS configuration (
    organisation_id BIGINT NOT NULL,
    resource        TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    -- How often it was changed, from 1.
    version         BIGINT NOT NULL,
    is_active       BOOLEAN NOT NULL,
    document        TEXT NOT NULL,
    PRIMARY KEY (organisation_id, resource, name)
);

-- An operator belongs to one organisation, or to 0, which stands for all. The name is unique there.
CREATE TABLE IF NOT EXISTS operator_account (
    organisation_id BIGINT NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    -- argon2id of the password, a PHC string.
    password        TEXT NOT NULL,
    role            TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organisation_id, name)
);

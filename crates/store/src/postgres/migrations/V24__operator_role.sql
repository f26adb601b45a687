-- organisation_id 0: every organisation.
CREATE TABLE IF NOT EXISTS operator_role (
    organisation_id BIGINT NOT NULL,
    operator        TEXT COLLATE "C" NOT NULL,
    role            TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (organisation_id, operator)
);

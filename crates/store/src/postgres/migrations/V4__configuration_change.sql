-- Who changed what; only ever added to. What was made has nothing before, what was taken away nothing
-- after. Of a secret, only that it was changed. Of all organisations, 0.
CREATE TABLE IF NOT EXISTS configuration_change (
    organisation_id BIGINT NOT NULL,
    change          BIGINT NOT NULL,
    changed_at      BIGINT NOT NULL,
    changed_by      TEXT NOT NULL,
    resource        TEXT NOT NULL,
    name            TEXT NOT NULL,
    before          TEXT,
    after           TEXT,
    PRIMARY KEY (organisation_id, change)
);

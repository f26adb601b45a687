-- Both customers of a merge as they were before, as JSON, so that it can be undone.
CREATE TABLE IF NOT EXISTS merge (
    organisation_id BIGINT NOT NULL,
    victim_id       BIGINT NOT NULL,
    survivor_id     BIGINT NOT NULL,
    merged_at       BIGINT NOT NULL,
    victim          TEXT NOT NULL,
    survivor        TEXT NOT NULL,
    PRIMARY KEY (organisation_id, victim_id)
);

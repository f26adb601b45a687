-- How often what is set up was changed, or what somebody signs in with. A table of its own, since each
-- registration locks its organisation's row: where tables are spread, that is to stay on one node.
CREATE TABLE IF NOT EXISTS configuration_version (
    organisation_id BIGINT PRIMARY KEY,
    version         BIGINT NOT NULL
);

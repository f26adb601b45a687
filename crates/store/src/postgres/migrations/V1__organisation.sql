-- Times are milliseconds since 1970 UTC. Amounts are exact decimals as text. Texts are compared by
-- their bytes. The organisation (tenant) leads every key but those of what is looked up before the
-- organisation is known: such tables are small.
CREATE TABLE IF NOT EXISTS organisation (
    organisation_id BIGINT PRIMARY KEY,
    name            TEXT COLLATE "C" NOT NULL UNIQUE,
    -- Its passwords are public, so it is not served to a network.
    is_demo         BOOLEAN NOT NULL,
    -- How often what is set up was changed, or what somebody signs in with.
    version         BIGINT NOT NULL
);

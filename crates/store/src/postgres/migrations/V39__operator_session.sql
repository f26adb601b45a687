-- The token itself is known to the operator alone.
CREATE TABLE IF NOT EXISTS operator_session (
    token_hash      BYTEA PRIMARY KEY,
    organisation_id BIGINT NOT NULL,
    operator        TEXT COLLATE "C" NOT NULL,
    opened_at       BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);

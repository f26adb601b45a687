-- A token says by itself neither whose it is nor how long it is good.
CREATE TABLE IF NOT EXISTS access_token (
    -- SHA-256 of the token.
    token_hash      BYTEA PRIMARY KEY,
    organisation_id BIGINT NOT NULL,
    api_client_id   BIGINT NOT NULL,
    issued_at       BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL
);

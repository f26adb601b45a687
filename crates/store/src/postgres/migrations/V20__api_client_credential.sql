-- An API client signs in by its key alone, so the key is unique across organisations.
CREATE TABLE IF NOT EXISTS api_client_credential (
    client_key      TEXT COLLATE "C" PRIMARY KEY,
    organisation_id BIGINT NOT NULL,
    api_client_id   BIGINT NOT NULL,
    -- argon2id of the secret.
    secret_hash     TEXT NOT NULL,
    UNIQUE (organisation_id, api_client_id)
);

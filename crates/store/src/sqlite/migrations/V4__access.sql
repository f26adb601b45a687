-- An API client signs in by its key alone, so the key is unique across organisations.
CREATE TABLE api_client_credential (
    client_key      TEXT NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL,
    api_client_id   INTEGER NOT NULL,
    -- argon2id of the secret.
    secret_hash     TEXT NOT NULL,
    UNIQUE (organisation_id, api_client_id)
) STRICT, WITHOUT ROWID;

-- A token says by itself neither whose it is nor how long it is good.
CREATE TABLE access_token (
    -- SHA-256 of the token.
    token_hash      BLOB NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL,
    api_client_id   INTEGER NOT NULL,
    issued_at       INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX access_token_client ON access_token (organisation_id, api_client_id, issued_at);

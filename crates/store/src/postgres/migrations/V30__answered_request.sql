-- Requests that are answered once, with their answers. The key is the rule that such a request is
-- carried out once.
CREATE TABLE IF NOT EXISTS answered_request (
    organisation_id BIGINT NOT NULL,
    -- SHA-256 of who calls and by what the caller knows the request again; 32 bytes.
    request_key     BYTEA NOT NULL,
    -- SHA-256 of all that it asks for; 32 bytes.
    content         BYTEA NOT NULL,
    kept_until      BIGINT NOT NULL,
    answer          BYTEA NOT NULL,
    PRIMARY KEY (organisation_id, request_key)
);

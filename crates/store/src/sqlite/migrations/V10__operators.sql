-- Operators belong to no organisation: one may look after several.
CREATE TABLE operator (
    name     TEXT NOT NULL PRIMARY KEY,
    -- argon2id of the password, a PHC string.
    password TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- organisation_id 0: every organisation.
CREATE TABLE operator_role (
    organisation_id INTEGER NOT NULL,
    operator        TEXT NOT NULL,
    role            TEXT NOT NULL,
    PRIMARY KEY (organisation_id, operator)
) STRICT, WITHOUT ROWID;

CREATE INDEX operator_role_operator ON operator_role (operator);

-- The token itself is known to the operator alone.
CREATE TABLE operator_session (
    token_hash BLOB NOT NULL PRIMARY KEY,
    operator   TEXT NOT NULL,
    opened_at  INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX operator_session_operator ON operator_session (operator, opened_at);

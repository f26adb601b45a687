-- An operator belongs to one organisation, or to 0, which stands for all. The name is unique there.
CREATE TABLE operator_account (
    organisation_id INTEGER NOT NULL,
    name            TEXT NOT NULL,
    -- argon2id of the password, a PHC string.
    password        TEXT NOT NULL,
    role            TEXT NOT NULL,
    PRIMARY KEY (organisation_id, name)
) STRICT, WITHOUT ROWID;

-- An operator with roles in several organisations has an account in each.
INSERT INTO operator_account
SELECT r.organisation_id, r.operator, o.password, r.role
FROM operator_role r JOIN operator o ON o.name = r.operator;

DROP TABLE operator_role;
DROP TABLE operator;
DROP TABLE operator_session;

-- The token itself is known to the operator alone.
CREATE TABLE operator_session (
    token_hash      BLOB NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL,
    operator        TEXT NOT NULL,
    opened_at       INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX operator_session_operator ON operator_session (organisation_id, operator, opened_at);

-- Whether an operator of the organisation, one for everywhere or a command made the change.
ALTER TABLE configuration_change ADD COLUMN changed_by_kind TEXT NOT NULL DEFAULT 'operator';

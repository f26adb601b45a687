-- A till signs in by its name alone, so the name is unique across organisations.
CREATE TABLE IF NOT EXISTS till_credential (
    username        TEXT COLLATE "C" PRIMARY KEY,
    organisation_id BIGINT NOT NULL,
    till_id         BIGINT NOT NULL,
    -- argon2id of the lower-case hex MD5 and of the lower-case hex SHA-256 of the password; absent
    -- until it has one.
    md5_hash        TEXT,
    sha256_hash     TEXT
);

-- Operators belong to no organisation: one may look after several.
CREATE TABLE IF NOT EXISTS operator (
    name     TEXT COLLATE "C" PRIMARY KEY,
    -- argon2id of the password, a PHC string.
    password TEXT NOT NULL
);

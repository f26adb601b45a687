CREATE TABLE IF NOT EXISTS customer (
    organisation_id BIGINT NOT NULL,
    customer_id     BIGINT NOT NULL,
    mobile          TEXT COLLATE "C",
    -- The number as sent, where that differs from the canonical one.
    mobile_sent     TEXT,
    email           TEXT COLLATE "C",
    external_id     TEXT COLLATE "C",
    first_name      TEXT,
    last_name       TEXT,
    type            TEXT NOT NULL,
    source          TEXT NOT NULL,
    account_id      TEXT,
    registered_at   BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    registered_till BIGINT NOT NULL,
    associated_till BIGINT,
    fraud_status    TEXT,
    -- JSON, absent where there are none.
    channels        TEXT,
    subscriptions   TEXT,
    kept            TEXT,
    custom_fields   TEXT,
    extended_fields TEXT,
    -- The customer into whom this one was merged; whoever comes by this one's identifiers is they.
    merged_into     BIGINT,
    PRIMARY KEY (organisation_id, customer_id)
);

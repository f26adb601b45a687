CREATE TABLE IF NOT EXISTS enrolment (
    organisation_id BIGINT NOT NULL,
    customer_id     BIGINT NOT NULL,
    programme_id    BIGINT NOT NULL,
    tier            BIGINT NOT NULL,
    tier_expires_at BIGINT,
    -- The sums of the ledger's entries of points, by their kind; NULL where there are none.
    awarded         TEXT,
    redeemed        TEXT,
    expired         TEXT,
    returned        TEXT,
    adjusted        TEXT,
    purchased       TEXT,
    -- The same of each alternate currency, as JSON by its identifier; NULL where there are none.
    currencies      TEXT,
    PRIMARY KEY (organisation_id, customer_id, programme_id)
);

-- The key is the rule that a card is one customer's. Whoever was merged leads to their survivor.
CREATE TABLE IF NOT EXISTS card (
    organisation_id BIGINT NOT NULL,
    number          TEXT COLLATE "C" NOT NULL,
    customer_id     BIGINT NOT NULL,
    -- The card series, where it comes from one.
    series          TEXT,
    issued_at       BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, number)
);

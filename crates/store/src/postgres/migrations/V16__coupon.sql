-- The key is the rule that a code is one coupon's.
CREATE TABLE IF NOT EXISTS coupon (
    organisation_id BIGINT NOT NULL,
    code            TEXT COLLATE "C" NOT NULL,
    coupon_id       BIGINT NOT NULL,
    customer_id     BIGINT NOT NULL,
    -- The coupon series.
    series          TEXT NOT NULL,
    issued_at       BIGINT NOT NULL,
    valid_till      BIGINT,
    PRIMARY KEY (organisation_id, code)
);

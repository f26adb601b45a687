-- The key is the rule that a code is one customer's. Whoever was merged leads to their survivor.
CREATE TABLE IF NOT EXISTS referral_code (
    organisation_id BIGINT NOT NULL,
    code            TEXT COLLATE "C" NOT NULL,
    customer_id     BIGINT NOT NULL,
    -- The referral campaign.
    campaign        TEXT COLLATE "C" NOT NULL,
    -- How many customers came by it.
    referrals       BIGINT NOT NULL,
    issued_at       BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, code)
);

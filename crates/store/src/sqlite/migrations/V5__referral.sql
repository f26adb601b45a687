-- The key is the rule that a code is one customer's. Whoever was merged leads to their survivor.
CREATE TABLE referral_code (
    organisation_id INTEGER NOT NULL,
    code            TEXT NOT NULL,
    customer_id     INTEGER NOT NULL,
    -- The referral campaign.
    campaign        TEXT NOT NULL,
    -- How many customers came by it.
    referrals       INTEGER NOT NULL,
    issued_at       INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, code)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX referral_code_customer ON referral_code (organisation_id, customer_id, campaign);

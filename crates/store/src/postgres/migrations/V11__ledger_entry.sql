-- Only ever added to; the balances in enrolment are its sums. Its key is the rule that a reward rule
-- is awarded to a customer once: each award has line 0, with the amount 0 where it gives none.
CREATE TABLE IF NOT EXISTS ledger_entry (
    organisation_id BIGINT NOT NULL,
    customer_id     BIGINT NOT NULL,
    -- registration: the customer was awarded the rule; referral: whom they referred was; merge.
    reason          TEXT COLLATE "C" NOT NULL,
    -- The reward rule; empty where there is none.
    rule            TEXT COLLATE "C" NOT NULL,
    -- Whom they referred, or with whom they were merged; 0 where there is nobody.
    other_id        BIGINT NOT NULL,
    line            BIGINT NOT NULL,
    programme_id    BIGINT NOT NULL,
    -- The identifier of an alternate currency; NULL for points.
    currency        TEXT,
    kind            TEXT NOT NULL,
    amount          TEXT NOT NULL,
    entered_at      BIGINT NOT NULL,
    -- When what was gained ends; NULL for never.
    expires_at      BIGINT,
    PRIMARY KEY (organisation_id, customer_id, reason, rule, other_id, line)
);

-- How far each series has come. A series that has issued nothing yet has no row.
-- kind: card_series, coupon_series; external_ids and coupon_ids are one an organisation, without a name.
CREATE TABLE series (
    organisation_id INTEGER NOT NULL,
    kind            TEXT NOT NULL,
    name            TEXT NOT NULL,
    issued          INTEGER NOT NULL,
    -- The number at which counting goes on, where the series counts.
    next            INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, kind, name)
) STRICT, WITHOUT ROWID;

-- The key is the rule that a card is one customer's. Whoever was merged leads to their survivor.
CREATE TABLE card (
    organisation_id INTEGER NOT NULL,
    number          TEXT NOT NULL,
    customer_id     INTEGER NOT NULL,
    -- The card series, where it comes from one.
    series          TEXT,
    issued_at       INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX card_customer ON card (organisation_id, customer_id);

-- The key is the rule that a code is one coupon's.
CREATE TABLE coupon (
    organisation_id INTEGER NOT NULL,
    code            TEXT NOT NULL,
    coupon_id       INTEGER NOT NULL,
    customer_id     INTEGER NOT NULL,
    -- The coupon series.
    series          TEXT NOT NULL,
    issued_at       INTEGER NOT NULL,
    valid_till      INTEGER,
    PRIMARY KEY (organisation_id, code)
) STRICT, WITHOUT ROWID;

CREATE INDEX coupon_customer ON coupon (organisation_id, customer_id);

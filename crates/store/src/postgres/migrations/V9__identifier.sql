-- This key is the rule that an identifier belongs to one customer.
-- kind: 1 mobile (digits with country code), 2 email (lower case), 3 external id (as sent).
CREATE TABLE IF NOT EXISTS identifier (
    organisation_id BIGINT NOT NULL,
    kind            SMALLINT NOT NULL,
    value           TEXT COLLATE "C" NOT NULL,
    customer_id     BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, kind, value)
);

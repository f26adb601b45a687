-- The rows of customers and of their audit are long. They lie in the order in which they came, whatever
-- their organisation, so that a group of registrations fills pages one after the other; their keys are
-- short, and lie beside them.
CREATE TABLE customer_in_order (
    organisation_id INTEGER NOT NULL,
    customer_id     INTEGER NOT NULL,
    mobile          TEXT,
    -- The number as sent, where that differs from the canonical one.
    mobile_sent     TEXT,
    email           TEXT,
    external_id     TEXT,
    first_name      TEXT,
    last_name       TEXT,
    type            TEXT NOT NULL,
    source          TEXT NOT NULL,
    account_id      TEXT,
    registered_at   INTEGER NOT NULL,
    updated_at      INTEGER NOT NULL,
    registered_till INTEGER NOT NULL,
    associated_till INTEGER,
    fraud_status    TEXT,
    -- JSON, absent where there are none.
    channels        TEXT,
    subscriptions   TEXT,
    kept            TEXT,
    custom_fields   TEXT,
    extended_fields TEXT,
    -- The customer into whom this one was merged; whoever comes by this one's identifiers is they.
    merged_into     INTEGER,
    -- Which identifiers are not in the table of identifiers, if they are not said to be: the sum of
    -- 2 to the power of their kinds.
    recent          INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, customer_id)
) STRICT;

INSERT INTO customer_in_order SELECT * FROM customer;
DROP TABLE customer;
ALTER TABLE customer_in_order RENAME TO customer;

CREATE INDEX customer_merged ON customer (organisation_id, merged_into)
WHERE merged_into IS NOT NULL;

CREATE TABLE audit_entry_in_order (
    organisation_id INTEGER NOT NULL,
    customer_id     INTEGER NOT NULL,
    entry           INTEGER NOT NULL,
    recorded_at     INTEGER NOT NULL,
    -- 16 bytes.
    request_id      BLOB NOT NULL,
    -- Who signed in: the one or the other.
    caller_till     INTEGER,
    caller_client   INTEGER,
    -- As which till the request was posted, and in which store that one stood.
    till_id         INTEGER,
    store_id        INTEGER,
    source          TEXT NOT NULL,
    -- JSON: the caller's own words for who acts; absent where it said nothing.
    user_context    TEXT,
    -- JSON: both customers of a merge, by what people know them.
    merge           TEXT,
    -- JSON: each thing that changed, before and after.
    events          TEXT NOT NULL,
    PRIMARY KEY (organisation_id, customer_id, entry)
) STRICT;

INSERT INTO audit_entry_in_order SELECT * FROM audit_entry;
DROP TABLE audit_entry;
ALTER TABLE audit_entry_in_order RENAME TO audit_entry;

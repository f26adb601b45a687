-- Times are milliseconds since 1970 UTC. Amounts are exact decimals as text.
-- The organisation (tenant) leads every key.

CREATE TABLE organisation (
    organisation_id  INTEGER PRIMARY KEY,
    name             TEXT NOT NULL UNIQUE,
    -- Its passwords are public, so it is not served to a network.
    is_demo          INTEGER NOT NULL,
    -- The first id that no customer has been given and no block has reserved.
    next_customer_id INTEGER NOT NULL,
    -- Up to this customer, every identifier is in the table of identifiers.
    identifiers_merged_to INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What is set up: one JSON document a row, by kind and name.
CREATE TABLE configuration (
    organisation_id INTEGER NOT NULL,
    resource        TEXT NOT NULL,
    name            TEXT NOT NULL,
    -- How often it was changed, from 1.
    version         INTEGER NOT NULL,
    is_active       INTEGER NOT NULL,
    document        TEXT NOT NULL,
    PRIMARY KEY (organisation_id, resource, name)
) STRICT, WITHOUT ROWID;

-- Who changed what; only ever added to. What was made has nothing before, what was taken away nothing
-- after. Of a secret, only that it was changed.
CREATE TABLE configuration_change (
    organisation_id INTEGER NOT NULL,
    change          INTEGER NOT NULL,
    changed_at      INTEGER NOT NULL,
    changed_by      TEXT NOT NULL,
    resource        TEXT NOT NULL,
    name            TEXT NOT NULL,
    before          TEXT,
    after           TEXT,
    PRIMARY KEY (organisation_id, change)
) STRICT, WITHOUT ROWID;

-- A till signs in by its name alone, so the name is unique across organisations.
CREATE TABLE till_credential (
    username        TEXT NOT NULL PRIMARY KEY,
    organisation_id INTEGER NOT NULL,
    till_id         INTEGER NOT NULL,
    -- argon2id of the lower-case hex MD5 and of the lower-case hex SHA-256 of the password; absent
    -- until it has one.
    md5_hash        TEXT,
    sha256_hash     TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE customer (
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
) STRICT, WITHOUT ROWID;

CREATE INDEX customer_merged ON customer (organisation_id, merged_into)
WHERE merged_into IS NOT NULL;

-- Both customers of a merge as they were before, as JSON, so that it can be undone.
CREATE TABLE merge (
    organisation_id INTEGER NOT NULL,
    victim_id       INTEGER NOT NULL,
    survivor_id     INTEGER NOT NULL,
    merged_at       INTEGER NOT NULL,
    victim          TEXT NOT NULL,
    survivor        TEXT NOT NULL,
    PRIMARY KEY (organisation_id, victim_id)
) STRICT, WITHOUT ROWID;

-- This key is the rule that an identifier belongs to one customer. Those of new customers come here
-- when enough have gathered.
-- kind: 1 mobile (digits with country code), 2 email (lower case), 3 external id (as sent).
CREATE TABLE identifier (
    organisation_id INTEGER NOT NULL,
    kind            INTEGER NOT NULL,
    value           TEXT NOT NULL,
    customer_id     INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, kind, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE enrolment (
    organisation_id INTEGER NOT NULL,
    customer_id     INTEGER NOT NULL,
    programme_id    INTEGER NOT NULL,
    tier            INTEGER NOT NULL,
    tier_expires_at INTEGER,
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
) STRICT, WITHOUT ROWID;

-- Only ever added to; the balances in enrolment are its sums. Its key is the rule that a reward rule
-- is awarded to a customer once: each award has line 0, with the amount 0 where it gives none.
CREATE TABLE ledger_entry (
    organisation_id INTEGER NOT NULL,
    customer_id     INTEGER NOT NULL,
    -- registration: the customer was awarded the rule; referral: whom they referred was; merge.
    reason          TEXT NOT NULL,
    -- The reward rule; empty where there is none.
    rule            TEXT NOT NULL,
    -- Whom they referred, or with whom they were merged; 0 where there is nobody.
    other_id        INTEGER NOT NULL,
    line            INTEGER NOT NULL,
    programme_id    INTEGER NOT NULL,
    -- The identifier of an alternate currency; NULL for points.
    currency        TEXT,
    kind            TEXT NOT NULL,
    amount          TEXT NOT NULL,
    entered_at      INTEGER NOT NULL,
    -- When what was gained ends; NULL for never.
    expires_at      INTEGER,
    PRIMARY KEY (organisation_id, customer_id, reason, rule, other_id, line)
) STRICT, WITHOUT ROWID;

-- Who changed what of a customer, by which request: only ever added to. The events of one request
-- are one row, since the writer pays by the row; a customer's entries are numbered from 1 without a
-- gap, so that a page is found at its place.
CREATE TABLE audit_entry (
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
) STRICT, WITHOUT ROWID;

-- The answers of requests that are answered once, as long as they are kept. They are long, so they
-- lie in the order in which they came, and only their keys in no order beside them.
CREATE TABLE answered_request (
    organisation_id INTEGER NOT NULL,
    -- 32 bytes each: by what the request is known again, and a digest of what it asked for.
    request_key     BLOB NOT NULL,
    content         BLOB NOT NULL,
    kept_until      INTEGER NOT NULL,
    answer          BLOB NOT NULL,
    PRIMARY KEY (organisation_id, request_key)
) STRICT;

CREATE INDEX answered_request_kept ON answered_request (organisation_id, kept_until);

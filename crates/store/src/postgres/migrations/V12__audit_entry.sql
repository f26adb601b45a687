-- Who changed what of a customer, by which request: only ever added to. The events of one request
-- are one row; a customer's entries are numbered from 1 without a gap, so that a page is found at its
-- place.
CREATE TABLE IF NOT EXISTS audit_entry (
    organisation_id BIGINT NOT NULL,
    customer_id     BIGINT NOT NULL,
    entry           BIGINT NOT NULL,
    recorded_at     BIGINT NOT NULL,
    -- 16 bytes.
    request_id      BYTEA NOT NULL,
    -- Who signed in: the one or the other.
    caller_till     BIGINT,
    caller_client   BIGINT,
    -- As which till the request was posted, and in which store that one stood.
    till_id         BIGINT,
    store_id        BIGINT,
    source          TEXT NOT NULL,
    -- JSON: the caller's own words for who acts; absent where it said nothing.
    user_context    TEXT,
    -- JSON: both customers of a merge, by what people know them.
    merge           TEXT,
    -- JSON: each thing that changed, before and after.
    events          TEXT NOT NULL,
    PRIMARY KEY (organisation_id, customer_id, entry)
);

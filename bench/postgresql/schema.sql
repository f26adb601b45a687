CREATE TABLE customer (
    organisation_id integer NOT NULL,
    customer_id     bigint NOT NULL,
    profile         text NOT NULL,
    registered_at   bigint NOT NULL,
    PRIMARY KEY (organisation_id, customer_id)
);
CREATE TABLE identifier (
    organisation_id integer NOT NULL,
    kind            smallint NOT NULL,
    value           text NOT NULL,
    customer_id     bigint NOT NULL,
    PRIMARY KEY (organisation_id, kind, value)
);
CREATE TABLE enrolment (
    organisation_id integer NOT NULL,
    customer_id     bigint NOT NULL,
    programme_id    bigint NOT NULL,
    tier            text NOT NULL,
    points          numeric NOT NULL,
    PRIMARY KEY (organisation_id, customer_id, programme_id)
);
CREATE TABLE ledger_entry (
    organisation_id integer NOT NULL,
    customer_id     bigint NOT NULL,
    rule            text NOT NULL,
    programme_id    bigint NOT NULL,
    amount          numeric NOT NULL,
    entered_at      bigint NOT NULL,
    PRIMARY KEY (organisation_id, customer_id, rule)
);
CREATE TABLE audit_entry (
    organisation_id integer NOT NULL,
    customer_id     bigint NOT NULL,
    entry           bigint NOT NULL,
    recorded_at     bigint NOT NULL,
    events          text NOT NULL,
    PRIMARY KEY (organisation_id, customer_id, entry)
);

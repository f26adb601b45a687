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

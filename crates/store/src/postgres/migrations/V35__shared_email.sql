-- The email addresses of customers where several may share one (CONF_USERS_IS_EMAIL_UNIQUE is off), in
-- lower case. Where an address belongs to one customer, it is in the table of identifiers instead.
CREATE TABLE IF NOT EXISTS shared_email (
    organisation_id BIGINT NOT NULL,
    value           TEXT COLLATE "C" NOT NULL,
    customer_id     BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, value, customer_id)
);

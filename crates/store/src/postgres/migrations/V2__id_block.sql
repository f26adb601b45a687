-- The first id that no customer has been given and no block has reserved.
CREATE TABLE IF NOT EXISTS id_block (
    organisation_id  BIGINT PRIMARY KEY,
    next_customer_id BIGINT NOT NULL
);

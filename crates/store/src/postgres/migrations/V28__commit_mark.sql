-- One row a transaction, written with it: by it a process finds out whether a commit happened whose
-- answer was lost. 16 bytes. Of what is not one organisation's, 0.
CREATE TABLE IF NOT EXISTS commit_mark (
    organisation_id BIGINT NOT NULL,
    mark            BYTEA NOT NULL,
    -- Which try it was.
    attempt         BIGINT NOT NULL,
    committed_at    BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, mark)
);

-- How far each series has come. A series that has issued nothing yet has no row.
-- kind: external_ids (one an organisation, without a name), cards, coupons.
CREATE TABLE series (
    organisation_id INTEGER NOT NULL,
    kind            TEXT NOT NULL,
    name            TEXT NOT NULL,
    issued          INTEGER NOT NULL,
    -- The number at which counting goes on, where the series counts.
    next            INTEGER NOT NULL,
    PRIMARY KEY (organisation_id, kind, name)
) STRICT, WITHOUT ROWID;

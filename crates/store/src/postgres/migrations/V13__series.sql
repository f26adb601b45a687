-- How far each series has come. A series that has issued nothing yet has no row.
-- kind: card_series, coupon_series; external_ids and coupon_ids are one an organisation, without a name.
CREATE TABLE IF NOT EXISTS series (
    organisation_id BIGINT NOT NULL,
    kind            TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    issued          BIGINT NOT NULL,
    -- The number at which counting goes on, where the series counts.
    next            BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, kind, name)
);

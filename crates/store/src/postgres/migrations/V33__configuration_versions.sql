-- What was counted in the organisation's own row.
INSERT INTO configuration_version (organisation_id, version)
SELECT organisation_id, version FROM organisation
ON CONFLICT (organisation_id) DO NOTHING;

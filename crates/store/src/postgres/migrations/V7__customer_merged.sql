CREATE INDEX IF NOT EXISTS customer_merged ON customer (organisation_id, merged_into)
WHERE merged_into IS NOT NULL;

CREATE INDEX IF NOT EXISTS card_customer ON card (organisation_id, customer_id);

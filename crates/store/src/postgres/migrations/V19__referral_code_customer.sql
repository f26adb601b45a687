CREATE UNIQUE INDEX IF NOT EXISTS referral_code_customer
ON referral_code (organisation_id, customer_id, campaign);

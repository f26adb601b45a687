CREATE INDEX IF NOT EXISTS coupon_customer ON coupon (organisation_id, customer_id);

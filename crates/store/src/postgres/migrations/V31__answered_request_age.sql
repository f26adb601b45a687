CREATE INDEX IF NOT EXISTS answered_request_age ON answered_request (organisation_id, kept_until);

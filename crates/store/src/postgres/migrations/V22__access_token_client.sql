CREATE INDEX IF NOT EXISTS access_token_client
ON access_token (organisation_id, api_client_id, issued_at);

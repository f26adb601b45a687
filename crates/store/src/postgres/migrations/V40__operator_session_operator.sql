CREATE INDEX IF NOT EXISTS operator_session_operator
    ON operator_session (organisation_id, operator, opened_at);

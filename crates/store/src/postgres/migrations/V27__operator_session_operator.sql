CREATE INDEX IF NOT EXISTS operator_session_operator ON operator_session (operator, opened_at);

CREATE INDEX IF NOT EXISTS operator_role_operator ON operator_role (operator);

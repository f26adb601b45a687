-- Operators sign in again: a session names no account.
DROP TABLE IF EXISTS operator_role, operator, operator_session;

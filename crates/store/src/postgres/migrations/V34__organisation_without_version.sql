-- Processes of a program that knows fewer steps are stopped before this one.
ALTER TABLE organisation DROP COLUMN IF EXISTS version;

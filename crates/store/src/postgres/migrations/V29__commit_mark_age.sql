CREATE INDEX IF NOT EXISTS commit_mark_age ON commit_mark (organisation_id, committed_at);

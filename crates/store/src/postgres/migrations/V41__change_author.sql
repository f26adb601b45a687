-- Whether an operator of the organisation, one for everywhere or a command made the change.
ALTER TABLE configuration_change
    ADD COLUMN IF NOT EXISTS changed_by_kind TEXT NOT NULL DEFAULT 'operator';

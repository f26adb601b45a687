//! Extended fields as an operator defines them; [`crate::profile::extended_field`] has their rules.

use super::resource::check_audit_trail;
use super::{ExtendedField, Invalid, Kind, Organisation, Resource};

impl Resource for ExtendedField {
    const KIND: Kind = Kind::ExtendedFields;
    const COUNT_LIMIT: usize = 1_000;

    fn name(&self) -> &str {
        &self.name
    }

    fn unique(&self) -> Vec<(&'static str, String)> {
        // Compared without case.
        vec![("/name", self.name.to_lowercase())]
    }

    fn check(&self, organisation: &Organisation) -> Result<(), Invalid> {
        self.check_definition()?;
        let audited = organisation.extended_fields.active().filter(|field| field.audit_trail);
        let limit = organisation.settings.audited_extended_fields;
        check_audit_trail(self.audit_trail, audited.count(), limit)
    }
}

//! Custom fields as an operator defines them; [`crate::profile::custom_field`] has their rules.

use super::resource::check_audit_trail;
use super::{CustomField, Invalid, Kind, Organisation, Resource};

impl Resource for CustomField {
    const KIND: Kind = Kind::CustomFields;
    const COUNT_LIMIT: usize = 1_000;
    // "name: max 20 characters".
    const NAME_LIMIT: usize = 20;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, organisation: &Organisation) -> Result<(), Invalid> {
        let audited = organisation.custom_fields.active().filter(|field| field.audit_trail);
        let limit = organisation.settings.audited_custom_fields;
        check_audit_trail(self.audit_trail, audited.count(), limit)
    }
}

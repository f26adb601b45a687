//! Custom fields as an operator defines them; [`crate::profile::custom_field`] has their rules.

use super::{CustomField, Invalid, Kind, Organisation, Resource};

impl Resource for CustomField {
    const KIND: Kind = Kind::CustomFields;
    const COUNT_LIMIT: usize = 1_000;
    // "name: max 20 characters".
    const NAME_LIMIT: usize = 20;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, _organisation: &Organisation) -> Result<(), Invalid> {
        Ok(())
    }
}

//! Extended fields as an operator defines them; [`crate::profile::extended_field`] has their rules.

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

    fn check(&self, _organisation: &Organisation) -> Result<(), Invalid> {
        self.check_definition()
    }
}

//! Extended fields as an operator defines them; [`crate::profile::extended_field`] has their rules.

use super::{ExtendedField, Invalid, Kind, Organisation, Resource};

impl Resource for ExtendedField {
    const KIND: Kind = Kind::ExtendedFields;
    const COUNT_LIMIT: usize = 1_000;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, organisation: &Organisation) -> Result<(), Invalid> {
        let twin = organisation
            .extended_fields
            .active()
            .find(|other| other.name != self.name && other.is_named(&self.name));
        if let Some(twin) = twin {
            let reason = format!("`{}` differs from it in case alone", twin.name);
            return Err(Invalid::at("/name", reason));
        }
        self.check_definition()
    }
}

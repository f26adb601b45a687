//! An organisation (the tenant) as its rules see it: what an operator has set up.
//!
//! Each thing that is set up is a [`Resource`]: a typed document with a name. [`Kind`] lists the
//! kinds; this file says where the organisation keeps each.

mod amount;
mod collection;
mod currency;
mod custom_field;
mod details;
mod document;
mod extended_field;
mod kind;
mod programme;
mod resource;
mod reward_rule;
mod settings;
mod till;
mod time_zone;

pub use amount::Amount;
pub use collection::Collection;
pub use currency::AlternateCurrency;
pub use details::Details;
pub use document::{Document, Documents};
pub use kind::Kind;
pub use programme::{Programme, ProgrammeId, Reward, Tier};
pub use resource::{Invalid, Refused, Resource};
pub use reward_rule::{Conditions, Effect, Occasion, RewardRule};
pub use till::{Till, TillId};

pub use crate::profile::{CustomField, ExtendedField};
use crate::settings::Settings;

/// What an operator has set up for one organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Organisation {
    /// What the organisation is.
    pub details: Details,
    /// The registration configuration.
    pub settings: Settings,
    /// The tills.
    pub tills: Collection<Till>,
    /// The custom fields that customers may have.
    pub custom_fields: Collection<CustomField>,
    /// The extended fields that customers may have.
    pub extended_fields: Collection<ExtendedField>,
    /// The loyalty programmes.
    pub programmes: Collection<Programme>,
}

impl Organisation {
    /// The documents of a kind.
    #[must_use]
    pub fn documents(&self, kind: Kind) -> &dyn Documents {
        match kind {
            Kind::Organisation => &self.details,
            Kind::Settings => &self.settings,
            Kind::Tills => &self.tills,
            Kind::CustomFields => &self.custom_fields,
            Kind::ExtendedFields => &self.extended_fields,
            Kind::Programmes => &self.programmes,
        }
    }

    /// The documents of a kind, to be changed.
    pub fn documents_mut(&mut self, kind: Kind) -> &mut dyn Documents {
        match kind {
            Kind::Organisation => &mut self.details,
            Kind::Settings => &mut self.settings,
            Kind::Tills => &mut self.tills,
            Kind::CustomFields => &mut self.custom_fields,
            Kind::ExtendedFields => &mut self.extended_fields,
            Kind::Programmes => &mut self.programmes,
        }
    }

    /// Puts documents that belong together in place.
    ///
    /// # Errors
    /// The first document that is wrong by itself or clashes with one of its kind.
    pub fn put_all(
        &mut self,
        documents: impl IntoIterator<Item = (Kind, Document)>,
    ) -> Result<(), Refused> {
        for (kind, Document { name, is_active, json }) in documents {
            let target = self.documents_mut(kind);
            let put = target.put(&json).and_then(|name| target.set_active(&name, is_active));
            put.map_err(|invalid| Refused { kind, name, invalid })?;
        }
        Ok(())
    }

    /// Checks everything that is active against everything else.
    ///
    /// # Errors
    /// Every document that cannot stand beside the others.
    pub fn check(&self) -> Result<(), Vec<Refused>> {
        let refused: Vec<Refused> =
            Kind::ALL.into_iter().flat_map(|kind| self.documents(kind).check(self)).collect();
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }

    /// The active till of this name, compared exactly.
    #[must_use]
    pub fn till_named(&self, name: &str) -> Option<&Till> {
        self.tills.named(name)
    }

    /// The programme in which registration enrols a loyalty customer.
    #[must_use]
    pub fn default_programme(&self) -> Option<&Programme> {
        self.programmes.active().find(|programme| programme.is_default)
    }

    /// The programme of this id, active or not.
    #[must_use]
    pub fn programme(&self, id: ProgrammeId) -> Option<&Programme> {
        self.programmes.with_id(id.0)
    }
}

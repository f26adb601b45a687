//! Card series: where the numbers of cards come from.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Invalid, Kind, Organisation, Resource};
use crate::number::{Fault, Form};

/// A series of cards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CardSeries {
    /// Its code, by which a registration names it.
    pub name: String,
    /// The form of its numbers.
    #[serde(default)]
    pub number: Form,
    /// The most cards that come from it; as many as there are numbers where it is left out.
    #[serde(default)]
    pub limit: Option<u64>,
}

impl Resource for CardSeries {
    const KIND: Kind = Kind::CardSeries;
    const COUNT_LIMIT: usize = 1_000;

    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, _organisation: &Organisation) -> Result<(), Invalid> {
        self.number.check().map_err(|fault| Invalid::at(pointer(fault), fault.to_string()))
    }
}

const fn pointer(fault: Fault) -> &'static str {
    match fault {
        Fault::Length | Fault::NoPlace => "/number/length",
        Fault::Characters => "/number/prefix",
        Fault::Suffix => "/number/suffix",
        Fault::ChecksumOverPrefix => "/number/checksum_over",
        Fault::Offset => "/number/offset",
    }
}

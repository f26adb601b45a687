//! An alternate currency: what an organisation gives besides points.

use serde::{Deserialize, Serialize};

/// A currency besides points, such as stars or miles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlternateCurrency {
    /// What people call it.
    pub name: String,
    /// By what replies and the ledger know it; it does not change once somebody has some of it.
    pub identifier: String,
}

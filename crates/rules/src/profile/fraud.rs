//! `fraud_status`: "The customer's fraud status. Values allowed are NORMAL, OUTLIER, FRAUD,
//! INTERNAL, INVALID."
//!
//! The specification's own sample sends `Fraud_Suspected`, and other pages list further values, so
//! all of them are taken. Case, blanks and hyphens do not matter.

use super::constant_case;

const KNOWN: [&str; 16] = [
    "NORMAL",
    "OUTLIER",
    "FRAUD",
    "INTERNAL",
    "INVALID",
    "NONE",
    "MARKED",
    "CONFIRMED",
    "RECONFIRMED",
    "NOT_FRAUD",
    "ACTIVE",
    "SUSPENDED",
    "DELETED",
    "FRAUD_SUSPECTED",
    "FRAUD_CONFIRMED",
    "PENDING_DELETION",
];

/// A customer's fraud status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FraudStatus(String);

impl FraudStatus {
    /// Reads a status as sent. One that no document lists is taken as `NONE`.
    #[must_use]
    pub fn parse(sent: &str) -> Self {
        let name = constant_case(sent);
        if KNOWN.contains(&name.as_str()) { Self(name) } else { Self("NONE".to_owned()) }
    }

    /// A status that was valid when it was stored.
    #[must_use]
    pub const fn stored(name: String) -> Self {
        Self(name)
    }

    /// The status's name on the wire and in the store, in capitals.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Fraud_Suspected", "FRAUD_SUSPECTED")]
    #[case("fraud suspected", "FRAUD_SUSPECTED")]
    #[case("NORMAL", "NORMAL")]
    #[case("not-fraud", "NOT_FRAUD")]
    #[case("Fraus_Suspected", "NONE")]
    fn statuses(#[case] sent: &str, #[case] expected: &str) {
        assert_eq!(FraudStatus::parse(sent).name(), expected);
    }
}

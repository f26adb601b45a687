//! `fraud_status`: "The customer's fraud status. Values allowed are NORMAL, OUTLIER, FRAUD,
//! INTERNAL, INVALID."
//!
//! The specification's own sample sends `Fraud_Suspected`, and other pages list further values, so
//! all of them are accepted. Case, blanks, hyphens and underscores do not matter. A status that no
//! document lists is stored as `NONE` with a warning (91003), or refused (1061) by `STRICT_EXTRAS`.

use super::listed;

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

/// The status of whoever has none.
const NONE: &str = "NONE";

/// A customer's fraud status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FraudStatus {
    name: String,
    listed: bool,
}

impl FraudStatus {
    /// Reads a status as sent.
    #[must_use]
    pub fn parse(sent: &str) -> Self {
        match listed(sent, &KNOWN) {
            Some(name) => Self::stored(name.to_owned()),
            None => Self { name: NONE.to_owned(), listed: false },
        }
    }

    /// Whether a document lists it.
    #[must_use]
    pub const fn is_listed(&self) -> bool {
        self.listed
    }

    /// A status that was valid when it was stored.
    #[must_use]
    pub const fn stored(name: String) -> Self {
        Self { name, listed: true }
    }

    /// Brings a status to a customer: one that no document lists is `NONE` for whoever has none,
    /// and never replaces another.
    pub fn bring(self, held: &mut Option<Self>) {
        if self.listed || held.is_none() {
            *held = Some(Self::stored(self.name));
        }
    }

    /// The status's name on the wire and in the store, in capitals.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Fraud_Suspected", Some("FRAUD_SUSPECTED"))]
    #[case("fraud suspected", Some("FRAUD_SUSPECTED"))]
    #[case("NORMAL", Some("NORMAL"))]
    #[case("not-fraud", Some("NOT_FRAUD"))]
    #[case("Reconfirmed", Some("RECONFIRMED"))]
    #[case("Pending deletion", Some("PENDING_DELETION"))]
    #[case("Fraus_Suspected", None)]
    #[case("guilty", None)]
    fn statuses(#[case] sent: &str, #[case] known: Option<&str>) {
        let read = FraudStatus::parse(sent);
        assert_eq!((read.name(), read.is_listed()), (known.unwrap_or(NONE), known.is_some()));
        let status = |name: &str| FraudStatus::stored(name.to_owned());
        let mut held = Some(status("CONFIRMED"));
        read.bring(&mut held);
        assert_eq!(held, Some(status(known.unwrap_or("CONFIRMED"))));
    }
}

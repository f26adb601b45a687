//! `type`: "The customer type. Values allowed are loyalty, non_loyalty."
//!
//! Older documentation allows `not_interested` as well. Case, blanks, hyphens and underscores do not
//! matter.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::listed;

/// What a customer is to the organisation's loyalty programme.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CustomerType {
    /// Enrolled in the programme.
    Loyalty,
    /// Registered, not enrolled.
    NonLoyalty,
    /// Known, but asked not to be enrolled.
    NotInterested,
}

impl CustomerType {
    /// Reads a type as sent; `None` where it is none of them.
    #[must_use]
    pub fn parse(sent: &str) -> Option<Self> {
        let all = [Self::Loyalty, Self::NonLoyalty, Self::NotInterested];
        let name = listed(sent, &all.map(Self::name))?;
        all.into_iter().find(|known| known.name() == name)
    }

    /// The name on the wire and in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loyalty => "LOYALTY",
            Self::NonLoyalty => "NON_LOYALTY",
            Self::NotInterested => "NOT_INTERESTED",
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("LOYALTY", Some(CustomerType::Loyalty))]
    #[case("loyalty", Some(CustomerType::Loyalty))]
    #[case(" Non_Loyalty ", Some(CustomerType::NonLoyalty))]
    #[case("non-loyalty", Some(CustomerType::NonLoyalty))]
    #[case("NOT_INTERESTED", Some(CustomerType::NotInterested))]
    #[case("gold", None)]
    #[case("", None)]
    fn types(#[case] sent: &str, #[case] expected: Option<CustomerType>) {
        assert_eq!(CustomerType::parse(sent), expected);
        if let Some(kind) = expected {
            assert_eq!(CustomerType::parse(kind.name()), expected);
        }
    }
}

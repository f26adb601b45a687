//! The ledger: what customers gained and lost, entry by entry, and the balances beside it.
//!
//! Entries are only ever added. A balance is the sum of its entries by [`EntryKind`], kept with the
//! enrolment in the same commit, so that it can be told without adding up and be checked by adding
//! up.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use rust_decimal::Decimal;

use crate::customer::CustomerId;
use crate::organisation::ProgrammeId;

/// One line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// Whose it is.
    pub customer: CustomerId,
    /// Why it was entered.
    pub reason: Reason,
    /// Its number among the customer's entries of this reason, from 0. Customer, reason and line
    /// are the entry's key, so that nothing is entered twice.
    pub line: u32,
    /// The programme.
    pub programme: ProgrammeId,
    /// What the amount is counted in.
    pub currency: Currency,
    /// What kind of gain or loss it is.
    pub kind: EntryKind,
    /// How much the customer gains, or loses where it is negative. Zero says that a rule was awarded
    /// which gives no amount.
    pub amount: Decimal,
    /// When what was gained ends; `None` is never.
    pub expires_at: Option<Timestamp>,
}

/// What a customer has that ends at one time: the sum of such entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Who has it.
    pub customer: CustomerId,
    /// The programme.
    pub programme: ProgrammeId,
    /// What the amount is counted in.
    pub currency: Currency,
    /// What kind of gain or loss it was.
    pub kind: EntryKind,
    /// How much it is.
    pub amount: Decimal,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A reward rule that was awarded to a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Award {
    /// To whom.
    pub customer: CustomerId,
    /// The rule's name.
    pub rule: String,
    /// The programme that gave it.
    pub programme: ProgrammeId,
}

impl Award {
    /// The entry of an award that gives no amount.
    #[must_use]
    pub fn without_amount(self) -> LedgerEntry {
        LedgerEntry {
            customer: self.customer,
            reason: Reason::Registration { rule: self.rule },
            line: 0,
            programme: self.programme,
            currency: Currency::Points,
            kind: EntryKind::Awarded,
            amount: Decimal::ZERO,
            expires_at: None,
        }
    }
}

/// What an amount is counted in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Currency {
    /// The programme's points.
    Points,
    /// The alternate currency of this identifier.
    Alternate(String),
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Points => "points",
            Self::Alternate(identifier) => identifier,
        })
    }
}

/// Why something was entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The customer was registered, or became a loyalty customer, and this reward rule was awarded.
    Registration {
        /// The rule's name.
        rule: String,
    },
    /// The customer referred another, to whom this reward rule was awarded.
    Referral {
        /// The rule's name.
        rule: String,
        /// Whom they referred.
        referee: CustomerId,
    },
    /// The customer was merged with another: what the one loses, the other gains.
    Merge {
        /// The other one.
        with: CustomerId,
    },
}

impl Reason {
    /// The reason's name in the store.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Registration { .. } => "registration",
            Self::Referral { .. } => "referral",
            Self::Merge { .. } => "merge",
        }
    }

    /// The reward rule that was awarded, where one was.
    #[must_use]
    pub fn rule(&self) -> Option<&str> {
        match self {
            Self::Registration { rule } | Self::Referral { rule, .. } => Some(rule),
            Self::Merge { .. } => None,
        }
    }

    /// The other customer, where there is one.
    #[must_use]
    pub const fn other(&self) -> Option<CustomerId> {
        match self {
            Self::Registration { .. } => None,
            Self::Referral { referee, .. } => Some(*referee),
            Self::Merge { with } => Some(*with),
        }
    }
}

/// What kind of gain or loss an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// It was awarded.
    Awarded,
    /// It was spent.
    Redeemed,
    /// Its time was over.
    Expired,
    /// It was taken back with what it had been given for.
    Returned,
    /// It was put right by hand.
    Adjusted,
    /// Something was bought for this much money: told beside the balance, and no part of it.
    Purchased,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Awarded,
        Self::Redeemed,
        Self::Expired,
        Self::Returned,
        Self::Adjusted,
        Self::Purchased,
    ];

    /// The kind's name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Awarded => "awarded",
            Self::Redeemed => "redeemed",
            Self::Expired => "expired",
            Self::Returned => "returned",
            Self::Adjusted => "adjusted",
            Self::Purchased => "purchased",
        }
    }

    /// The kind of this name; `None` where it is none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// The sums of a customer's entries in one currency, by kind. What was lost is negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    awarded: Decimal,
    redeemed: Decimal,
    expired: Decimal,
    returned: Decimal,
    adjusted: Decimal,
    purchased: Decimal,
}

impl Balance {
    /// The sum of this kind.
    #[must_use]
    pub const fn sum(&self, kind: EntryKind) -> Decimal {
        match kind {
            EntryKind::Awarded => self.awarded,
            EntryKind::Redeemed => self.redeemed,
            EntryKind::Expired => self.expired,
            EntryKind::Returned => self.returned,
            EntryKind::Adjusted => self.adjusted,
            EntryKind::Purchased => self.purchased,
        }
    }

    /// What was gathered over the whole time, whatever became of it.
    #[must_use]
    pub const fn lifetime(&self) -> Decimal {
        self.awarded
    }

    /// What can be spent now: everything but purchases.
    #[must_use]
    pub fn available(&self) -> Decimal {
        // It was exact when it was entered.
        self.exact_available().unwrap_or_default()
    }

    /// The balance with an entry; `None` where a sum could not be exact.
    #[must_use]
    pub fn entered(mut self, kind: EntryKind, amount: Decimal) -> Option<Self> {
        let sum = match kind {
            EntryKind::Awarded => &mut self.awarded,
            EntryKind::Redeemed => &mut self.redeemed,
            EntryKind::Expired => &mut self.expired,
            EntryKind::Returned => &mut self.returned,
            EntryKind::Adjusted => &mut self.adjusted,
            EntryKind::Purchased => &mut self.purchased,
        };
        *sum = exact_sum(*sum, amount)?;
        self.exact_available().map(|_| self)
    }

    /// The balance with everything of another; `None` where a sum could not be exact.
    #[must_use]
    pub fn joined(self, other: &Self) -> Option<Self> {
        EntryKind::ALL.into_iter().try_fold(self, |sum, kind| sum.entered(kind, other.sum(kind)))
    }

    fn exact_available(&self) -> Option<Decimal> {
        [self.redeemed, self.expired, self.returned, self.adjusted]
            .into_iter()
            .try_fold(self.awarded, exact_sum)
    }
}

/// A customer's balances in one programme.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Balances {
    /// The programme's points.
    pub points: Balance,
    /// The alternate currencies in which there are entries, by identifier.
    pub currencies: BTreeMap<String, Balance>,
}

impl Balances {
    /// The balance in this currency.
    #[must_use]
    pub fn of(&self, currency: &Currency) -> Balance {
        match currency {
            Currency::Points => self.points,
            Currency::Alternate(identifier) => {
                self.currencies.get(identifier).copied().unwrap_or_default()
            }
        }
    }

    /// Every balance that is not empty.
    pub fn all(&self) -> impl Iterator<Item = (Currency, Balance)> {
        let points = [(Currency::Points, self.points)].into_iter();
        let currencies = self
            .currencies
            .iter()
            .map(|(identifier, balance)| (Currency::Alternate(identifier.clone()), *balance));
        points.chain(currencies).filter(|(_, balance)| *balance != Balance::default())
    }

    /// Adds an entry; `None`, and nothing has changed, where a sum could not be exact.
    #[must_use]
    pub fn enter(&mut self, currency: &Currency, kind: EntryKind, amount: Decimal) -> Option<()> {
        let balance = self.of(currency).entered(kind, amount)?;
        match currency {
            Currency::Points => self.points = balance,
            Currency::Alternate(identifier) => {
                self.currencies.insert(identifier.clone(), balance);
            }
        }
        Some(())
    }
}

/// The sum, which the library would round where it has too many digits; then `None`.
pub(crate) fn exact_sum(one: Decimal, other: Decimal) -> Option<Decimal> {
    let sum = one.checked_add(other)?;
    (sum.checked_sub(one)? == other && sum.checked_sub(other)? == one).then_some(sum)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[rstest]
    #[case("0.1", "0.2", Some("0.3"))]
    #[case("-30", "100", Some("70"))]
    #[case("79228162514264337593543950335", "0", Some("79228162514264337593543950335"))]
    #[case::too_large("79228162514264337593543950335", "1", None)]
    #[case::too_long("7922816251426433759354395033", "0.15", None)]
    #[case::lost_in_the_other("79228162514264337593543950334", "0.1", None)]
    fn sums_are_exact_or_none(#[case] one: &str, #[case] other: &str, #[case] sum: Option<&str>) {
        let (one, other) = (decimal(one), decimal(other));
        assert_eq!(exact_sum(one, other), sum.map(decimal));
        assert_eq!(exact_sum(other, one), sum.map(decimal));
    }

    #[test]
    fn every_kind_but_purchases_counts_for_what_can_be_spent() {
        let amounts = ["100", "-30", "-5", "-10", "2.5", "999.99"];
        let mut balances = Balances::default();
        for (kind, amount) in EntryKind::ALL.into_iter().zip(amounts) {
            balances.enter(&Currency::Points, kind, decimal(amount)).unwrap();
            assert_eq!(balances.points.sum(kind), decimal(amount));
        }
        assert_eq!(balances.points.lifetime(), decimal("100"));
        assert_eq!(balances.points.available(), decimal("57.5"));
    }

    #[test]
    fn currencies_are_counted_apart() {
        let mut balances = Balances::default();
        let coins = Currency::Alternate("coins".to_owned());
        balances.enter(&coins, EntryKind::Awarded, decimal("110")).unwrap();
        assert_eq!(balances.of(&coins).available(), decimal("110"));
        assert_eq!(balances.of(&Currency::Points).available(), Decimal::ZERO);
        let told: Vec<String> = balances.all().map(|(currency, _)| currency.to_string()).collect();
        assert_eq!(told, ["coins"]);
    }

    #[test]
    fn what_cannot_be_exact_changes_nothing() {
        let mut balances = Balances::default();
        balances.enter(&Currency::Points, EntryKind::Awarded, Decimal::MAX).unwrap();
        let before = balances.clone();
        assert_eq!(balances.enter(&Currency::Points, EntryKind::Awarded, Decimal::ONE), None);
        assert_eq!(balances.enter(&Currency::Points, EntryKind::Adjusted, decimal("0.1")), None);
        assert_eq!(balances, before);
    }

    #[test]
    fn names_lead_back_to_their_kinds() {
        for kind in EntryKind::ALL {
            assert_eq!(EntryKind::named(kind.name()), Some(kind));
        }
        assert_eq!(EntryKind::named("given"), None);
    }
}

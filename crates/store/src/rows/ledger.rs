//! Entries of the ledger, and what they add up to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use patron_rules::customer::CustomerId;
use patron_rules::ledger::{Award, Balance, Currency, Ending, EntryKind};
use patron_rules::organisation::ProgrammeId;
use rust_decimal::Decimal;

use super::{Row, amount, corrupt, enrolment};
use crate::{Error, LedgerDifference, TenantId};

/// What there is of one customer in each programme, currency and kind.
pub(crate) type Sums = BTreeMap<(ProgrammeId, Currency, EntryKind), Decimal>;

/// What one row says of a customer.
pub(crate) struct Part {
    pub(crate) customer: CustomerId,
    pub(crate) programme: ProgrammeId,
    pub(crate) amounts: Vec<(Currency, EntryKind, Decimal)>,
}

/// Adds what a row says.
pub(crate) fn add(sums: &mut Sums, part: Part) -> Result<(), Error> {
    for (currency, kind, amount) in part.amounts {
        let sum = sums.entry((part.programme, currency, kind)).or_default();
        *sum = sum.checked_add(amount).ok_or_else(|| corrupt("a ledger without a sum"))?;
    }
    Ok(())
}

/// What ends, by its end, of these entries and when each ends.
pub(crate) fn endings(
    entries: impl IntoIterator<Item = (Part, Timestamp)>,
) -> Result<Vec<Ending>, Error> {
    let mut sums = BTreeMap::<_, Decimal>::new();
    for (Part { customer, programme, amounts }, expires_at) in entries {
        for (currency, kind, amount) in amounts {
            let sum = sums.entry((customer, programme, currency, kind, expires_at)).or_default();
            *sum = sum.checked_add(amount).ok_or_else(|| corrupt("a ledger without a sum"))?;
        }
    }
    sums.retain(|_, amount| !amount.is_zero());
    let ending = |((customer, programme, currency, kind, expires_at), amount)| Ending {
        customer,
        programme,
        currency,
        kind,
        amount,
        expires_at,
    };
    Ok(sums.into_iter().map(ending).collect())
}

/// The award of a row in the ledger.
pub(crate) fn read_award(row: &impl Row, customer: CustomerId) -> Result<Award, Error> {
    let programme = ProgrammeId(row.number("programme_id")?);
    Ok(Award { customer, rule: row.text("rule")?, programme })
}

/// The balances of a row in the table of enrolments.
pub(crate) fn read_balances(row: &impl Row) -> Result<Part, Error> {
    let of_kinds = |(currency, balance): (Currency, Balance)| {
        EntryKind::ALL.map(|kind| (currency.clone(), kind, balance.sum(kind)))
    };
    Ok(Part {
        customer: CustomerId(row.number("customer_id")?),
        programme: ProgrammeId(row.number("programme_id")?),
        amounts: enrolment::balances(row)?.all().flat_map(of_kinds).collect(),
    })
}

/// The amount of a row in the ledger.
pub(crate) fn read_entry(row: &impl Row) -> Result<Part, Error> {
    let currency = row.maybe_text("currency")?;
    let kind =
        EntryKind::named(&row.text("kind")?).ok_or_else(|| corrupt("an entry of no known kind"))?;
    let amount = amount(&row.text("amount")?)?;
    Ok(Part {
        customer: CustomerId(row.number("customer_id")?),
        programme: ProgrammeId(row.number("programme_id")?),
        amounts: vec![(currency.map_or(Currency::Points, Currency::Alternate), kind, amount)],
    })
}

/// What of a customer is not as it should be.
pub(crate) fn differences<'a>(
    customer: CustomerId,
    expected: &'a Sums,
    found: &'a Sums,
) -> impl Iterator<Item = LedgerDifference> + 'a {
    let keys: BTreeSet<_> = expected.keys().chain(found.keys()).collect();
    keys.into_iter().filter_map(move |key| {
        let [expected, found] =
            [expected, found].map(|sums| sums.get(key).copied().unwrap_or_default());
        let (programme, currency, kind) = key.clone();
        (expected != found).then_some(LedgerDifference {
            customer,
            programme,
            currency,
            kind,
            expected,
            found,
        })
    })
}

/// What differs, in words.
pub(crate) fn describe(tenant: TenantId, difference: &LedgerDifference) -> String {
    let LedgerDifference { customer, programme, currency, kind, expected, found } = difference;
    format!(
        "organisation {}, customer {}: programme {}, {currency} {}: the balance is {found}, the sum \
         of its entries {expected}",
        tenant.0,
        customer.0,
        programme.0,
        kind.name(),
    )
}

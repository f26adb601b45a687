//! Customers' places in programmes, with the balances that the ledger adds up to.

use std::collections::BTreeMap;

use jiff::Timestamp;
use patron_rules::customer::Enrolment;
use patron_rules::ledger::{Balance, Balances, EntryKind};
use patron_rules::organisation::ProgrammeId;
use rust_decimal::Decimal;

use super::{Row, amount, corrupt, count, from_json, to_json};
use crate::Error;

/// The sums of an alternate currency as they are stored: by the kind's name.
type Sums = BTreeMap<String, String>;

/// The enrolment of a row in the table of enrolments.
pub(crate) fn from_row(row: &impl Row) -> Result<Enrolment, Error> {
    Ok(Enrolment {
        programme: ProgrammeId(row.number("programme_id")?),
        tier: count(row.number("tier")?)?,
        tier_expires_at: row.maybe_time("tier_expires_at")?,
        balances: balances(row)?,
    })
}

/// The balances of a row.
pub(crate) fn balances(row: &impl Row) -> Result<Balances, Error> {
    let mut points = Vec::new();
    for kind in EntryKind::ALL {
        let sum = row.maybe_text(kind.name())?;
        points.extend(sum.map(|sum| Ok::<_, Error>((kind, amount(&sum)?))).transpose()?);
    }
    let currencies: BTreeMap<String, Sums> = row
        .maybe_text("currencies")?
        .map_or_else(|| Ok(BTreeMap::new()), |json| from_json(&json))?;
    let currencies = currencies.into_iter().map(|(identifier, sums)| {
        let sum = |(name, sum): (String, String)| {
            let kind =
                EntryKind::named(&name).ok_or_else(|| corrupt("a balance of no known kind"))?;
            Ok((kind, amount(&sum)?))
        };
        let sums = sums.into_iter().map(sum).collect::<Result<Vec<_>, Error>>()?;
        Ok((identifier, balance(sums)?))
    });
    Ok(Balances { points: balance(points)?, currencies: currencies.collect::<Result<_, Error>>()? })
}

fn balance(sums: Vec<(EntryKind, Decimal)>) -> Result<Balance, Error> {
    let entered = |balance: Balance, (kind, sum)| balance.entered(kind, sum);
    let balance = sums.into_iter().try_fold(Balance::default(), entered);
    balance.ok_or_else(|| corrupt("a balance that is not exact"))
}

/// An enrolment as JSON, whole.
pub(crate) fn snapshot(enrolment: &Enrolment) -> serde_json::Value {
    let Enrolment { programme, tier, tier_expires_at, balances } = enrolment;
    serde_json::json!({
        "programme_id": programme.0,
        "tier": tier,
        "tier_expires_at": tier_expires_at.map(Timestamp::as_millisecond),
        "points": sums(&balances.points),
        "currencies": by_currency(balances),
    })
}

/// The balances of alternate currencies as JSON; `None` where there are none.
pub(crate) fn currencies(balances: &Balances) -> Result<Option<String>, Error> {
    (!balances.currencies.is_empty()).then(|| to_json(&by_currency(balances))).transpose()
}

fn by_currency(balances: &Balances) -> BTreeMap<&String, Sums> {
    balances.currencies.iter().map(|(identifier, balance)| (identifier, sums(balance))).collect()
}

fn sums(balance: &Balance) -> Sums {
    let sum = |kind: EntryKind| Some((kind.name().to_owned(), text(balance.sum(kind))?));
    EntryKind::ALL.into_iter().filter_map(sum).collect()
}

/// A sum as text; `None` for nothing.
pub(crate) fn text(sum: Decimal) -> Option<String> {
    (!sum.is_zero()).then(|| sum.to_string())
}

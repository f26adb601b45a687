//! Customers' places in programmes, with the balances that the ledger adds up to.

use std::collections::BTreeMap;

use jiff::Timestamp;
use patron_rules::customer::{CustomerId, Enrolment};
use patron_rules::ledger::{Balance, Balances, EntryKind};
use patron_rules::organisation::ProgrammeId;
use rusqlite::{Connection, Row, params};
use rust_decimal::Decimal;

use super::rows::{amount, corrupt, list, timestamp};
use crate::{Error, TenantId};

/// The sums of an alternate currency as they are stored: by the kind's name.
type Sums = BTreeMap<String, String>;

pub(super) fn of_customer(
    connection: &Connection,
    tenant: TenantId,
    id: CustomerId,
) -> Result<Vec<Enrolment>, Error> {
    let sql = "SELECT programme_id, tier, tier_expires_at, awarded, redeemed, expired, returned,
                adjusted, purchased, currencies
         FROM enrolment WHERE organisation_id = ?1 AND customer_id = ?2 ORDER BY programme_id";
    list(connection, sql, (tenant.0, id.0), |row| {
        let ends: Option<i64> = row.get("tier_expires_at")?;
        Ok(Enrolment {
            programme: ProgrammeId(row.get("programme_id")?),
            tier: row.get("tier")?,
            tier_expires_at: ends.map(timestamp).transpose()?,
            balances: balances(row)?,
        })
    })
}

/// The balances of a row.
pub(super) fn balances(row: &Row<'_>) -> Result<Balances, Error> {
    let mut points = Vec::new();
    for kind in EntryKind::ALL {
        let sum: Option<String> = row.get(kind.name())?;
        points.extend(sum.map(|sum| Ok::<_, Error>((kind, amount(&sum)?))).transpose()?);
    }
    let currencies: Option<String> = row.get("currencies")?;
    let currencies: BTreeMap<String, Sums> = currencies
        .map_or_else(|| Ok(BTreeMap::new()), |json| serde_json::from_str(&json))
        .map_err(|_| corrupt("balances are no JSON"))?;
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

pub(super) fn save(
    connection: &Connection,
    tenant: TenantId,
    id: CustomerId,
    enrolment: &Enrolment,
) -> Result<(), Error> {
    let Enrolment { programme, tier, tier_expires_at, balances } = enrolment;
    let points = |kind| text(balances.points.sum(kind));
    let sql = "INSERT OR REPLACE INTO enrolment (
            organisation_id, customer_id, programme_id, tier, tier_expires_at, awarded, redeemed,
            expired, returned, adjusted, purchased, currencies)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    connection.prepare_cached(sql)?.execute(params![
        tenant.0,
        id.0,
        programme.0,
        tier,
        tier_expires_at.map(Timestamp::as_millisecond),
        points(EntryKind::Awarded),
        points(EntryKind::Redeemed),
        points(EntryKind::Expired),
        points(EntryKind::Returned),
        points(EntryKind::Adjusted),
        points(EntryKind::Purchased),
        currencies(balances)?,
    ])?;
    Ok(())
}

/// An enrolment as JSON, whole.
pub(super) fn snapshot(enrolment: &Enrolment) -> serde_json::Value {
    let Enrolment { programme, tier, tier_expires_at, balances } = enrolment;
    serde_json::json!({
        "programme_id": programme.0,
        "tier": tier,
        "tier_expires_at": tier_expires_at.map(Timestamp::as_millisecond),
        "points": sums(&balances.points),
        "currencies": by_currency(balances),
    })
}

fn currencies(balances: &Balances) -> Result<Option<String>, Error> {
    if balances.currencies.is_empty() {
        return Ok(None);
    }
    serde_json::to_string(&by_currency(balances))
        .map(Some)
        .map_err(|error| Error::Engine(Box::new(error)))
}

fn by_currency(balances: &Balances) -> BTreeMap<&String, Sums> {
    balances.currencies.iter().map(|(identifier, balance)| (identifier, sums(balance))).collect()
}

fn sums(balance: &Balance) -> Sums {
    let sum = |kind: EntryKind| Some((kind.name().to_owned(), text(balance.sum(kind))?));
    EntryKind::ALL.into_iter().filter_map(sum).collect()
}

/// A sum as text; `None` for nothing.
fn text(sum: Decimal) -> Option<String> {
    (!sum.is_zero()).then(|| sum.to_string())
}

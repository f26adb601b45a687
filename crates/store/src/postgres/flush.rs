//! Writing what a transaction changed: one statement a table, of as many rows as there are.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use patron_rules::card::Card;
use patron_rules::coupon::Coupon;
use patron_rules::customer::{Customer, CustomerId, Enrolment};
use patron_rules::identifier::{Email, ExternalId, Mobile};
use patron_rules::ledger::{Currency, EntryKind, LedgerEntry};
use patron_rules::profile::{FraudStatus, Name};

use super::connection::Parameter;
use super::failure::follows_another;
use super::shared_email::SharedEmails;
use super::working::{Key, Working};
use crate::Error;
use crate::rows::customer::{field_pairs, kept_pairs};
use crate::rows::enrolment::{currencies, text};
use crate::rows::list_to_json;

/// What is to be written besides customers and identifiers, of which it is known how they are stored.
/// A row has the time of the request that it is of, in milliseconds since 1970 UTC.
#[derive(Clone, Default)]
pub(super) struct Changes {
    pub(super) ledger: Vec<(i64, LedgerEntry)>,
    pub(super) merges: Vec<MergeRow>,
    pub(super) audit: Vec<AuditRow>,
    pub(super) cards: Vec<(i64, Card)>,
    pub(super) coupons: Vec<(i64, CustomerId, Coupon)>,
    pub(super) shared_emails: SharedEmails,
    /// How many customers came by each referral code.
    pub(super) referrals: BTreeMap<String, i64>,
    /// The series that have come further.
    pub(super) series: HashSet<(&'static str, String)>,
}

/// Two customers of a merge, as they were before.
#[derive(Clone)]
pub(super) struct MergeRow {
    pub(super) at: i64,
    pub(super) victim: CustomerId,
    pub(super) survivor: CustomerId,
    pub(super) victim_before: String,
    pub(super) survivor_before: String,
}

/// An entry of the audit.
#[derive(Clone)]
pub(super) struct AuditRow {
    pub(super) at: i64,
    pub(super) customer: CustomerId,
    pub(super) entry: i64,
    pub(super) request_id: [u8; 16],
    pub(super) caller_till: Option<i64>,
    pub(super) caller_client: Option<i64>,
    pub(super) till: Option<i64>,
    pub(super) store: Option<i64>,
    pub(super) source: String,
    pub(super) user_context: Option<String>,
    pub(super) merge: Option<String>,
    pub(super) events: String,
}

/// Adds customers.
macro_rules! customer_rows {
    () => {
        "INSERT INTO customer (
        organisation_id, customer_id, mobile, mobile_sent, email, external_id, first_name, last_name,
        type, source, account_id, registered_at, updated_at, registered_till, associated_till,
        fraud_status, channels, subscriptions, kept, custom_fields, extended_fields)
     SELECT $1::BIGINT, * FROM unnest(
        $2::BIGINT[], $3::TEXT[], $4::TEXT[], $5::TEXT[], $6::TEXT[], $7::TEXT[], $8::TEXT[],
        $9::TEXT[], $10::TEXT[], $11::TEXT[], $12::BIGINT[], $13::BIGINT[], $14::BIGINT[],
        $15::BIGINT[], $16::TEXT[], $17::TEXT[], $18::TEXT[], $19::TEXT[], $20::TEXT[], $21::TEXT[])"
    };
}
const CUSTOMER_ROWS: &str = customer_rows!();
/// By their key, whatever the planner takes the table for.
const CUSTOMERS_CHANGED: &str = concat!(
    customer_rows!(),
    " ON CONFLICT (organisation_id, customer_id) DO UPDATE SET
        mobile = EXCLUDED.mobile, mobile_sent = EXCLUDED.mobile_sent, email = EXCLUDED.email,
        external_id = EXCLUDED.external_id, first_name = EXCLUDED.first_name,
        last_name = EXCLUDED.last_name, type = EXCLUDED.type, source = EXCLUDED.source,
        account_id = EXCLUDED.account_id, registered_at = EXCLUDED.registered_at,
        updated_at = EXCLUDED.updated_at, registered_till = EXCLUDED.registered_till,
        associated_till = EXCLUDED.associated_till, fraud_status = EXCLUDED.fraud_status,
        channels = EXCLUDED.channels, subscriptions = EXCLUDED.subscriptions,
        kept = EXCLUDED.kept, custom_fields = EXCLUDED.custom_fields,
        extended_fields = EXCLUDED.extended_fields"
);
// Whoever was merged into the victim is one step from the survivor, too.
const MERGED: &str = "UPDATE customer SET merged_into = $3
     WHERE organisation_id = $1 AND (customer_id = $2 OR merged_into = $2)";
const MERGE_ROWS: &str = "INSERT INTO merge (
        organisation_id, merged_at, victim_id, survivor_id, victim, survivor)
     SELECT $1::BIGINT, * FROM unnest(
        $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::TEXT[], $6::TEXT[])";
const IDENTIFIERS_RELEASED: &str = "DELETE FROM identifier
     WHERE organisation_id = $1 AND kind = $2 AND value = ANY($3)";
const IDENTIFIERS_GAINED: &str =
    "INSERT INTO identifier (organisation_id, kind, value, customer_id)
     SELECT $1::BIGINT, * FROM unnest($2::SMALLINT[], $3::TEXT[], $4::BIGINT[])";
/// Adds enrolments.
macro_rules! enrolment_rows {
    () => {
        "INSERT INTO enrolment (
        organisation_id, customer_id, programme_id, tier, tier_expires_at, awarded, redeemed, expired,
        returned, adjusted, purchased, currencies)
     SELECT $1::BIGINT, * FROM unnest(
        $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[], $6::TEXT[], $7::TEXT[], $8::TEXT[],
        $9::TEXT[], $10::TEXT[], $11::TEXT[], $12::TEXT[])"
    };
}
const ENROLMENTS: &str = enrolment_rows!();
const ENROLMENTS_SAVED: &str = concat!(
    enrolment_rows!(),
    " ON CONFLICT (organisation_id, customer_id, programme_id) DO UPDATE SET
        tier = EXCLUDED.tier, tier_expires_at = EXCLUDED.tier_expires_at,
        awarded = EXCLUDED.awarded, redeemed = EXCLUDED.redeemed, expired = EXCLUDED.expired,
        returned = EXCLUDED.returned, adjusted = EXCLUDED.adjusted,
        purchased = EXCLUDED.purchased, currencies = EXCLUDED.currencies"
);
const LEDGER_ROWS: &str = "INSERT INTO ledger_entry (
        organisation_id, entered_at, customer_id, reason, rule, other_id, line, programme_id,
        currency, kind, amount, expires_at)
     SELECT $1::BIGINT, * FROM unnest(
        $2::BIGINT[], $3::BIGINT[], $4::TEXT[], $5::TEXT[], $6::BIGINT[], $7::BIGINT[], $8::BIGINT[], $9::TEXT[],
        $10::TEXT[], $11::TEXT[], $12::BIGINT[])";
const AUDIT_ROWS: &str = "INSERT INTO audit_entry (
        organisation_id, recorded_at, customer_id, entry, request_id, caller_till, caller_client,
        till_id, store_id, source, user_context, merge, events)
     SELECT $1::BIGINT, * FROM unnest(
        $2::BIGINT[], $3::BIGINT[], $4::BIGINT[], $5::BYTEA[], $6::BIGINT[], $7::BIGINT[],
        $8::BIGINT[], $9::BIGINT[], $10::TEXT[], $11::TEXT[], $12::TEXT[], $13::TEXT[])";
const CARD_ROWS: &str = "INSERT INTO card (organisation_id, issued_at, number, customer_id, series)
     SELECT $1::BIGINT, * FROM unnest($2::BIGINT[], $3::TEXT[], $4::BIGINT[], $5::TEXT[])";
const COUPON_ROWS: &str = "INSERT INTO coupon (
        organisation_id, issued_at, code, coupon_id, customer_id, series, valid_till)
     SELECT $1::BIGINT, * FROM unnest(
        $2::BIGINT[], $3::TEXT[], $4::BIGINT[], $5::BIGINT[], $6::TEXT[], $7::BIGINT[])";
const REFERRED: &str = "UPDATE referral_code r SET referrals = r.referrals + n.more
     FROM unnest($2::TEXT[], $3::BIGINT[]) AS n (code, more)
     WHERE r.organisation_id = $1 AND r.code = ANY($2) AND r.code = n.code";
const SERIES_REACHED: &str = "UPDATE series s SET issued = n.issued, next = n.next
     FROM unnest($2::TEXT[], $3::TEXT[], $4::BIGINT[], $5::BIGINT[]) AS n (kind, name, issued, next)
     WHERE s.organisation_id = $1 AND s.kind = n.kind AND s.name = n.name";

impl Working {
    /// Writes what changed since the last time.
    pub(super) async fn flush(&mut self) -> Result<(), Error> {
        // Large, and part of the state of whoever waits for it.
        Box::pin(self.write_changes()).await?;
        self.changes = Changes::default();
        self.answers.are_written();
        for known in self.customers.values_mut() {
            known.stored = Some(known.customer.clone());
        }
        for holder in self.holders.values_mut() {
            holder.stored = holder.now;
        }
        Ok(())
    }

    async fn write_changes(&self) -> Result<(), Error> {
        let written: [Result<(), Error>; 12] = tokio::join!(
            biased;
            self.write_customers(),
            self.write_identifiers(),
            self.write_enrolments(),
            self.write_ledger(),
            self.write_audit(),
            self.write_merges(),
            self.write_cards(),
            self.write_coupons(),
            self.write_shared_emails(),
            self.write_referrals(),
            self.write_series(),
            self.write_answers(),
        )
        .into();
        let failed = written.into_iter().filter_map(Result::err);
        // Once one has failed, the others do for that alone.
        failed.min_by_key(follows_another).map_or(Ok(()), Err)
    }

    async fn write_customers(&self) -> Result<(), Error> {
        let all = || self.customers.values();
        let are_new = all().filter(|known| known.stored.is_none());
        let are_new: Vec<&Customer> = are_new.map(|known| &known.customer).collect();
        self.write_rows(CUSTOMER_ROWS, &are_new).await?;
        let differ = all()
            .filter(|known| known.stored.as_ref().is_some_and(|stored| *stored != known.customer));
        let differ: Vec<&Customer> = differ.map(|known| &known.customer).collect();
        self.write_rows(CUSTOMERS_CHANGED, &differ).await?;
        for MergeRow { victim, survivor, .. } in &self.changes.merges {
            self.connection.execute(MERGED, &[&self.tenant.0, &victim.0, &survivor.0]).await?;
        }
        Ok(())
    }

    async fn write_rows(&self, sql: &str, customers: &[&Customer]) -> Result<(), Error> {
        if customers.is_empty() {
            return Ok(());
        }
        let rows = Rows(customers);
        let parameters: [Parameter<'_>; 21] = [
            &self.tenant.0,
            &rows.of(|customer| customer.id.0),
            &rows.of(|customer| customer.identifiers.mobile.as_ref().map(Mobile::digits)),
            &rows.of(|customer| {
                let mobile = customer.identifiers.mobile.as_ref();
                mobile.filter(|mobile| mobile.sent() != mobile.digits()).map(Mobile::sent)
            }),
            &rows.of(|customer| customer.identifiers.email.as_ref().map(Email::as_str)),
            &rows.of(|customer| customer.identifiers.external_id.as_ref().map(ExternalId::as_str)),
            &rows.of(|customer| customer.first_name.as_ref().map(Name::as_str)),
            &rows.of(|customer| customer.last_name.as_ref().map(Name::as_str)),
            &rows.of(|customer| customer.customer_type.name()),
            &rows.of(|customer| customer.source.name()),
            &rows.of(|customer| customer.account_id.as_deref()),
            &rows.of(|customer| customer.registered_at.as_millisecond()),
            &rows.of(|customer| customer.updated_at.as_millisecond()),
            &rows.of(|customer| customer.registered_till.0),
            &rows.of(|customer| customer.associated_till.map(|till| till.0)),
            &rows.of(|customer| customer.fraud_status.as_ref().map(FraudStatus::name)),
            &rows.json(|customer| list_to_json(&customer.channels))?,
            &rows.json(|customer| list_to_json(&customer.subscriptions))?,
            &rows.json(|customer| list_to_json(&kept_pairs(&customer.kept)))?,
            &rows.json(|customer| list_to_json(&field_pairs(&customer.custom_fields)))?,
            &rows.json(|customer| list_to_json(&field_pairs(&customer.extended_fields)))?,
        ];
        self.connection.execute(sql, &parameters).await.map(drop)
    }

    async fn write_identifiers(&self) -> Result<(), Error> {
        let differ = || self.holders.iter().filter(|(_, holder)| holder.stored != holder.now);
        let mut released: BTreeMap<i16, Vec<&str>> = BTreeMap::new();
        for ((kind, value), _) in differ().filter(|(_, holder)| holder.stored.is_some()) {
            released.entry(*kind).or_default().push(value);
        }
        for (kind, values) in released {
            let parameters: [Parameter<'_>; 3] = [&self.tenant.0, &kind, &values];
            self.connection.execute(IDENTIFIERS_RELEASED, &parameters).await?;
        }
        let gained: Vec<(&Key, CustomerId)> =
            differ().filter_map(|(key, holder)| Some((key, holder.now?))).collect();
        if gained.is_empty() {
            return Ok(());
        }
        let rows = Rows(&gained);
        let parameters: [Parameter<'_>; 4] = [
            &self.tenant.0,
            &rows.of(|(key, _)| key.0),
            &rows.of(|(key, _)| key.1.as_str()),
            &rows.of(|(_, customer)| customer.0),
        ];
        self.connection.execute(IDENTIFIERS_GAINED, &parameters).await.map(drop)
    }

    async fn write_enrolments(&self) -> Result<(), Error> {
        let (mut are_new, mut differ) = (Vec::new(), Vec::new());
        for known in self.customers.values() {
            let stored = known.stored.as_ref().map(|stored| stored.enrolments.as_slice());
            for enrolment in &known.customer.enrolments {
                match stored {
                    None => are_new.push((known.customer.id, enrolment)),
                    Some(stored) if !stored.contains(enrolment) => {
                        differ.push((known.customer.id, enrolment));
                    }
                    Some(_) => {}
                }
            }
        }
        self.save_enrolments(ENROLMENTS, &are_new).await?;
        self.save_enrolments(ENROLMENTS_SAVED, &differ).await
    }

    async fn save_enrolments(
        &self,
        sql: &str,
        enrolments: &[(CustomerId, &Enrolment)],
    ) -> Result<(), Error> {
        if enrolments.is_empty() {
            return Ok(());
        }
        let rows = Rows(enrolments);
        let points =
            |kind| rows.of(move |(_, enrolment)| text(enrolment.balances.points.sum(kind)));
        let parameters: [Parameter<'_>; 12] = [
            &self.tenant.0,
            &rows.of(|(customer, _)| customer.0),
            &rows.of(|(_, enrolment)| enrolment.programme.0),
            &rows.of(|(_, enrolment)| i64::from(enrolment.tier)),
            &rows.of(|(_, enrolment)| enrolment.tier_expires_at.map(Timestamp::as_millisecond)),
            &points(EntryKind::Awarded),
            &points(EntryKind::Redeemed),
            &points(EntryKind::Expired),
            &points(EntryKind::Returned),
            &points(EntryKind::Adjusted),
            &points(EntryKind::Purchased),
            &rows.json(|(_, enrolment)| currencies(&enrolment.balances))?,
        ];
        self.connection.execute(sql, &parameters).await.map(drop)
    }

    async fn write_ledger(&self) -> Result<(), Error> {
        let rows = Rows(&self.changes.ledger);
        if rows.0.is_empty() {
            return Ok(());
        }
        let parameters: [Parameter<'_>; 12] = [
            &self.tenant.0,
            &rows.of(|(at, _)| *at),
            &rows.of(|(_, entry)| entry.customer.0),
            &rows.of(|(_, entry)| entry.reason.name()),
            &rows.of(|(_, entry)| entry.reason.rule().unwrap_or_default()),
            &rows.of(|(_, entry)| entry.reason.other().map_or(0, |other| other.0)),
            &rows.of(|(_, entry)| i64::from(entry.line)),
            &rows.of(|(_, entry)| entry.programme.0),
            &rows.of(|(_, entry)| match &entry.currency {
                Currency::Points => None,
                Currency::Alternate(identifier) => Some(identifier.as_str()),
            }),
            &rows.of(|(_, entry)| entry.kind.name()),
            &rows.of(|(_, entry)| entry.amount.to_string()),
            &rows.of(|(_, entry)| entry.expires_at.map(Timestamp::as_millisecond)),
        ];
        self.connection.execute(LEDGER_ROWS, &parameters).await.map(drop)
    }

    async fn write_audit(&self) -> Result<(), Error> {
        let rows = Rows(&self.changes.audit);
        if rows.0.is_empty() {
            return Ok(());
        }
        let parameters: [Parameter<'_>; 13] = [
            &self.tenant.0,
            &rows.of(|row| row.at),
            &rows.of(|row| row.customer.0),
            &rows.of(|row| row.entry),
            &rows.of(|row| row.request_id.as_slice()),
            &rows.of(|row| row.caller_till),
            &rows.of(|row| row.caller_client),
            &rows.of(|row| row.till),
            &rows.of(|row| row.store),
            &rows.of(|row| row.source.as_str()),
            &rows.of(|row| row.user_context.as_deref()),
            &rows.of(|row| row.merge.as_deref()),
            &rows.of(|row| row.events.as_str()),
        ];
        self.connection.execute(AUDIT_ROWS, &parameters).await.map(drop)
    }

    async fn write_merges(&self) -> Result<(), Error> {
        let rows = Rows(&self.changes.merges);
        if rows.0.is_empty() {
            return Ok(());
        }
        let parameters: [Parameter<'_>; 6] = [
            &self.tenant.0,
            &rows.of(|row| row.at),
            &rows.of(|row| row.victim.0),
            &rows.of(|row| row.survivor.0),
            &rows.of(|row| row.victim_before.as_str()),
            &rows.of(|row| row.survivor_before.as_str()),
        ];
        self.connection.execute(MERGE_ROWS, &parameters).await.map(drop)
    }

    async fn write_cards(&self) -> Result<(), Error> {
        let rows = Rows(&self.changes.cards);
        if rows.0.is_empty() {
            return Ok(());
        }
        let parameters: [Parameter<'_>; 5] = [
            &self.tenant.0,
            &rows.of(|(at, _)| *at),
            &rows.of(|(_, card)| card.number.as_str()),
            &rows.of(|(_, card)| card.customer.0),
            &rows.of(|(_, card)| card.series.as_deref()),
        ];
        self.connection.execute(CARD_ROWS, &parameters).await.map(drop)
    }

    async fn write_coupons(&self) -> Result<(), Error> {
        let rows = Rows(&self.changes.coupons);
        if rows.0.is_empty() {
            return Ok(());
        }
        let parameters: [Parameter<'_>; 7] = [
            &self.tenant.0,
            &rows.of(|(at, ..)| *at),
            &rows.of(|(.., coupon)| coupon.code.as_str()),
            &rows.of(|(.., coupon)| coupon.id),
            &rows.of(|(_, customer, _)| customer.0),
            &rows.of(|(.., coupon)| coupon.series.as_str()),
            &rows.of(|(.., coupon)| coupon.valid_till.map(Timestamp::as_millisecond)),
        ];
        self.connection.execute(COUPON_ROWS, &parameters).await.map(drop)
    }

    async fn write_referrals(&self) -> Result<(), Error> {
        if self.changes.referrals.is_empty() {
            return Ok(());
        }
        let codes: Vec<&str> = self.changes.referrals.keys().map(String::as_str).collect();
        let more: Vec<i64> = self.changes.referrals.values().copied().collect();
        self.connection.execute(REFERRED, &[&self.tenant.0, &codes, &more]).await.map(drop)
    }

    async fn write_series(&self) -> Result<(), Error> {
        let reached: BTreeSet<_> = self.changes.series.iter().collect();
        let mut rows = Vec::with_capacity(reached.len());
        for key in reached {
            if let Some(progress) = self.series.get(key) {
                rows.push((key, progress.columns()?));
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        let rows = Rows(&rows);
        let parameters: [Parameter<'_>; 5] = [
            &self.tenant.0,
            &rows.of(|((kind, _), _)| *kind),
            &rows.of(|((_, name), _)| name.as_str()),
            &rows.of(|(_, (issued, _))| *issued),
            &rows.of(|(_, (_, next))| *next),
        ];
        self.connection.execute(SERIES_REACHED, &parameters).await.map(drop)
    }
}

/// Rows, to be sent column by column.
struct Rows<'a, T>(&'a [T]);

impl<'a, T> Rows<'a, T> {
    fn of<V>(&self, value: impl Fn(&'a T) -> V) -> Vec<V> {
        self.0.iter().map(value).collect()
    }

    fn json<V>(&self, value: impl Fn(&'a T) -> Result<V, Error>) -> Result<Vec<V>, Error> {
        self.0.iter().map(value).collect()
    }
}

//! What a transaction of registrations knows: the customers on whom they bear, as they are by now.
//!
//! Everything that a group of registrations needs is loaded at once, and what they change is kept
//! here until it is written at once; so a group costs a handful of round trips, however many
//! customers it has. A later registration sees what an earlier one changed.
//!
//! Whoever is loaded is locked until the transaction ends, so that nobody else changes them
//! meanwhile. What was not there when it was looked for is held by the tables' unique keys: should
//! somebody else make it meanwhile, writing fails and the whole group is decided anew.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use patron_rules::customer::{Customer, CustomerId, Enrolment};
use patron_rules::identifier::IdentifierKind;
use patron_rules::ledger::{Award, LedgerEntry, Reason};
use patron_rules::referral::{ReferralCode, Referrer};
use tokio_postgres::Row;

use super::connection::{Connection, Parameter};
use super::failure::Overtaken;
use super::once::Answers;
use super::rows::get;
use crate::rows::ledger::read_award;
use crate::rows::{self, Row as _, corrupt};
use crate::series::{Progress, Series};
use crate::{Error, Found, TenantId};

/// The columns of a customer in the table `c`.
macro_rules! customer_columns {
    () => {
        "c.customer_id, c.mobile, c.mobile_sent, c.email, c.external_id, c.first_name, c.last_name,
         c.type, c.source, c.account_id, c.registered_at, c.updated_at, c.registered_till,
         c.associated_till, c.fraud_status, c.channels, c.subscriptions, c.kept, c.custom_fields,
         c.extended_fields, c.merged_into"
    };
}
/// The columns of an enrolment in the table `e`.
macro_rules! enrolment_columns {
    () => {
        "e.programme_id, e.tier, e.tier_expires_at, e.awarded, e.redeemed, e.expired, e.returned,
         e.adjusted, e.purchased, e.currencies"
    };
}
// Plans are made once, when tables may still be empty. So each statement looks its rows up one by one,
// by their key: the planner can choose nothing else, whatever it takes the tables for.

/// Customers by their ids, or those into whom they were merged, in the order of their ids.
macro_rules! survivors {
    () => {
        "(SELECT DISTINCT COALESCE(c.merged_into, c.customer_id) AS customer_id
          FROM unnest($2::BIGINT[]) AS a (customer_id)
          CROSS JOIN LATERAL (
            SELECT merged_into, customer_id FROM customer
            WHERE organisation_id = $1 AND customer_id = a.customer_id OFFSET 0) c
          ORDER BY 1 OFFSET 0) s"
    };
}

const HOLDERS: &str = "SELECT k.kind, k.value, (
        SELECT i.customer_id FROM identifier i
        WHERE i.organisation_id = $1 AND i.kind = k.kind AND i.value = k.value) AS customer_id
     FROM unnest($2::SMALLINT[], $3::TEXT[]) AS k (kind, value)";

const LOCK: &str = concat!(
    "SELECT l.customer_id FROM ",
    survivors!(),
    " CROSS JOIN LATERAL (
        SELECT customer_id FROM customer
        WHERE organisation_id = $1 AND customer_id = s.customer_id FOR NO KEY UPDATE) l"
);

/// Customers with their enrolments, each as they were asked for.
pub(super) const CUSTOMERS: &str = concat!(
    "SELECT asked.customer_id AS asked, ",
    customer_columns!(),
    ", ",
    enrolment_columns!(),
    " FROM unnest($2::BIGINT[]) AS a (customer_id)
     CROSS JOIN LATERAL (
        SELECT customer_id, merged_into FROM customer
        WHERE organisation_id = $1 AND customer_id = a.customer_id OFFSET 0) asked
     CROSS JOIN LATERAL (
        SELECT * FROM customer survivor WHERE survivor.organisation_id = $1
            AND survivor.customer_id = COALESCE(asked.merged_into, asked.customer_id)
        OFFSET 0) c
     LEFT JOIN LATERAL (
        SELECT * FROM enrolment theirs
        WHERE theirs.organisation_id = $1 AND theirs.customer_id = c.customer_id OFFSET 0) e ON TRUE
     ORDER BY asked.customer_id, e.programme_id"
);

/// Customers of an organisation from the one id to the other, each with their own enrolments, merged
/// or not.
pub(super) const OWN_ROWS: &str = concat!(
    "SELECT ",
    customer_columns!(),
    ", ",
    enrolment_columns!(),
    " FROM customer c
     LEFT JOIN enrolment e
         ON e.organisation_id = c.organisation_id AND e.customer_id = c.customer_id
     WHERE c.organisation_id = $1 AND c.customer_id BETWEEN $2 AND $3
     ORDER BY c.customer_id, e.programme_id"
);

const AWARDS: &str = concat!(
    "SELECT l.customer_id, l.rule, l.programme_id FROM ",
    survivors!(),
    " CROSS JOIN LATERAL (
        SELECT customer_id, rule, programme_id FROM ledger_entry
        WHERE organisation_id = $1 AND customer_id = s.customer_id AND reason = 'registration'
            AND line = 0 OFFSET 0) l"
);

const NEWEST_ENTRIES: &str = concat!(
    "SELECT s.customer_id, COALESCE((
        SELECT max(a.entry) FROM audit_entry a
        WHERE a.organisation_id = $1 AND a.customer_id = s.customer_id), 0) AS entry
     FROM ",
    survivors!()
);

/// An identifier, in the order in which the table has them.
pub(super) type Key = (i16, String);

/// The key of an identifier.
pub(super) fn key(kind: IdentifierKind, value: &str) -> Key {
    (kind_number(kind), value.to_owned())
}

pub(super) const fn kind_number(kind: IdentifierKind) -> i16 {
    match kind {
        IdentifierKind::Mobile => 1,
        IdentifierKind::Email => 2,
        IdentifierKind::ExternalId => 3,
    }
}

/// Whose something is: as it is stored, and by now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) stored: Option<CustomerId>,
    pub(super) now: Option<CustomerId>,
}

/// A customer who bears on a group.
#[derive(Debug, Clone)]
pub(super) struct Known {
    /// As they are stored; `None` where they are new.
    pub(super) stored: Option<Customer>,
    /// As they are by now.
    pub(super) customer: Customer,
    pub(super) awards: Vec<Award>,
    /// The number of their newest entry in the audit.
    pub(super) newest_entry: i64,
}

/// What a transaction knows, and what it is to write.
#[derive(Clone)]
pub(super) struct Working {
    pub(super) connection: Connection,
    pub(super) tenant: TenantId,
    pub(super) holders: BTreeMap<Key, Holder>,
    pub(super) customers: BTreeMap<CustomerId, Known>,
    /// Those who were merged, and into whom.
    survivors: HashMap<CustomerId, CustomerId>,
    /// The referral codes that were passed, with their holders.
    pub(super) codes: HashMap<String, Option<(ReferralCode, CustomerId)>>,
    pub(super) series: HashMap<(&'static str, String), Progress>,
    /// The codes of coupons that were issued here.
    pub(super) coupon_codes: HashSet<String>,
    pub(super) changes: super::flush::Changes,
    /// The ids that nobody has, for new customers.
    pub(super) ids: BTreeSet<CustomerId>,
    pub(super) answers: Answers,
}

impl Working {
    pub(super) fn new(connection: Connection, tenant: TenantId, ids: BTreeSet<CustomerId>) -> Self {
        Self {
            connection,
            tenant,
            ids,
            holders: BTreeMap::new(),
            customers: BTreeMap::new(),
            survivors: HashMap::new(),
            codes: HashMap::new(),
            series: HashMap::new(),
            coupon_codes: HashSet::new(),
            changes: super::flush::Changes::default(),
            answers: Answers::default(),
        }
    }

    /// Loads whose these identifiers are, and the customers who have them or a referral code that is
    /// loaded.
    pub(super) async fn load(&mut self, keys: BTreeSet<Key>) -> Result<(), Error> {
        let unknown: Vec<Key> =
            keys.into_iter().filter(|key| !self.holders.contains_key(key)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let found = self.read_holders(&unknown).await?;
        let holders = found.values().copied().chain(self.holders_of_codes());
        let ids: BTreeSet<CustomerId> = holders.collect();
        let are_new = self.load_customers(&ids).await?;
        // Whose an identifier is changes only while its customer is locked.
        if are_new && self.read_holders(&unknown).await? != found {
            return Err(Overtaken.into());
        }
        for key in unknown {
            let stored = found.get(&key).copied();
            self.holders.insert(key, Holder { stored, now: stored });
        }
        Ok(())
    }

    async fn read_holders(&self, keys: &[Key]) -> Result<HashMap<Key, CustomerId>, Error> {
        let kinds: Vec<i16> = keys.iter().map(|(kind, _)| *kind).collect();
        let values: Vec<&str> = keys.iter().map(|(_, value)| value.as_str()).collect();
        let read = |row: &Row| {
            let key = (get(row, "kind")?, row.text("value")?);
            Ok((key, row.maybe_number("customer_id")?.map(CustomerId)))
        };
        let parameters: [Parameter<'_>; 3] = [&self.tenant.0, &kinds, &values];
        let found = self.connection.list(HOLDERS, &parameters, read).await?;
        Ok(found.into_iter().filter_map(|(key, holder)| Some((key, holder?))).collect())
    }

    /// Loads customers, or those into whom they were merged; whether any was not known yet.
    pub(super) async fn load_customers(
        &mut self,
        ids: &BTreeSet<CustomerId>,
    ) -> Result<bool, Error> {
        let known =
            |id: &CustomerId| self.customers.contains_key(id) || self.survivors.contains_key(id);
        let unknown: Vec<i64> = ids.iter().filter(|id| !known(id)).map(|id| id.0).collect();
        if unknown.is_empty() {
            return Ok(false);
        }
        let connection = self.connection.clone();
        let mut statements = Vec::new();
        for sql in [LOCK, CUSTOMERS, AWARDS, NEWEST_ENTRIES] {
            statements.push(connection.prepare(sql).await?);
        }
        let [lock, customers, awards, entries] = statements.as_slice() else {
            return Err(corrupt("statements were not prepared"));
        };
        let key: [Parameter<'_>; 2] = [&self.tenant.0, &unknown];
        // In this order: what is read after the lock is what the lock protects.
        let (locked, customers, awards, entries) = tokio::try_join!(
            biased;
            connection.rows(lock, &key),
            connection.rows(customers, &key),
            connection.rows(awards, &key),
            connection.rows(entries, &key),
        )?;
        let locked: HashSet<i64> =
            locked.iter().map(|row| row.number("customer_id")).collect::<Result<_, _>>()?;
        for (asked, customer) in read_customers(&customers)? {
            if !locked.contains(&customer.id.0) {
                return Err(Overtaken.into());
            }
            if asked != customer.id {
                self.survivors.insert(asked, customer.id);
            }
            self.customers.entry(customer.id).or_insert_with(|| Known {
                stored: Some(customer.clone()),
                customer,
                awards: Vec::new(),
                newest_entry: 0,
            });
        }
        self.add_awards(&awards, &unknown)?;
        self.add_entries(&entries)?;
        Ok(true)
    }

    fn add_awards(&mut self, awards: &[Row], asked: &[i64]) -> Result<(), Error> {
        let mut by_customer: BTreeMap<CustomerId, Vec<Award>> = BTreeMap::new();
        for row in awards {
            let id = CustomerId(row.number("customer_id")?);
            by_customer.entry(id).or_default().push(read_award(row, id)?);
        }
        // A survivor who was known before has theirs already, and maybe more.
        for asked in asked {
            let id = self.resolve(CustomerId(*asked));
            if let (Some(known), Some(awards)) =
                (self.customers.get_mut(&id), by_customer.remove(&id))
                && known.awards.is_empty()
            {
                known.awards = awards;
            }
        }
        Ok(())
    }

    fn add_entries(&mut self, entries: &[Row]) -> Result<(), Error> {
        for row in entries {
            let id = CustomerId(row.number("customer_id")?);
            if let Some(known) = self.customers.get_mut(&id) {
                known.newest_entry = known.newest_entry.max(row.number("entry")?);
            }
        }
        Ok(())
    }

    /// Into whom a customer was merged; they themselves where they were not.
    fn resolve(&self, mut id: CustomerId) -> CustomerId {
        // Each merge has a survivor of its own, so this ends.
        while let Some(survivor) = self.survivors.get(&id) {
            id = *survivor;
        }
        id
    }

    /// Whose an identifier is by now.
    pub(super) async fn holder(&mut self, key: Key) -> Result<Option<CustomerId>, Error> {
        self.load(BTreeSet::from([key.clone()])).await?;
        Ok(self.holders.get(&key).and_then(|holder| holder.now))
    }

    /// The customer to whom an identifier leads.
    pub(super) async fn find(
        &mut self,
        kind: IdentifierKind,
        value: &str,
    ) -> Result<Option<Found>, Error> {
        let Some(holder) = self.holder(key(kind, value)).await? else { return Ok(None) };
        let id = self.resolve(holder);
        let customer = self.known(id)?.customer.clone();
        // What the survivor took over is their own.
        let own = customer.identifiers.key(kind) == Some(value);
        Ok(Some(Found { through_merge: id != holder && !own, customer }))
    }

    /// A customer who is loaded.
    pub(super) fn known(&self, id: CustomerId) -> Result<&Known, Error> {
        self.customers.get(&id).ok_or_else(|| corrupt("an identifier leads to no customer"))
    }

    /// The same, to be changed.
    pub(super) fn known_mut(&mut self, id: CustomerId) -> Result<&mut Known, Error> {
        let id = self.resolve(id);
        self.customers.get_mut(&id).ok_or_else(|| corrupt("nobody has this id"))
    }

    /// The one into whom a customer was merged, themselves where they were not.
    pub(super) async fn survivor(&mut self, id: CustomerId) -> Result<CustomerId, Error> {
        self.load_customers(&BTreeSet::from([id])).await?;
        Ok(self.resolve(id))
    }

    /// Whoever was found by the victim's id is the survivor from now on.
    pub(super) fn merge(&mut self, victim: CustomerId, survivor: CustomerId) {
        self.survivors.insert(victim, survivor);
    }

    /// Loads referral codes, whose holders are not loaded by that; they are locked in the order in
    /// which everybody locks them.
    pub(super) async fn load_codes(&mut self, codes: BTreeSet<&str>) -> Result<(), Error> {
        let unknown: Vec<&str> =
            codes.into_iter().filter(|code| !self.codes.contains_key(*code)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let read = |row: &Row| {
            let code = rows::referral::from_row(row)?;
            Ok((code, CustomerId(row.number("customer_id")?)))
        };
        let found = self.connection.list(REFERRAL_CODES, &[&self.tenant.0, &unknown], read).await?;
        self.codes.extend(unknown.into_iter().map(|code| (code.to_owned(), None)));
        self.codes.extend(found.into_iter().map(|found| (found.0.code.clone(), Some(found))));
        Ok(())
    }

    /// The holders of the referral codes that are loaded.
    fn holders_of_codes(&self) -> impl Iterator<Item = CustomerId> {
        self.codes.values().flatten().map(|(_, holder)| *holder)
    }

    /// Who has a referral code.
    pub(super) async fn referrer(&mut self, code: &str) -> Result<Option<Referrer>, Error> {
        self.load_codes(BTreeSet::from([code])).await?;
        let Some((code, holder)) = self.codes.get(code).cloned().flatten() else { return Ok(None) };
        let survivor = self.survivor(holder).await?;
        let customer = self.known(survivor)?.customer.clone();
        Ok(Some(Referrer { code, customer }))
    }

    /// How far a series has come.
    pub(super) async fn progress(&mut self, series: Series<'_>) -> Result<Progress, Error> {
        let key = (series.kind(), series.name().to_owned());
        if let Some(progress) = self.series.get(&key) {
            return Ok(*progress);
        }
        let parameters: [Parameter<'_>; 3] = [&self.tenant.0, &key.0, &key.1];
        // A row to lock, where there is none yet.
        self.connection.execute(SERIES_BEGUN, &parameters).await?;
        let read = |row: &Row| Progress::stored((row.number("issued")?, row.number("next")?));
        let found = self.connection.first(SERIES, &parameters, read).await?.unwrap_or_default();
        self.series.insert(key, found);
        Ok(found)
    }

    /// Notes how far a series has come.
    pub(super) fn reach(&mut self, series: Series<'_>, progress: Progress) {
        let key = (series.kind(), series.name().to_owned());
        self.changes.series.insert(key.clone());
        self.series.insert(key, progress);
    }

    /// Whether a coupon has this code.
    pub(super) async fn is_coupon(&self, code: &str) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM coupon WHERE organisation_id = $1 AND code = $2";
        let is_stored = !self.connection.query(sql, &[&self.tenant.0, &code]).await?.is_empty();
        Ok(is_stored || self.coupon_codes.contains(code))
    }

    /// Enters something into the ledger.
    pub(super) fn enter(&mut self, entry: LedgerEntry, at: i64) {
        if entry.line == 0
            && let Reason::Registration { rule } = &entry.reason
        {
            let (customer, programme) = (entry.customer, entry.programme);
            let award = Award { customer, rule: rule.clone(), programme };
            self.customers.entry(customer).and_modify(|known| known.awards.push(award));
        }
        self.changes.ledger.push((at, entry));
    }
}

/// Locked in the order in which they are passed.
const REFERRAL_CODES: &str = "SELECT r.code, r.campaign, r.referrals, r.customer_id
     FROM unnest($2::TEXT[]) AS k (code)
     CROSS JOIN LATERAL (
        SELECT code, campaign, referrals, customer_id FROM referral_code
        WHERE organisation_id = $1 AND code = k.code FOR NO KEY UPDATE) r";
const SERIES_BEGUN: &str = "INSERT INTO series (organisation_id, kind, name, issued, next)
     VALUES ($1, $2, $3, 0, 0) ON CONFLICT (organisation_id, kind, name) DO NOTHING";
const SERIES: &str = "SELECT issued, next FROM series
     WHERE organisation_id = $1 AND kind = $2 AND name = $3 FOR NO KEY UPDATE";

/// The customers of these rows, each with whom was asked for.
pub(super) fn read_customers(rows: &[Row]) -> Result<Vec<(CustomerId, Customer)>, Error> {
    let mut read: Vec<(CustomerId, Customer)> = Vec::new();
    for row in rows {
        let asked = CustomerId(row.number("asked")?);
        let enrolment: Option<Enrolment> = match row.maybe_number("programme_id")? {
            Some(_) => Some(rows::enrolment::from_row(row)?),
            None => None,
        };
        match read.last_mut() {
            Some((last, customer)) if *last == asked => customer.enrolments.extend(enrolment),
            _ => {
                if row.maybe_number("merged_into")?.is_some() {
                    return Err(Overtaken.into());
                }
                let id = CustomerId(row.number("customer_id")?);
                let enrolments = enrolment.into_iter().collect();
                read.push((asked, rows::customer::from_row(row, id, enrolments)?));
            }
        }
    }
    Ok(read)
}

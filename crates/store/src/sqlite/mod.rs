//! The embedded engine: SQLite.
//!
//! One writer thread owns the one connection that writes; see [`writer`]. Readers have connections
//! of their own; see [`readers`].

mod audit;
mod candidates;
mod cards;
mod check;
mod configuration;
pub(crate) mod copying;
mod coupons;
mod credentials;
mod customer;
mod damage;
mod enrolment;
mod files;
mod ids;
mod ledger;
pub(crate) mod maintenance;
mod once;
mod open;
mod operators;
mod organisation;
mod readers;
mod recent;
mod referrals;
mod registration;
mod rows;
mod series;
mod settings;
mod shared_email;
mod size;
mod tuning;
mod versions;
mod writer;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use patron_rules::audit::Origin;
use patron_rules::card::Card;
use patron_rules::coupon::IssuedCoupon;
use patron_rules::customer::{Customer, CustomerId};
use patron_rules::decide::Decision;
use patron_rules::organisation::Kind;
use patron_rules::referral::{ReferralCode, Referrer};
use patron_rules::validate::Registration;
use rusqlite::Connection;

use self::damage::Damage;
use self::files::Lock;
use self::readers::Readers;
use self::recent::Recent;
pub use self::tuning::Tuning;
use self::writer::{Writer, Writing};
use crate::rows::whole_milliseconds;
use crate::watch::Watched;
use crate::{
    AccessToken, Author, Change, ClientCredential, Error, Found, LedgerCheck, Lookup, Mode,
    NewOrganisation, NewSecret, NewToken, Once, OrganisationName, PasswordHashes, RecordedChange,
    Registered, Size, Store, Stored, Tenant, TenantId, TillCredential, TokenHash, Watch, lock,
};

/// Where a SQLite store keeps its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In this directory, which is made where it is missing.
    Directory(PathBuf),
    /// In memory, until the store is closed.
    Memory,
}

/// How often a change of documents is prepared beside the writer. Then, among many other changes of
/// the organisation, the writer prepares it itself, so that it is never outrun.
const PREPARED_TRIES: usize = 3;

/// A store on SQLite.
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    recent: Arc<Recent>,
    damage: Damage,
    watched: Watched,
    tenants: Mutex<HashMap<TenantId, Tenant>>,
    /// Held until everything else is closed.
    lock: Mutex<Option<Lock>>,
}

impl SqliteStore {
    /// Whether there are data to open, so that opening does not create them. Creates nothing.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub fn exists(location: &Location) -> Result<bool, Error> {
        match location {
            Location::Directory(directory) => files::holds_database(directory),
            Location::Memory => Ok(false),
        }
    }

    /// Opens the data as [`Self::open_tuned`] does, with the defaults.
    ///
    /// # Errors
    /// The same.
    pub fn open(location: &Location) -> Result<Self, Error> {
        Self::open_tuned(location, &Tuning::default())
    }

    /// Opens the data, bringing its schema up to date.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has it open, [`Error::TooNew`] when a newer program
    /// wrote it, and whatever keeps the files from being opened.
    pub fn open_tuned(location: &Location, tuning: &Tuning) -> Result<Self, Error> {
        let opened = open::open(location, tuning)?;
        let watched = Watched::default();
        let recent = Arc::clone(&opened.recent);
        let damage = Damage::none(&opened.writer);
        let (files, found) = (opened.files, damage.clone());
        Ok(Self {
            writer: Writer::start(opened.writer, files, recent, found, watched.clone())?,
            readers: Readers::new(opened.readers, damage.clone(), watched.clone()),
            recent: opened.recent,
            damage,
            watched,
            tenants: Mutex::default(),
            lock: Mutex::new(opened.lock),
        })
    }

    /// Changes what somebody signs in with: whoever remembers what was right looks again.
    async fn change_credentials<T: Send + 'static>(
        &self,
        change: impl Fn(&Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.writer
            .write(move |writing| {
                let changed = change(writing.connection)?;
                writing.touch_credentials();
                Ok(changed)
            })
            .await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn organisations(&self) -> Result<Vec<OrganisationName>, Error> {
        self.readers.read(organisation::all).await
    }

    async fn set_up(
        &self,
        organisations: Vec<NewOrganisation>,
        author: Author,
    ) -> Result<(), Error> {
        self.writer
            .write(move |writing| {
                organisations.iter().try_for_each(|new| organisation::insert(writing, new, &author))
            })
            .await
    }

    async fn organisation_named(&self, name: &str) -> Result<Option<TenantId>, Error> {
        let name = name.to_owned();
        self.readers.read(move |connection| organisation::named(connection, &name)).await
    }

    async fn changes(
        &self,
        tenant: TenantId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<RecordedChange>, Error> {
        self.readers
            .read(move |connection| configuration::changes(connection, tenant, before, limit))
            .await
    }

    async fn till_credential(&self, username: &str) -> Result<Option<TillCredential>, Error> {
        let username = username.to_owned();
        self.readers.read(move |connection| credentials::of_till(connection, &username)).await
    }

    async fn set_till_password(
        &self,
        tenant: TenantId,
        till: &str,
        hashes: PasswordHashes,
        author: Author,
    ) -> Result<(), Error> {
        let till = till.to_owned();
        self.change_credentials(move |connection| {
            credentials::change_password(connection, tenant, &till, &hashes, &author)
        })
        .await
    }

    async fn client_credential(&self, key: &str) -> Result<Option<ClientCredential>, Error> {
        let key = key.to_owned();
        self.readers.read(move |connection| credentials::of_client(connection, &key)).await
    }

    async fn client_key(&self, tenant: TenantId, client: &str) -> Result<Option<String>, Error> {
        let client = client.to_owned();
        self.readers
            .read(move |connection| credentials::client_key(connection, tenant, &client))
            .await
    }

    async fn set_client_secret(
        &self,
        tenant: TenantId,
        client: &str,
        new: NewSecret,
        author: Author,
    ) -> Result<String, Error> {
        let client = client.to_owned();
        self.change_credentials(move |connection| {
            credentials::change_secret(connection, tenant, &client, &new, &author)
        })
        .await
    }

    async fn keep_token(&self, tenant: TenantId, new: NewToken) -> Result<(), Error> {
        self.writer
            .write(move |writing| credentials::keep_token(writing.connection, tenant, &new))
            .await
    }

    async fn token(&self, hash: TokenHash) -> Result<Option<AccessToken>, Error> {
        self.readers.read(move |connection| credentials::token(connection, &hash)).await
    }

    async fn revoke_token(&self, hash: TokenHash) -> Result<bool, Error> {
        self.change_credentials(move |connection| credentials::forget_token(connection, &hash))
            .await
    }

    async fn revoke_tokens(
        &self,
        tenant: TenantId,
        client: &str,
        author: Author,
    ) -> Result<usize, Error> {
        let client = client.to_owned();
        self.change_credentials(move |connection| {
            credentials::revoke_tokens(connection, tenant, &client, &author)
        })
        .await
    }

    fn generation(&self) -> u64 {
        self.writer.versions().all()
    }

    async fn tenant(&self, id: TenantId) -> Result<Tenant, Error> {
        // Before the documents are read, so that a change meanwhile is noticed.
        let generation = self.writer.versions().of(id);
        let known = lock(&self.tenants).get(&id).cloned();
        if let Some(tenant) = known.filter(|tenant| tenant.generation == generation) {
            return Ok(tenant);
        }
        let load = move |connection: &Connection| configuration::load(connection, id);
        let organisation = Arc::new(self.readers.read(load).await?);
        let tenant = Tenant { id, generation, organisation };
        lock(&self.tenants).insert(id, tenant.clone());
        Ok(tenant)
    }

    async fn resources(
        &self,
        tenant: TenantId,
        kind: Kind,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Stored>, Error> {
        let after = after.to_owned();
        self.readers
            .read(move |connection| configuration::page(connection, tenant, kind, &after, limit))
            .await
    }

    async fn resource(
        &self,
        tenant: TenantId,
        kind: Kind,
        name: &str,
    ) -> Result<Option<Stored>, Error> {
        let name = name.to_owned();
        self.readers
            .read(move |connection| configuration::find(connection, tenant, kind, &name))
            .await
    }

    async fn apply(
        &self,
        tenant: TenantId,
        changes: Vec<Change>,
        author: Author,
    ) -> Result<Vec<Stored>, Error> {
        for _ in 0..PREPARED_TRIES {
            let version = self.writer.versions().of(tenant);
            let asked = changes.clone();
            let prepare =
                move |connection: &Connection| configuration::prepare(connection, tenant, &asked);
            let prepared = self.readers.read(prepare).await?;
            let author = author.clone();
            let written = self.writer.write_each(1, move |writing| {
                writing.check_version(tenant, version)?;
                writing.attempt(|writing| configuration::apply(writing, tenant, &prepared, &author))
            });
            match written.await {
                Err(Error::Stale) => {}
                done => return done,
            }
        }
        self.writer
            .write(move |writing| {
                let prepared = configuration::prepare(writing.connection, tenant, &changes)?;
                configuration::apply(writing, tenant, &prepared, &author)
            })
            .await
    }

    async fn register(
        &self,
        tenant: &Tenant,
        registrations: Vec<Registration>,
        origin: &Origin,
        now: Timestamp,
        mode: Mode,
    ) -> Result<Vec<Decision>, Error> {
        let (tenant, origin, now) = (tenant.clone(), origin.clone(), whole_milliseconds(now));
        self.writer
            .write_each(registrations.len(), move |writing| {
                writing.check_version(tenant.id, tenant.generation)?;
                let register = |writing: &mut Writing<'_>| {
                    registration::register(writing, &tenant, &registrations, &origin, now)
                };
                match mode {
                    Mode::Apply => register(writing),
                    Mode::DryRun => writing.rehearse(register),
                }
            })
            .await
    }

    async fn register_once(
        &self,
        tenant: &Tenant,
        registrations: Vec<Registration>,
        origin: &Origin,
        now: Timestamp,
        once: Once,
    ) -> Result<Registered, Error> {
        let (tenant, origin, now) = (tenant.clone(), origin.clone(), whole_milliseconds(now));
        self.writer
            .write_each(registrations.len(), move |writing| {
                once::register(writing, &tenant, &registrations, &origin, now, &once)
            })
            .await
    }

    async fn remove_expired_answers(&self, now: Timestamp) -> Result<usize, Error> {
        let expired = move |connection: &Connection| once::with_expired(connection, now);
        let mut removed: usize = 0;
        for tenant in self.readers.read(expired).await? {
            loop {
                let some = move |writing: &mut Writing<'_>| {
                    once::remove_expired(writing.connection, tenant, now)
                };
                let count = self.writer.write(some).await?;
                removed = removed.saturating_add(count);
                if count == 0 {
                    break;
                }
            }
        }
        Ok(removed)
    }

    async fn find(&self, tenant: &Tenant, by: Lookup) -> Result<Option<Found>, Error> {
        let find =
            |connection: &Connection| customer::find(connection, &*self.recent, tenant.id, &by);
        self.readers.look_up(find).await
    }

    async fn cards(&self, tenant: &Tenant, customer: CustomerId) -> Result<Vec<Card>, Error> {
        self.readers.look_up(|connection| cards::of(connection, tenant.id, customer)).await
    }

    async fn sharing_email(&self, tenant: &Tenant, email: &str) -> Result<Vec<Found>, Error> {
        self.readers.look_up(|connection| shared_email::holders(connection, tenant.id, email)).await
    }

    async fn coupons(
        &self,
        tenant: &Tenant,
        customer: CustomerId,
    ) -> Result<Vec<IssuedCoupon>, Error> {
        self.readers.look_up(|connection| coupons::of(connection, tenant.id, customer)).await
    }

    async fn referrer(&self, tenant: &Tenant, code: &str) -> Result<Option<Referrer>, Error> {
        let look_up = |connection: &Connection| referrals::referrer(connection, tenant.id, code);
        self.readers.look_up(look_up).await
    }

    async fn referral_codes(
        &self,
        tenant: &Tenant,
        customer: &Customer,
        now: Timestamp,
    ) -> Result<Vec<ReferralCode>, Error> {
        let (tenant, id) = (tenant.clone(), customer.id);
        let organisation = tenant.id;
        let held = self.readers.read(move |connection| referrals::of(connection, organisation, id));
        let held = held.await?;
        if crate::rows::referral::missing(&held, customer, &tenant, now).is_empty() {
            return Ok(held);
        }
        self.writer.write(move |writing| referrals::make(writing, &tenant, id, now)).await
    }

    async fn check_ledger(
        &self,
        organisation: &str,
        mut tell: Box<dyn FnMut(LedgerCheck) + Send>,
    ) -> Result<(), Error> {
        let organisation = organisation.to_owned();
        self.readers
            .read(move |connection| ledger::check(connection, &organisation, &mut tell))
            .await
    }

    async fn audit(
        &self,
        tenant: &Tenant,
        query: crate::audit::Query,
    ) -> Result<crate::audit::Page, Error> {
        let id = tenant.id;
        self.readers.read(move |connection| audit::page(connection, id, &query)).await
    }

    fn watch(&self, watch: Arc<dyn Watch>) {
        self.watched.by(watch);
    }

    fn waiting(&self) -> usize {
        self.writer.waiting()
    }

    async fn size(&self) -> Result<Size, Error> {
        self.readers.read(size::of).await
    }

    async fn check(&self) -> Result<(), Error> {
        self.readers.read(|connection| organisation::all(connection).map(drop)).await?;
        self.writer.write(|_| Ok(())).await?;
        self.damage.check()
    }

    async fn close(&self) {
        self.writer.stop().await;
        self.readers.close();
        lock(&self.tenants).clear();
        drop(lock(&self.lock).take());
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(Box::new(error))
    }
}

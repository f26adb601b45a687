//! PostgreSQL, for several processes on one database.
//!
//! Registrations are written in groups; see [`group`]. Everything else is a transaction of its own;
//! see [`transaction`]. Readers have connections of their own.

mod audit;
mod candidates;
mod cards;
pub(crate) mod check;
mod configuration;
mod connection;
pub(crate) mod copying;
mod coupons;
mod credentials;
mod customer;
mod failure;
mod flush;
mod group;
mod ids;
mod ledger;
pub mod migration;
mod once;
mod operators;
mod organisation;
mod random;
mod referrals;
mod registration;
mod rows;
mod settings;
mod shared_email;
mod size;
mod transaction;
mod working;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

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
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;
use tracing::Span;

pub use self::connection::PostgresOptions;
use self::connection::{Connection, Connections};
use self::group::{AT_ONCE, Queue, Work};
use self::ids::Ids;
use self::random::Randomness;
use self::transaction::{Aim, NO_TENANT, WAIT_SHORTLY};
use crate::rows::{corrupt, whole_milliseconds};
use crate::watch::Watched;
use crate::{
    AccessToken, Author, Change, ClientCredential, Error, Found, LedgerCheck, Lookup, Mode,
    NewOrganisation, NewSecret, NewToken, Once, OrganisationName, PasswordHashes, RecordedChange,
    Registered, Size, Store, Stored, Tenant, TenantId, TillCredential, TokenHash, Watch, lock,
};

/// How many connections are for what is set up, for rehearsals, and for whatever else is written
/// besides groups of registrations.
const OTHERS: usize = 5;
/// How often a process looks whether another one changed what is set up, or what somebody signs in
/// with. What was changed by another process holds here after that time at the latest.
const NEWS_EVERY: Duration = Duration::from_secs(1);

/// A store on PostgreSQL.
pub struct PostgresStore {
    inner: Arc<Inner>,
    /// Those who write groups, until the store is closed.
    group_writers: TaskTracker,
    /// Who looks for news.
    news: JoinHandle<()>,
}

/// What the tasks of a store share.
struct Inner {
    readers: Connections,
    /// One for each of the groups that are written at once.
    groups: Connections,
    others: Connections,
    queue: Queue,
    ids: Ids,
    random: Randomness,
    deadline: Duration,
    watched: Watched,
    /// Whether the last commit failed.
    is_failing: AtomicBool,
    /// Counts the changes of what is set up, as far as this process knows.
    generation: AtomicU64,
    tenants: Mutex<HashMap<TenantId, Known>>,
    /// The versions of what is set up, as they were last seen.
    versions: Mutex<HashMap<TenantId, u64>>,
}

/// An organisation that was loaded, at a count of changes.
#[derive(Clone)]
struct Known {
    at: u64,
    tenant: Tenant,
}

impl PostgresStore {
    /// Opens a database whose schema is the one that this program knows.
    ///
    /// # Errors
    /// [`Error::NotMigrated`] and [`Error::TooNew`] for another schema; [`Error::Unreachable`] where
    /// the database cannot be reached.
    pub async fn open(options: &PostgresOptions) -> Result<Self, Error> {
        let breaker = Arc::default();
        let statements_end = Some(options.deadline);
        let readers =
            Connections::new(options, options.readers, statements_end, Arc::clone(&breaker))?;
        let inner = Arc::new(Inner {
            readers,
            ids: Ids::new(Connections::new(options, 1, statements_end, Arc::clone(&breaker))?),
            groups: Connections::new(options, AT_ONCE, None, Arc::clone(&breaker))?,
            others: Connections::new(options, OTHERS, None, breaker)?,
            queue: Queue::default(),
            random: Randomness::from_system()?,
            deadline: options.deadline,
            watched: Watched::default(),
            is_failing: AtomicBool::new(false),
            generation: AtomicU64::new(0),
            tenants: Mutex::default(),
            versions: Mutex::default(),
        });
        migration::check(&inner.readers.get().await?).await?;
        inner.look_for_news().await?;
        let group_writers = TaskTracker::new();
        for _ in 0..AT_ONCE {
            drop(group_writers.spawn(Arc::clone(&inner).write_until_closed()));
        }
        let news = tokio::spawn(Arc::clone(&inner).look_for_news_for_ever());
        Ok(Self { inner, group_writers, news })
    }

    async fn read<T: Send, W: Future<Output = Result<T, Error>> + Send>(
        &self,
        work: impl Fn(Connection) -> W + Sync,
    ) -> Result<T, Error> {
        self.inner.read(work).await
    }

    async fn register_work(&self, work: Work) -> Result<Registered, Error> {
        let tenant = work.tenant.id;
        let registered = self.inner.register(work).await;
        self.told(tenant, registered)
    }

    /// Where another process changed the organisation, what is known of it here is not given out
    /// again.
    fn told<T>(&self, tenant: TenantId, done: Result<T, Error>) -> Result<T, Error> {
        if matches!(done, Err(Error::Stale)) {
            lock(&self.inner.tenants).remove(&tenant);
            self.inner.changed();
        }
        done
    }
}

impl Inner {
    async fn look_for_news_for_ever(self: Arc<Self>) {
        loop {
            tokio::time::sleep(NEWS_EVERY).await;
            if let Err(error) = self.look_for_news().await {
                tracing::debug!(error = error.chain(), "cannot see whether anything was changed");
            }
        }
    }

    /// Counts a change where another process changed what is set up.
    async fn look_for_news(&self) -> Result<(), Error> {
        let versions = self
            .read(|connection| async move { organisation::versions(&connection).await })
            .await?;
        let mut known = lock(&self.versions);
        if *known != versions {
            *known = versions;
            self.changed();
        }
        Ok(())
    }

    /// Something that is set up, or that somebody signs in with, was changed.
    fn changed(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// Changes what is set up for an organisation, or what somebody signs in with there.
    async fn change<T: Send, W: Future<Output = Result<T, Error>> + Send>(
        &self,
        tenant: TenantId,
        work: impl Fn(Connection) -> W + Sync,
    ) -> Result<T, Error> {
        let changed = self
            .transact(Aim::change(tenant), |connection| {
                let work = &work;
                async move {
                    connection.run(WAIT_SHORTLY).await?;
                    organisation::begin_change(&connection, tenant).await?;
                    work(connection).await
                }
            })
            .await;
        // Where nobody knows whether it was changed, it is as well to look.
        self.changed();
        changed
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn organisations(&self) -> Result<Vec<OrganisationName>, Error> {
        self.read(|connection| async move { organisation::all(&connection).await }).await
    }

    async fn set_up(
        &self,
        organisations: Vec<NewOrganisation>,
        author: Author,
    ) -> Result<(), Error> {
        let (new, author) = (&organisations, &author);
        let set_up = self.inner.transact(Aim::one(NO_TENANT), |connection| async move {
            for organisation in new {
                organisation::insert(&connection, organisation, author).await?;
            }
            Ok(())
        });
        let set_up = set_up.await;
        self.inner.changed();
        set_up
    }

    async fn organisation_named(&self, name: &str) -> Result<Option<TenantId>, Error> {
        self.read(|connection| async move { organisation::named(&connection, name).await }).await
    }

    async fn changes(
        &self,
        tenant: TenantId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<RecordedChange>, Error> {
        self.read(|connection| async move {
            configuration::changes(&connection, tenant, before, limit).await
        })
        .await
    }

    async fn till_credential(&self, username: &str) -> Result<Option<TillCredential>, Error> {
        self.read(|connection| async move { credentials::of_till(&connection, username).await })
            .await
    }

    async fn set_till_password(
        &self,
        tenant: TenantId,
        till: &str,
        hashes: PasswordHashes,
        author: Author,
    ) -> Result<(), Error> {
        let (hashes, author) = (&hashes, &author);
        self.inner
            .change(tenant, |connection| async move {
                credentials::change_password(&connection, tenant, till, hashes, author).await
            })
            .await
    }

    async fn client_credential(&self, key: &str) -> Result<Option<ClientCredential>, Error> {
        self.read(|connection| async move { credentials::of_client(&connection, key).await }).await
    }

    async fn client_key(&self, tenant: TenantId, client: &str) -> Result<Option<String>, Error> {
        self.read(
            |connection| async move { credentials::client_key(&connection, tenant, client).await },
        )
        .await
    }

    async fn set_client_secret(
        &self,
        tenant: TenantId,
        client: &str,
        new: NewSecret,
        author: Author,
    ) -> Result<String, Error> {
        let (new, author) = (&new, &author);
        self.inner
            .change(tenant, |connection| async move {
                credentials::change_secret(&connection, tenant, client, new, author).await
            })
            .await
    }

    async fn keep_token(&self, tenant: TenantId, new: NewToken) -> Result<(), Error> {
        let new = &new;
        self.inner
            .transact(Aim::one(tenant), |connection| async move {
                credentials::keep_token(&connection, tenant, new).await
            })
            .await
    }

    async fn token(&self, hash: TokenHash) -> Result<Option<AccessToken>, Error> {
        let hash = &hash;
        self.read(|connection| async move { credentials::token(&connection, hash).await }).await
    }

    async fn revoke_token(&self, hash: TokenHash) -> Result<bool, Error> {
        let Some(token) = self.token(hash).await? else { return Ok(false) };
        self.inner
            .change(token.tenant, |connection| async move {
                credentials::forget_token(&connection, &hash).await
            })
            .await
    }

    async fn revoke_tokens(
        &self,
        tenant: TenantId,
        client: &str,
        author: Author,
    ) -> Result<usize, Error> {
        let author = &author;
        self.inner
            .change(tenant, |connection| async move {
                credentials::revoke_tokens(&connection, tenant, client, author).await
            })
            .await
    }

    fn generation(&self) -> u64 {
        self.inner.generation.load(Ordering::Acquire)
    }

    async fn tenant(&self, id: TenantId) -> Result<Tenant, Error> {
        let at = self.generation();
        let known = lock(&self.inner.tenants).get(&id).cloned();
        if let Some(known) = known.filter(|known| known.at == at) {
            return Ok(known.tenant);
        }
        let (version, organisation) = self
            .read(|connection| async move { configuration::load(&connection, id).await })
            .await?;
        let tenant = Tenant { id, generation: version, organisation: Arc::new(organisation) };
        lock(&self.inner.tenants).insert(id, Known { at, tenant: tenant.clone() });
        Ok(tenant)
    }

    async fn resources(
        &self,
        tenant: TenantId,
        kind: Kind,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Stored>, Error> {
        self.read(|connection| async move {
            configuration::page(&connection, tenant, kind, after, limit).await
        })
        .await
    }

    async fn resource(
        &self,
        tenant: TenantId,
        kind: Kind,
        name: &str,
    ) -> Result<Option<Stored>, Error> {
        self.read(
            |connection| async move { configuration::find(&connection, tenant, kind, name).await },
        )
        .await
    }

    async fn apply(
        &self,
        tenant: TenantId,
        changes: Vec<Change>,
        author: Author,
    ) -> Result<Vec<Stored>, Error> {
        let (changes, author) = (&changes, &author);
        self.inner
            .change(tenant, |connection| async move {
                configuration::apply(&connection, tenant, changes, author).await
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
        let asked = Span::current();
        let work = Work { tenant, registrations, origin, now, once: None, asked };
        match mode {
            Mode::DryRun => self.told(work.tenant.id, self.inner.rehearse(&work).await),
            Mode::Apply => match self.register_work(work).await? {
                Registered::Now { decisions, .. } => Ok(decisions),
                Registered::Before(_) => {
                    Err(corrupt("an answer was kept of a request that is not answered once"))
                }
            },
        }
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
        let (once, asked) = (Some(once), Span::current());
        self.register_work(Work { tenant, registrations, origin, now, once, asked }).await
    }

    async fn remove_expired_answers(&self, now: Timestamp) -> Result<usize, Error> {
        let mut removed: usize = 0;
        for tenant in self.organisations().await?.into_iter().map(|known| known.id) {
            let expired =
                |connection| async move { once::has_expired(&connection, tenant, now).await };
            if !self.read(expired).await? {
                continue;
            }
            loop {
                let some = |connection: Connection| async move {
                    once::remove_expired(&connection, tenant, now).await
                };
                let count = self.inner.transact(Aim::one(tenant), some).await?;
                removed = removed.saturating_add(count);
                if count == 0 {
                    break;
                }
            }
        }
        Ok(removed)
    }

    async fn find(&self, tenant: &Tenant, by: Lookup) -> Result<Option<Found>, Error> {
        let by = &by;
        self.read(|connection| async move { customer::find(&connection, tenant.id, by).await })
            .await
    }

    async fn cards(&self, tenant: &Tenant, customer: CustomerId) -> Result<Vec<Card>, Error> {
        self.read(|connection| async move { cards::of(&connection, tenant.id, customer).await })
            .await
    }

    async fn sharing_email(&self, tenant: &Tenant, email: &str) -> Result<Vec<Found>, Error> {
        self.read(
            |connection| async move { shared_email::holders(&connection, tenant.id, email).await },
        )
        .await
    }

    async fn coupons(
        &self,
        tenant: &Tenant,
        customer: CustomerId,
    ) -> Result<Vec<IssuedCoupon>, Error> {
        self.read(|connection| async move { coupons::of(&connection, tenant.id, customer).await })
            .await
    }

    async fn referrer(&self, tenant: &Tenant, code: &str) -> Result<Option<Referrer>, Error> {
        self.read(
            |connection| async move { referrals::referrer(&connection, tenant.id, code).await },
        )
        .await
    }

    async fn referral_codes(
        &self,
        tenant: &Tenant,
        customer: &Customer,
        now: Timestamp,
    ) -> Result<Vec<ReferralCode>, Error> {
        let held =
            self.read(|connection| async move {
                referrals::of(&connection, tenant.id, customer.id).await
            })
            .await?;
        if crate::rows::referral::missing(&held, customer, tenant, now).is_empty() {
            return Ok(held);
        }
        let (id, random) = (customer.id, &self.inner.random);
        self.inner
            .transact(Aim::one(tenant.id), |connection| async move {
                referrals::make(&connection, tenant, id, now, random).await
            })
            .await
    }

    async fn check_ledger(
        &self,
        organisation: &str,
        tell: Box<dyn FnMut(LedgerCheck) + Send>,
    ) -> Result<(), Error> {
        ledger::check(&self.inner.others.get().await?, organisation, tell).await
    }

    async fn audit(
        &self,
        tenant: &Tenant,
        query: crate::audit::Query,
    ) -> Result<crate::audit::Page, Error> {
        let query = &query;
        self.read(|connection| async move { audit::page(&connection, tenant.id, query).await })
            .await
    }

    fn watch(&self, watch: Arc<dyn Watch>) {
        self.inner.watched.by(watch);
    }

    fn waiting(&self) -> usize {
        self.inner.queue.waiting()
    }

    async fn size(&self) -> Result<Size, Error> {
        self.read(|connection| async move { size::of(&connection).await }).await
    }

    async fn check(&self) -> Result<(), Error> {
        self.inner.probe().await
    }

    async fn close(&self) {
        self.inner.queue.close();
        self.news.abort();
        self.group_writers.close();
        self.group_writers.wait().await;
        self.inner.readers.close();
        self.inner.groups.close();
        self.inner.others.close();
        self.inner.ids.close();
        lock(&self.inner.tenants).clear();
    }
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.inner.queue.close();
        self.news.abort();
    }
}

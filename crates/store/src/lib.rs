//! Where customers are kept: the only crate that links a database.
//!
//! [`Store`] has few, coarse methods, one a use case. Each engine implements them in its own SQL;
//! the decision itself is [`patron_rules::decide`], the same for every engine.
//!
//! Whatever belongs to an organisation is reached through its [`Tenant`], which only a store hands
//! out: one organisation cannot name what is another's.

pub mod audit;
mod configuration;
pub mod copy;
mod credentials;
mod error;
mod ids;
mod lanes;
pub mod limits;
pub mod maintenance;
mod once;
pub mod operators;
mod postgres;
mod rows;
mod series;
mod sqlite;
mod watch;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use patron_rules::audit::Origin;
use patron_rules::card::Card;
use patron_rules::coupon::IssuedCoupon;
use patron_rules::customer::{Customer, CustomerId};
use patron_rules::decide::Decision;
use patron_rules::identifier::IdentifierKind;
use patron_rules::ledger::{Currency, EntryKind};
use patron_rules::organisation::{ApiClientId, Document, Kind, Organisation, ProgrammeId, TillId};
use patron_rules::referral::{ReferralCode, Referrer};
use patron_rules::validate::Registration;
use rust_decimal::Decimal;

pub use configuration::{Author, AuthorKind, Change, Edit, Expected, RecordedChange, Stored};
pub use error::Error;
pub use once::{Once, Registered, WriteAnswer};
pub use operators::Operators;
pub use postgres::{PostgresOptions, PostgresStore, migration};
pub use sqlite::{Location, SqliteStore, Tuning};
pub use watch::{Group, STAGES, Size, Watch};

/// Which organisation; only a store makes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(i64);

impl TenantId {
    /// The number by which the wire tells organisations apart.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}

/// An organisation with what is set up for it: the key to everything that is its own.
#[derive(Debug, Clone)]
pub struct Tenant {
    id: TenantId,
    /// When it was loaded, in counts of the store's.
    generation: u64,
    organisation: Arc<Organisation>,
}

impl Tenant {
    /// Which organisation it is.
    #[must_use]
    pub const fn id(&self) -> TenantId {
        self.id
    }

    /// What is set up for the organisation.
    #[must_use]
    pub fn organisation(&self) -> &Organisation {
        &self.organisation
    }
}

/// An organisation in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationName {
    /// Which it is.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// Whether its passwords are public, so that it is not to be served to a network.
    pub is_demo: bool,
}

/// What a till signs in with.
#[derive(Debug, Clone)]
pub struct TillCredential {
    /// The till's organisation.
    pub tenant: TenantId,
    /// The till.
    pub till: TillId,
    /// The hashes of its password.
    pub hashes: PasswordHashes,
}

/// A till's password, hashed from each of the two digests that a client may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordHashes {
    /// From the lower-case hexadecimal MD5 of the password; a PHC string.
    pub md5: String,
    /// From the lower-case hexadecimal SHA-256 of the password; a PHC string.
    pub sha256: String,
}

/// What an API client signs in with.
#[derive(Debug, Clone)]
pub struct ClientCredential {
    /// The client's organisation.
    pub tenant: TenantId,
    /// The client.
    pub client: ApiClientId,
    /// The hash of its secret; a PHC string.
    pub secret_hash: String,
}

/// A secret for an API client.
#[derive(Debug, Clone)]
pub struct NewSecret {
    /// The key that goes with it, where the client has none.
    pub key: String,
    /// The hash of the secret; a PHC string.
    pub hash: String,
}

/// By what a token is known: its SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash(pub [u8; 32]);

/// A token that was generated.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// Whose it is.
    pub client: ApiClientId,
    /// By what it is known.
    pub hash: TokenHash,
    /// When it was generated, to the millisecond.
    pub issued_at: Timestamp,
    /// Until when it is good, to the millisecond.
    pub expires_at: Timestamp,
}

/// A token that is known, whether or not it is still good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Its client's organisation.
    pub tenant: TenantId,
    /// Its client.
    pub client: ApiClientId,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// An organisation to be set up.
#[derive(Debug, Clone)]
pub struct NewOrganisation {
    /// What is set up; its name and the names of its tills are unique in the store.
    pub organisation: Organisation,
    /// Whether its passwords are public, so that it is not to be served to a network.
    pub is_demo: bool,
    /// The passwords of its tills, by their names; one without signs in once it has one.
    pub passwords: Vec<(String, PasswordHashes)>,
}

impl NewOrganisation {
    /// What is to be set up, document by document.
    pub(crate) fn changes(&self) -> Vec<Change> {
        let documents = |kind| self.organisation.documents(kind).all().into_iter();
        let make = |kind, document: Document| Change {
            kind,
            name: document.name,
            expected: Expected::Nothing,
            edit: Edit::Replace(document.json),
            is_active: Some(document.is_active),
        };
        let all = Kind::ALL.into_iter();
        all.flat_map(|kind| documents(kind).map(move |document| make(kind, document))).collect()
    }
}

/// Whether a registration counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// It is carried out.
    Apply,
    /// Everything is decided on the data as they are, and nothing is written.
    DryRun,
}

/// What a customer is looked up by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// An identifier in its canonical form.
    Identifier(IdentifierKind, String),
    /// The customer's id.
    Id(CustomerId),
    /// The number of a card of theirs.
    Card(String),
}

/// A customer who was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The customer.
    pub customer: Customer,
    /// Whether the one looked up was merged into them.
    pub through_merge: bool,
}

/// What a check of the ledger tells while it goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerCheck {
    /// So many ids of customers are behind it, of about so many.
    Progress {
        /// How many are behind it.
        done: u64,
        /// How many there are.
        of: u64,
    },
    /// A balance is not the sum of its entries.
    Difference(LedgerDifference),
    /// Every ledger was added up.
    Done {
        /// Of how many customers.
        customers: u64,
    },
}

/// A balance that is not the sum of its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerDifference {
    /// Whose balance.
    pub customer: CustomerId,
    /// In which programme.
    pub programme: ProgrammeId,
    /// In which currency.
    pub currency: Currency,
    /// Of which kind of entries.
    pub kind: EntryKind,
    /// The sum of the entries.
    pub expected: Decimal,
    /// The balance.
    pub found: Decimal,
}

/// Where customers are kept.
#[async_trait]
pub trait Store: Operators + Send + Sync {
    /// All organisations, by name.
    async fn organisations(&self) -> Result<Vec<OrganisationName>, Error>;

    /// The organisation of this name; `None` where there is none.
    async fn organisation_named(&self, name: &str) -> Result<Option<TenantId>, Error>;

    /// Sets up organisations: all of them, or none.
    ///
    /// # Errors
    /// [`Error::Taken`] for the name of an organisation or a till that is there already, and those
    /// of [`Self::apply`].
    async fn set_up(
        &self,
        organisations: Vec<NewOrganisation>,
        author: Author,
    ) -> Result<(), Error>;

    /// What a till signs in with, by its name; `None` where no till has it.
    async fn till_credential(&self, username: &str) -> Result<Option<TillCredential>, Error>;

    /// Gives a till another password, from now on.
    ///
    /// # Errors
    /// [`Error::NoSuch`] where the organisation has no such till.
    async fn set_till_password(
        &self,
        tenant: TenantId,
        till: &str,
        hashes: PasswordHashes,
        author: Author,
    ) -> Result<(), Error>;

    /// What an API client signs in with, by its key; `None` where no client has it.
    async fn client_credential(&self, key: &str) -> Result<Option<ClientCredential>, Error>;

    /// An API client's key; `None` before it is given its first secret.
    ///
    /// # Errors
    /// [`Error::NoSuch`] where the organisation has no such client.
    async fn client_key(&self, tenant: TenantId, client: &str) -> Result<Option<String>, Error>;

    /// Gives an API client another secret, and a key where it has none; returns its key. From now on
    /// the secret before and its tokens are worth nothing.
    ///
    /// # Errors
    /// [`Error::NoSuch`] where the organisation has no such client.
    async fn set_client_secret(
        &self,
        tenant: TenantId,
        client: &str,
        new: NewSecret,
        author: Author,
    ) -> Result<String, Error>;

    /// Keeps a token. Of a client's tokens the newest 1,000 are kept, and each for a day after it has
    /// expired.
    async fn keep_token(&self, tenant: TenantId, new: NewToken) -> Result<(), Error>;

    /// A token that is kept; `None` where it never was, or was revoked.
    async fn token(&self, hash: TokenHash) -> Result<Option<AccessToken>, Error>;

    /// Forgets a token, so that it is worth nothing from now on; whether it was there.
    async fn revoke_token(&self, hash: TokenHash) -> Result<bool, Error>;

    /// Forgets every token of an API client, and records who asked for it; how many there were.
    ///
    /// # Errors
    /// [`Error::NoSuch`] where the organisation has no such client.
    async fn revoke_tokens(
        &self,
        tenant: TenantId,
        client: &str,
        author: Author,
    ) -> Result<usize, Error>;

    /// Counts the changes of what is set up and of what anybody signs in with, as far as this
    /// process knows: what was read at another count is read again before it is relied on.
    fn generation(&self) -> u64;

    /// An organisation as it is set up now.
    async fn tenant(&self, id: TenantId) -> Result<Tenant, Error>;

    /// The documents of a kind whose names follow `after` (empty for the first), by name, at most so
    /// many.
    async fn resources(
        &self,
        tenant: TenantId,
        kind: Kind,
        after: &str,
        limit: u32,
    ) -> Result<Vec<Stored>, Error>;

    /// The document of this kind and name; `None` where there is none.
    async fn resource(
        &self,
        tenant: TenantId,
        kind: Kind,
        name: &str,
    ) -> Result<Option<Stored>, Error>;

    /// Changes documents, in order: all of them, or none. Returns those that differ now. Each change is
    /// recorded with its author and the document before it.
    ///
    /// # Errors
    /// [`Error::Changed`] if a document is not as expected; [`Error::Invalid`] if the documents would
    /// be invalid; [`Error::DocumentInUse`] if a document to retire is used by others;
    /// [`Error::Taken`] for a till's name that another organisation has; [`Error::Clash`] when
    /// identifiers that are to belong to one customer each belong to several; [`Error::Reread`] when
    /// stored mobile numbers would be read as others.
    async fn apply(
        &self,
        tenant: TenantId,
        changes: Vec<Change>,
        author: Author,
    ) -> Result<Vec<Stored>, Error>;

    /// The changes of what is set up that came before the one of this number, or all; the latest
    /// first, at most so many.
    async fn changes(
        &self,
        tenant: TenantId,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Vec<RecordedChange>, Error>;

    /// Registers each customer or says why not, in order; a later one sees an earlier one.
    ///
    /// Once this returns, what it tells of is on disk: customer, identifiers, enrolment, ledger and
    /// audit together. The work is done even if the caller stops waiting.
    ///
    /// # Errors
    /// Nothing of the batch was stored, as far as the engine can tell. [`Error::Stale`] when the
    /// organisation was changed since the tenant was loaded: load it anew, validate again, repeat.
    async fn register(
        &self,
        tenant: &Tenant,
        registrations: Vec<Registration>,
        origin: &Origin,
        now: Timestamp,
        mode: Mode,
    ) -> Result<Vec<Decision>, Error>;

    /// As [`Self::register`] does for what counts, but once: a request of the same key that is asked
    /// for again, as long as its answer is kept, gets that answer and stores nothing. Of several at
    /// the same time one is carried out.
    ///
    /// The answer is kept in the commit that it tells of. Where no customer went through, nothing is
    /// stored and no answer kept.
    ///
    /// # Errors
    /// Those of [`Self::register`]; [`Error::KeyReused`] where the key is that of a request with
    /// another content; [`Error::AnswersFull`] where no further answer may be kept.
    async fn register_once(
        &self,
        tenant: &Tenant,
        registrations: Vec<Registration>,
        origin: &Origin,
        now: Timestamp,
        once: Once,
    ) -> Result<Registered, Error>;

    /// Removes the answers to requests that are kept no longer, a few at a time; how many.
    async fn remove_expired_answers(&self, now: Timestamp) -> Result<usize, Error>;

    /// A customer of the organisation; `None` where there is none.
    async fn find(&self, tenant: &Tenant, by: Lookup) -> Result<Option<Found>, Error>;

    /// The cards of a customer, those of whoever was merged into them included, by number.
    async fn cards(&self, tenant: &Tenant, customer: CustomerId) -> Result<Vec<Card>, Error>;

    /// The first two customers who have this email address, in lower case, where several may share
    /// one. Where none has it, those into whom its holders were merged.
    async fn sharing_email(&self, tenant: &Tenant, email: &str) -> Result<Vec<Found>, Error>;

    /// The coupons of a customer and of those who were merged into them, by number.
    async fn coupons(
        &self,
        tenant: &Tenant,
        customer: CustomerId,
    ) -> Result<Vec<IssuedCoupon>, Error>;

    /// Who has a referral code, in its one form; `None` where nobody does.
    async fn referrer(&self, tenant: &Tenant, code: &str) -> Result<Option<Referrer>, Error>;

    /// The referral codes of a customer, by campaign, those of whoever was merged into them included.
    /// A code that they have by now and that was never asked for is made.
    async fn referral_codes(
        &self,
        tenant: &Tenant,
        customer: &Customer,
        now: Timestamp,
    ) -> Result<Vec<ReferralCode>, Error>;

    /// Adds up the ledgers of an organisation, by its name, and compares them with the balances.
    async fn check_ledger(
        &self,
        organisation: &str,
        tell: Box<dyn FnMut(LedgerCheck) + Send>,
    ) -> Result<(), Error>;

    /// A page of a customer's audit; an empty one where the organisation has no such customer.
    async fn audit(&self, tenant: &Tenant, query: audit::Query) -> Result<audit::Page, Error>;

    /// Tells this one from now on how the store does; the first who watches stays.
    fn watch(&self, watch: Arc<dyn Watch>);

    /// How many customers wait to be written or are being written.
    fn waiting(&self) -> usize;

    /// How much room the data take.
    async fn size(&self) -> Result<Size, Error>;

    /// Whether the store can be read and takes work.
    async fn check(&self) -> Result<(), Error>;

    /// Finishes what was accepted and closes the store.
    async fn close(&self);
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

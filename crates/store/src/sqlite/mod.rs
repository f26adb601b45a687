//! The embedded engine: SQLite.
//!
//! One writer thread owns the one connection that writes; see [`writer`]. Readers have connections
//! of their own; see [`readers`].

mod candidates;
mod cards;
mod configuration;
mod customer;
mod enrolment;
mod ids;
mod lanes;
mod ledger;
mod open;
mod operators;
mod organisation;
mod readers;
mod registration;
mod rows;
mod series;
mod settings;
mod writer;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use patron_rules::card::Card;
use patron_rules::customer::CustomerId;
use patron_rules::decide::Decision;
use patron_rules::organisation::Kind;
use patron_rules::validate::Registration;
use rusqlite::Connection;

use self::open::DirectoryLock;
use self::readers::Readers;
use self::writer::{Writer, Writing};
use crate::{
    Author, Change, Error, Found, LedgerCheck, Lookup, Mode, NewOrganisation, OrganisationName,
    PasswordHashes, RecordedChange, Store, Stored, Tenant, TenantId, TillCredential,
};

/// Where a SQLite store keeps its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In this directory, which is made where it is missing.
    Directory(PathBuf),
    /// In memory, until the store is closed.
    Memory,
}

/// A store on SQLite.
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
    tenants: Mutex<HashMap<TenantId, Tenant>>,
    /// Held until everything else is closed.
    lock: Mutex<Option<DirectoryLock>>,
}

impl SqliteStore {
    /// Opens the data, bringing its schema up to date.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has it open, [`Error::TooNew`] when a newer program
    /// wrote it, and whatever keeps the files from being opened.
    pub fn open(location: &Location) -> Result<Self, Error> {
        let opened = open::open(location)?;
        Ok(Self {
            writer: Writer::start(opened.writer)?,
            readers: Readers::new(opened.readers),
            tenants: Mutex::default(),
            lock: Mutex::new(opened.lock),
        })
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
                organisations
                    .iter()
                    .try_for_each(|new| organisation::insert(writing.connection, new, &author))
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

    async fn set_till_password(
        &self,
        tenant: TenantId,
        till: &str,
        hashes: PasswordHashes,
        author: Author,
    ) -> Result<(), Error> {
        let till = till.to_owned();
        self.writer
            .write(move |writing| {
                let connection = writing.connection;
                organisation::set_password(connection, tenant, &till, &hashes, &author)?;
                writing.change_set_up();
                Ok(())
            })
            .await
    }

    async fn till_credential(&self, username: &str) -> Result<Option<TillCredential>, Error> {
        let username = username.to_owned();
        self.readers
            .read(move |connection| organisation::till_credential(connection, &username))
            .await
    }

    async fn tenant(&self, id: TenantId) -> Result<Tenant, Error> {
        let generation = self.writer.generation();
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
        self.writer
            .write(move |writing| {
                let written = configuration::apply(writing.connection, tenant, &changes, &author)?;
                writing.change_set_up();
                Ok(written)
            })
            .await
    }

    async fn register(
        &self,
        tenant: &Tenant,
        registrations: Vec<Registration>,
        now: Timestamp,
        mode: Mode,
    ) -> Result<Vec<Decision>, Error> {
        let tenant = tenant.clone();
        // Times are kept in whole milliseconds.
        let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        self.writer
            .write_each(registrations.len(), move |writing| {
                writing.check_current(&tenant)?;
                let register = |writing: &mut Writing<'_>| {
                    registration::register(writing, &tenant, registrations, now)
                };
                match mode {
                    Mode::Apply => register(writing),
                    Mode::DryRun => writing.rehearse(register),
                }
            })
            .await
    }

    async fn find(&self, tenant: &Tenant, by: Lookup) -> Result<Option<Found>, Error> {
        let id = tenant.id;
        self.readers.read(move |connection| customer::find(connection, id, &by)).await
    }

    async fn cards(&self, tenant: &Tenant, customer: CustomerId) -> Result<Vec<Card>, Error> {
        let id = tenant.id;
        self.readers.read(move |connection| cards::of(connection, id, customer)).await
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

    async fn check(&self) -> Result<(), Error> {
        self.readers.read(|connection| organisation::all(connection).map(drop)).await?;
        self.writer.write(|_| Ok(())).await
    }

    async fn close(&self) {
        self.writer.stop().await;
        self.readers.close();
        lock(&self.tenants).clear();
        drop(lock(&self.lock).take());
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        Self::Engine(Box::new(error))
    }
}

//! Recent identifiers: those of new customers, before they are merged into the table.
//!
//! Identifiers come in no order, so each would have a page of its own written in a table of
//! millions. Instead the row of a new customer says which of its identifiers are not in the table
//! yet. They are kept in memory, in the order of the table's key, until so many have gathered that
//! neighbours are merged together: after each group of registrations a few, from the first to the
//! last. Then the organisation's row says up to which customer all are in the table.
//!
//! So an identifier is recent exactly while its customer's row says so and the organisation's row
//! does not say otherwise; [`Recent::load`] reads from them what was known when the process ended,
//! however it ended. Whoever changes a customer who is not new moves what is recent of theirs to the
//! table first. A recent identifier is as unique as one in the table, since everything that is
//! written passes the one writer, which asks for both.

use std::collections::{BTreeMap, HashMap};
use std::mem;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use patron_rules::customer::CustomerId;
use patron_rules::identifier::{Email, IdentifierKind, Identifiers};
use rusqlite::{Connection, OptionalExtension};

use crate::rows::{corrupt, kind_number};
use crate::{Error, TenantId};

/// Tells whose an identifier is.
pub(super) trait Holders {
    /// Who holds an identifier, or held it before a merge of customers.
    fn holder(
        &self,
        connection: &Connection,
        tenant: TenantId,
        kind: IdentifierKind,
        key: &str,
    ) -> Result<Option<CustomerId>, Error>;
}

/// An identifier, in the order of the table's key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Key {
    tenant: TenantId,
    kind: i64,
    value: Box<str>,
}

impl Key {
    fn of(tenant: TenantId, kind: IdentifierKind, value: &str) -> Self {
        Self { tenant, kind: kind_number(kind), value: value.into() }
    }
}

/// Identifiers that are merged together.
#[derive(Debug, Default)]
struct Generation {
    holders: BTreeMap<Key, CustomerId>,
    /// The last customer of each organisation.
    last: BTreeMap<TenantId, CustomerId>,
}

impl Generation {
    fn add(&mut self, key: Key, customer: CustomerId) {
        let last = self.last.entry(key.tenant).or_insert(customer);
        *last = (*last).max(customer);
        self.holders.insert(key, customer);
    }
}

/// The identifiers that are recent, as far as they are committed.
#[derive(Debug)]
pub(super) struct Recent {
    generations: RwLock<Generations>,
    /// How many are gathered before they are merged.
    limit: usize,
}

#[derive(Debug, Default)]
struct Generations {
    gathering: Generation,
    /// Is being merged.
    merging: Generation,
}

impl Generations {
    fn holder(&self, key: &Key) -> Option<CustomerId> {
        let Self { gathering, merging } = self;
        gathering.holders.get(key).or_else(|| merging.holders.get(key)).copied()
    }
}

impl Recent {
    /// None; so many are gathered before they are merged.
    pub(super) fn none(limit: usize) -> Self {
        Self { generations: RwLock::default(), limit }
    }

    /// Reads which identifiers are recent; so many are gathered before they are merged.
    pub(super) fn load(connection: &Connection, limit: usize) -> Result<Self, Error> {
        let recent = Self::none(limit);
        recent.reload(connection)?;
        Ok(recent)
    }

    fn reload(&self, connection: &Connection) -> Result<(), Error> {
        let mut gathering = Generation::default();
        let mut statement = connection.prepare_cached(
            "SELECT organisation_id, customer_id, recent, mobile, email, external_id
             FROM organisation CROSS JOIN customer USING (organisation_id)
             WHERE customer_id > identifiers_merged_to AND recent > 0",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (tenant, customer) = (TenantId(row.get(0)?), CustomerId(row.get(1)?));
            let recent: i64 = row.get(2)?;
            for kind in IdentifierKind::ALL.into_iter().filter(|kind| recent & bit(*kind) != 0) {
                let value: Option<String> = match kind {
                    IdentifierKind::Mobile => row.get(3)?,
                    IdentifierKind::Email => {
                        row.get::<_, Option<_>>(4)?.map(|sent| Email::stored(sent).key().to_owned())
                    }
                    IdentifierKind::ExternalId => row.get(5)?,
                };
                let value = value.ok_or_else(|| corrupt("a recent identifier is not there"))?;
                gathering.add(Key::of(tenant, kind, &value), customer);
            }
        }
        let loaded = Generations { gathering, merging: Generation::default() };
        *self.write() = loaded;
        Ok(())
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        let Generations { gathering, merging } = &*self.read();
        let count = gathering.holders.len().saturating_add(merging.holders.len());
        u64::try_from(count).unwrap_or(u64::MAX)
    }

    /// Tells of each that is in the table already, since the merging was not finished: to whom it
    /// belongs, and to whom by the table.
    pub(super) fn for_each_in_table(
        &self,
        connection: &Connection,
        mut tell: impl FnMut(TenantId, CustomerId, CustomerId),
    ) -> Result<(), Error> {
        let Generations { gathering, merging } = &*self.read();
        for (key, customer) in gathering.holders.iter().chain(&merging.holders) {
            if let Some(found) = in_table(connection, key)? {
                tell(key.tenant, *customer, found);
            }
        }
        Ok(())
    }

    /// Begins to merge what has gathered, unless something is being merged.
    fn merge_what_gathered(&self) {
        let mut generations = self.write();
        let Generations { gathering, merging } = &mut *generations;
        if merging.last.is_empty() {
            *merging = mem::take(gathering);
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Generations> {
        self.generations.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Generations> {
        self.generations.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Holders for Recent {
    fn holder(
        &self,
        connection: &Connection,
        tenant: TenantId,
        kind: IdentifierKind,
        key: &str,
    ) -> Result<Option<CustomerId>, Error> {
        let key = Key::of(tenant, kind, key);
        let recent = self.read().holder(&key);
        // It may have moved to the table since.
        match recent {
            Some(customer) if is_recent(connection, tenant, kind, customer)? => Ok(recent),
            _ => in_table(connection, &key),
        }
    }
}

/// What becomes of an identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    /// It is gained, and recent.
    Gained(CustomerId),
    /// It moves to the table.
    Settled,
}

/// The recent identifiers as the writer's group of work leaves them.
#[derive(Debug)]
pub(super) struct RecentInGroup {
    committed: Arc<Recent>,
    changed: HashMap<Key, Change>,
    /// What `changed` held before each change.
    before: Vec<(Key, Option<Change>)>,
    /// Whether any moves to the table otherwise than in its turn.
    settled: bool,
    /// How many of those being merged are in the table once the group is committed.
    merged: usize,
    /// Whether the organisations' rows say, once the group is committed, that all are.
    is_finished: bool,
    /// Whether `committed` is what is on disk.
    is_known: bool,
}

impl RecentInGroup {
    pub(super) fn new(committed: Arc<Recent>) -> Self {
        Self {
            committed,
            changed: HashMap::new(),
            before: Vec::new(),
            settled: false,
            merged: 0,
            is_finished: false,
            is_known: true,
        }
    }

    /// Makes sure of what is on disk, after a commit of which nobody knows.
    pub(super) fn know(&mut self, connection: &Connection) -> Result<(), Error> {
        if !self.is_known {
            self.committed.reload(connection)?;
            self.is_known = true;
        }
        Ok(())
    }

    /// Gives an identifier that nobody holds to a new customer, whose row says that it is recent.
    pub(super) fn gain(
        &mut self,
        tenant: TenantId,
        kind: IdentifierKind,
        key: &str,
        customer: CustomerId,
    ) {
        self.change(Key::of(tenant, kind, key), Change::Gained(customer));
    }

    /// Moves what is recent of a customer to the table, before their row is written anew.
    pub(super) fn settle(
        &mut self,
        connection: &Connection,
        tenant: TenantId,
        customer: CustomerId,
        identifiers: &Identifiers,
    ) -> Result<(), Error> {
        for (kind, value) in identifiers.keys() {
            let key = Key::of(tenant, kind, value);
            if self.recent(&key) == Some(customer) {
                insert(connection, &key, customer)?;
                self.change(key, Change::Settled);
            }
        }
        Ok(())
    }

    /// Moves everything that is recent of an organisation to the table.
    pub(super) fn settle_all(
        &mut self,
        connection: &Connection,
        tenant: TenantId,
    ) -> Result<(), Error> {
        let mut keys: Vec<Key> = self.changed.keys().cloned().collect();
        let generations = self.committed.read();
        for generation in [&generations.gathering, &generations.merging] {
            keys.extend(generation.holders.keys().cloned());
        }
        drop(generations);
        keys.retain(|key| key.tenant == tenant);
        for key in keys {
            if let Some(customer) = self.recent(&key) {
                insert(connection, &key, customer)?;
                self.change(key, Change::Settled);
            }
        }
        connection
            .prepare_cached(
                "UPDATE organisation SET identifiers_merged_to = coalesce(
                    (SELECT max(customer_id) FROM customer WHERE organisation_id = ?1),
                    identifiers_merged_to)
                 WHERE organisation_id = ?1",
            )?
            .execute([tenant.0])?;
        Ok(())
    }

    /// Merges as many as the group gained, and a few more, so that it is done before as many have
    /// gathered again.
    pub(super) fn merge(&mut self, connection: &Connection) -> Result<(), Error> {
        let gained = self.changed.len();
        self.merge_some(connection, gained.saturating_add(gained / 4).saturating_add(1))
    }

    /// Merges whatever is recent, of every organisation, so that all is in the table.
    pub(super) fn merge_all(&mut self, connection: &Connection) -> Result<(), Error> {
        self.know(connection)?;
        // Those being merged, and then those gathered.
        for _ in 0..2 {
            connection.execute_batch("BEGIN IMMEDIATE")?;
            self.merge_some(connection, usize::MAX)?;
            connection.execute_batch("COMMIT")?;
            self.keep();
            self.committed.merge_what_gathered();
        }
        Ok(())
    }

    fn merge_some(&mut self, connection: &Connection, count: usize) -> Result<(), Error> {
        let generations = self.committed.read();
        let Generation { holders, last } = &generations.merging;
        for (key, customer) in holders.iter().take(count) {
            if !self.changed.contains_key(key) {
                insert(connection, key, *customer)?;
            }
        }
        self.merged = count.min(holders.len());
        self.is_finished = self.merged == holders.len();
        if self.is_finished {
            for (tenant, customer) in last {
                connection
                    .prepare_cached(
                        "UPDATE organisation
                         SET identifiers_merged_to = max(identifiers_merged_to, ?2)
                         WHERE organisation_id = ?1",
                    )?
                    .execute((tenant.0, customer.0))?;
            }
        }
        Ok(())
    }

    fn recent(&self, key: &Key) -> Option<CustomerId> {
        match self.changed.get(key) {
            Some(Change::Gained(customer)) => Some(*customer),
            Some(Change::Settled) => None,
            None => self.committed.read().holder(key),
        }
    }

    fn change(&mut self, key: Key, change: Change) {
        self.settled |= change == Change::Settled;
        let before = self.changed.insert(key.clone(), change);
        self.before.push((key, before));
    }

    /// How much has changed in this group.
    pub(super) fn changes(&self) -> usize {
        self.before.len()
    }

    /// Takes back whatever changed since there were so many changes.
    pub(super) fn undo(&mut self, to: usize) {
        while self.before.len() > to
            && let Some((key, before)) = self.before.pop()
        {
            match before {
                Some(before) => self.changed.insert(key, before),
                None => self.changed.remove(&key),
            };
        }
    }

    /// The group is on disk.
    pub(super) fn keep(&mut self) {
        self.before.clear();
        let mut generations = self.committed.write();
        let Generations { gathering, merging } = &mut *generations;
        for _ in 0..mem::take(&mut self.merged) {
            merging.holders.pop_first();
        }
        let settled = mem::take(&mut self.settled);
        for (key, change) in self.changed.drain() {
            if settled {
                gathering.holders.remove(&key);
                merging.holders.remove(&key);
            }
            if let Change::Gained(customer) = change {
                gathering.add(key, customer);
            }
        }
        if mem::take(&mut self.is_finished) {
            *merging = Generation::default();
        }
        if merging.last.is_empty() && gathering.holders.len() >= self.committed.limit {
            *merging = mem::take(gathering);
        }
    }

    /// A commit failed, and nobody knows for certain what of it is on disk.
    pub(super) fn forget(&mut self) {
        *self = Self { is_known: false, ..Self::new(Arc::clone(&self.committed)) };
    }
}

impl Holders for RecentInGroup {
    fn holder(
        &self,
        connection: &Connection,
        tenant: TenantId,
        kind: IdentifierKind,
        key: &str,
    ) -> Result<Option<CustomerId>, Error> {
        let key = Key::of(tenant, kind, key);
        match self.recent(&key) {
            Some(customer) => Ok(Some(customer)),
            None => in_table(connection, &key),
        }
    }
}

/// By which bit a customer's row says that their identifier of this kind is recent.
pub(super) const fn bit(kind: IdentifierKind) -> i64 {
    1 << kind_number(kind)
}

fn is_recent(
    connection: &Connection,
    tenant: TenantId,
    kind: IdentifierKind,
    customer: CustomerId,
) -> Result<bool, Error> {
    let found = connection
        .prepare_cached(
            "SELECT recent & ?3 <> 0 FROM customer
             WHERE organisation_id = ?1 AND customer_id = ?2",
        )?
        .query_row((tenant.0, customer.0, bit(kind)), |row| row.get(0))
        .optional()?;
    Ok(found.unwrap_or_default())
}

fn in_table(connection: &Connection, key: &Key) -> Result<Option<CustomerId>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT customer_id FROM identifier
             WHERE organisation_id = ?1 AND kind = ?2 AND value = ?3",
        )?
        .query_row((key.tenant.0, key.kind, &*key.value), |row| row.get(0))
        .optional()?;
    Ok(found.map(CustomerId))
}

/// Writes an identifier into the table, where it may be already if the process ended while they
/// were merged.
fn insert(connection: &Connection, key: &Key, customer: CustomerId) -> Result<(), Error> {
    let written = connection
        .prepare_cached(
            "INSERT INTO identifier (organisation_id, kind, value, customer_id)
             VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT DO UPDATE SET customer_id = excluded.customer_id
             WHERE customer_id = excluded.customer_id",
        )?
        .execute((key.tenant.0, key.kind, &*key.value, customer.0))?;
    if written == 1 { Ok(()) } else { Err(corrupt("an identifier belongs to two customers")) }
}

#[cfg(test)]
mod tests {
    use patron_rules::identifier::ExternalId;
    use proptest::prelude::*;

    use super::*;
    use crate::sqlite::{Location, Tuning, open};

    const KIND: IdentifierKind = IdentifierKind::ExternalId;
    const KEYS: u8 = 16;
    const TENANTS: [TenantId; 2] = [TenantId(1), TenantId(2)];

    /// What is done to the registry, of an organisation and with its identifiers by number.
    #[derive(Debug, Clone)]
    enum Operation {
        Register(TenantId, u8),
        /// Whoever has the first one has the second one instead.
        Replace(TenantId, u8, u8),
        /// The same, undone.
        ReplaceInVain(TenantId, u8, u8),
        Commit,
        /// A commit that fails.
        Fail,
        /// The process ends and another one begins.
        Crash,
        SettleAll(TenantId),
    }

    fn operation() -> impl Strategy<Value = Operation> {
        let tenant = || prop::sample::select(TENANTS.as_slice());
        prop_oneof![
            8 => (tenant(), 0..KEYS).prop_map(|(tenant, key)| Operation::Register(tenant, key)),
            2 => (tenant(), 0..KEYS, 0..KEYS)
                .prop_map(|(tenant, key, other)| Operation::Replace(tenant, key, other)),
            1 => (tenant(), 0..KEYS, 0..KEYS)
                .prop_map(|(tenant, key, other)| Operation::ReplaceInVain(tenant, key, other)),
            4 => Just(Operation::Commit),
            1 => Just(Operation::Fail),
            1 => Just(Operation::Crash),
            1 => tenant().prop_map(Operation::SettleAll),
        ]
    }

    type Model = BTreeMap<(TenantId, u8), CustomerId>;

    struct World {
        connection: Connection,
        recent: Arc<Recent>,
        group: RecentInGroup,
        next_id: i64,
        /// Who has each identifier, in this group and on disk.
        now: Model,
        committed: Model,
    }

    fn load(connection: &Connection) -> Arc<Recent> {
        // So few that all three states come about in a short list of operations.
        Arc::new(Recent::load(connection, 3).unwrap())
    }

    impl World {
        fn new() -> Self {
            let connection = open::open(&Location::Memory, &Tuning::default()).unwrap().writer;
            let organisations = "INSERT INTO organisation (name, is_demo, next_customer_id)
                 VALUES ('a', 0, 1), ('b', 0, 1); BEGIN";
            connection.execute_batch(organisations).unwrap();
            let recent = load(&connection);
            let group = RecentInGroup::new(Arc::clone(&recent));
            let (now, committed) = (Model::new(), Model::new());
            Self { connection, recent, group, next_id: 1, now, committed }
        }

        fn execute(&self, sql: &str) {
            self.connection.execute_batch(sql).unwrap();
        }

        fn register(&mut self, tenant: TenantId, key: u8) {
            if self.now.contains_key(&(tenant, key)) {
                return;
            }
            let customer = CustomerId(self.next_id);
            self.next_id += 1;
            self.group.gain(tenant, KIND, &key.to_string(), customer);
            self.execute(&format!(
                "INSERT INTO customer (organisation_id, customer_id, external_id, type, source,
                    registered_at, updated_at, registered_till, recent)
                 VALUES ({}, {}, '{key}', '', '', 0, 0, 1, {})",
                tenant.0,
                customer.0,
                bit(KIND)
            ));
            self.now.insert((tenant, key), customer);
        }

        fn replace(&mut self, tenant: TenantId, key: u8, other: u8) {
            let Some(customer) = self.now.get(&(tenant, key)).copied() else { return };
            if self.now.contains_key(&(tenant, other)) {
                return;
            }
            let identifiers = Identifiers {
                external_id: Some(ExternalId::stored(key.to_string())),
                ..Identifiers::default()
            };
            self.group.settle(&self.connection, tenant, customer, &identifiers).unwrap();
            self.execute(&format!(
                "DELETE FROM identifier WHERE organisation_id = {0} AND value = '{key}';
                 INSERT INTO identifier VALUES ({0}, 3, '{other}', {1});
                 UPDATE customer SET external_id = '{other}', recent = 0
                 WHERE organisation_id = {0} AND customer_id = {1}",
                tenant.0, customer.0
            ));
            self.now.remove(&(tenant, key));
            self.now.insert((tenant, other), customer);
        }

        fn commit(&mut self) {
            self.group.merge(&self.connection).unwrap();
            self.execute("COMMIT; BEGIN");
            self.group.keep();
            self.committed = self.now.clone();
            self.check(&*self.recent, &self.committed);
        }

        fn carry_out(&mut self, operation: &Operation) {
            match *operation {
                Operation::Register(tenant, key) => self.register(tenant, key),
                Operation::Replace(tenant, key, other) => self.replace(tenant, key, other),
                Operation::ReplaceInVain(tenant, key, other) => {
                    let (before, changes) = (self.now.clone(), self.group.changes());
                    self.execute("SAVEPOINT vain");
                    self.replace(tenant, key, other);
                    self.execute("ROLLBACK TO vain; RELEASE vain");
                    self.group.undo(changes);
                    self.now = before;
                }
                Operation::Commit => self.commit(),
                Operation::Fail => {
                    self.group.merge(&self.connection).unwrap();
                    self.execute("ROLLBACK; BEGIN");
                    self.group.forget();
                    self.group.know(&self.connection).unwrap();
                    self.now = self.committed.clone();
                }
                Operation::Crash => {
                    self.execute("ROLLBACK; BEGIN");
                    self.recent = load(&self.connection);
                    self.group = RecentInGroup::new(Arc::clone(&self.recent));
                    self.now = self.committed.clone();
                }
                Operation::SettleAll(tenant) => {
                    self.group.settle_all(&self.connection, tenant).unwrap();
                }
            }
            self.check(&self.group, &self.now);
        }

        /// Whoever asks is told of every identifier what the model says.
        fn check(&self, holders: &impl Holders, model: &Model) {
            for tenant in TENANTS {
                for key in 0..KEYS {
                    let found = holders.holder(&self.connection, tenant, KIND, &key.to_string());
                    assert_eq!(found.unwrap(), model.get(&(tenant, key)).copied(), "{key}");
                }
            }
        }
    }

    proptest! {
        /// In the order of the table's key, where texts are compared byte by byte.
        #[test]
        fn keys_are_ordered_as_the_table_orders_them(one: String, other: String) {
            let key = |value: &str| Key::of(TENANTS[0], KIND, value);
            let of_bytes = one.as_bytes().cmp(other.as_bytes());
            prop_assert_eq!(key(&one).cmp(&key(&other)), of_bytes);
        }

        #[test]
        fn every_identifier_leads_to_whom_it_belongs(
            operations in prop::collection::vec(operation(), 1..80),
        ) {
            let mut world = World::new();
            for operation in &operations {
                world.carry_out(operation);
            }
            world.commit();
            world.execute("COMMIT");
            world.group.merge_all(&world.connection).unwrap();
            prop_assert_eq!(world.recent.count(), 0);
            prop_assert_eq!(load(&world.connection).count(), 0);
            let mut table = world.connection.prepare("SELECT * FROM identifier").unwrap();
            let row = |row: &rusqlite::Row<'_>| {
                let value: String = row.get(2)?;
                let key = (TenantId(row.get(0)?), value.parse().unwrap());
                Ok((key, CustomerId(row.get(3)?)))
            };
            let table = table.query_map([], row).unwrap().collect::<Result<Model, _>>().unwrap();
            prop_assert_eq!(table, world.committed);
        }
    }

    #[test]
    fn an_identifier_of_two_customers_is_never_written() {
        let world = World::new();
        let key = Key::of(TENANTS[0], KIND, "1");
        insert(&world.connection, &key, CustomerId(1)).unwrap();
        insert(&world.connection, &key, CustomerId(1)).unwrap();
        assert!(matches!(insert(&world.connection, &key, CustomerId(2)), Err(Error::Corrupt(_))));
    }
}

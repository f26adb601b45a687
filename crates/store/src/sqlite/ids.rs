//! Ids of customers: an organisation's counter, reserved in blocks so that not every registration
//! writes it. What is left of a block when the store closes is never given; no id is given twice.

use std::collections::HashMap;
use std::ops::Range;

use patron_rules::customer::CustomerId;
use rusqlite::Connection;

use crate::{Error, TenantId};

/// How many ids are reserved at a time.
const BLOCK: i64 = 256;

/// The blocks that are reserved, by organisation.
#[derive(Default)]
pub(super) struct Ids {
    blocks: HashMap<TenantId, Range<i64>>,
    /// What the blocks of this group's organisations were before each change.
    before: Vec<(TenantId, Range<i64>)>,
}

impl Ids {
    /// The id for the organisation's next customer, until it is [`Self::give`]n.
    pub(super) fn next(
        &mut self,
        connection: &Connection,
        tenant: TenantId,
    ) -> Result<CustomerId, Error> {
        let block = self.blocks.entry(tenant).or_default();
        if block.is_empty() {
            let reserved = reserve(connection, tenant)?;
            self.before.push((tenant, std::mem::replace(block, reserved)));
        }
        Ok(CustomerId(block.start))
    }

    /// The organisation's next id belongs to a customer now.
    pub(super) fn give(&mut self, tenant: TenantId) {
        let block = self.blocks.entry(tenant).or_default();
        self.before.push((tenant, block.clone()));
        block.next();
    }

    /// How much has changed in this group.
    pub(super) fn changes(&self) -> usize {
        self.before.len()
    }

    /// Takes back whatever changed since there were so many changes: the transaction that reserved a
    /// block, or wrote a customer, was undone that far.
    pub(super) fn undo(&mut self, to: usize) {
        while self.before.len() > to
            && let Some((tenant, block)) = self.before.pop()
        {
            self.blocks.insert(tenant, block);
        }
    }

    /// The group is on disk, so that nothing of it can be undone.
    pub(super) fn keep(&mut self) {
        self.before.clear();
    }

    /// Forgets every block: a commit failed, and nobody knows for certain what of it is on disk.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

fn reserve(connection: &Connection, tenant: TenantId) -> Result<Range<i64>, Error> {
    let end: i64 = connection
        .prepare_cached(
            "UPDATE organisation SET next_customer_id = next_customer_id + ?2
             WHERE organisation_id = ?1 RETURNING next_customer_id",
        )?
        .query_row((tenant.0, BLOCK), |row| row.get(0))?;
    Ok(end.saturating_sub(BLOCK)..end)
}

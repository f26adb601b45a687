//! Ids of customers: an organisation's counter, reserved in blocks so that not every registration
//! writes it. What is left of a block when the store closes is never given; no id is given twice.

use std::collections::HashMap;
use std::ops::Range;

use patron_rules::customer::CustomerId;
use rusqlite::Connection;

use crate::{Error, TenantId};

/// The first id of an organisation.
pub(super) const FIRST: i64 = 100_000_001;
/// How many ids are reserved at a time.
const BLOCK: i64 = 256;

/// The blocks that are reserved, by organisation.
#[derive(Default)]
pub(super) struct Ids {
    blocks: HashMap<TenantId, Range<i64>>,
    reservations: u64,
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
            *block = reserve(connection, tenant)?;
            self.reservations = self.reservations.wrapping_add(1);
        }
        Ok(CustomerId(block.start))
    }

    /// The organisation's next id belongs to a customer now.
    pub(super) fn give(&mut self, tenant: TenantId) {
        self.blocks.entry(tenant).or_default().next();
    }

    /// How often a block was reserved: whatever was undone since the last time reserved none.
    pub(super) const fn reservations(&self) -> u64 {
        self.reservations
    }

    /// Forgets every block: the transaction that reserved one may have been undone.
    pub(super) fn forget(&mut self) {
        self.blocks.clear();
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

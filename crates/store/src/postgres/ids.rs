//! Ids of customers: reserved in blocks, each in a transaction of its own, so that registrations do
//! not wait for each other. What is left of a block when the process ends is never given.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use patron_rules::customer::CustomerId;

use super::connection::Connections;
use super::lock;
use crate::rows::Row as _;
use crate::{Error, TenantId};

/// How many ids are reserved at a time: enough that the commits by which that is done are few.
const BLOCK: i64 = 1_024;

/// The ids that this process may give, by organisation.
pub(super) struct Ids {
    left: Mutex<HashMap<TenantId, BTreeSet<i64>>>,
    /// Its own, since whoever takes ids has a connection already: were they to share, each might
    /// wait for another's.
    connections: Connections,
}

impl Ids {
    pub(super) fn new(connections: Connections) -> Self {
        Self { left: Mutex::default(), connections }
    }

    pub(super) fn close(&self) {
        self.connections.close();
    }

    /// So many of the lowest ids that the organisation has left. Whoever does not use them gives
    /// them back.
    pub(super) async fn take(
        &self,
        tenant: TenantId,
        count: usize,
    ) -> Result<BTreeSet<CustomerId>, Error> {
        loop {
            if let Some(taken) = self.take_reserved(tenant, count) {
                return Ok(taken);
            }
            let connection = self.connections.get().await?;
            // Whoever had the connection before may have reserved enough for both.
            if let Some(taken) = self.take_reserved(tenant, count) {
                return Ok(taken);
            }
            let wanted = BLOCK.max(i64::try_from(count).unwrap_or(BLOCK));
            let sql = "UPDATE id_block SET next_customer_id = next_customer_id + $2
                 WHERE organisation_id = $1 RETURNING next_customer_id";
            let end: Option<i64> = connection
                .first(sql, &[&tenant.0, &wanted], |row| row.number("next_customer_id"))
                .await?;
            let end = end.ok_or(Error::NoOrganisation)?;
            let mut left = lock(&self.left);
            left.entry(tenant).or_default().extend(end.saturating_sub(wanted)..end);
        }
    }

    fn take_reserved(&self, tenant: TenantId, count: usize) -> Option<BTreeSet<CustomerId>> {
        let mut all = lock(&self.left);
        let left = all.entry(tenant).or_default();
        let enough = left.len() >= count;
        enough.then(|| (0..count).filter_map(|_| left.pop_first().map(CustomerId)).collect())
    }

    /// These ids belong to nobody.
    pub(super) fn give_back(&self, tenant: TenantId, ids: impl IntoIterator<Item = CustomerId>) {
        let mut left = lock(&self.left);
        left.entry(tenant).or_default().extend(ids.into_iter().map(|id| id.0));
    }
}

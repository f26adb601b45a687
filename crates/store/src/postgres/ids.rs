//! Ids of customers: reserved in blocks, each in a transaction of its own, so that registrations do
//! not wait for each other. What is left of a block when the process ends is never given.

use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;

use patron_rules::customer::CustomerId;

use super::connection::Connections;
use super::lock;
use crate::ids::BLOCK;
use crate::{Error, TenantId};

/// The ids that this process may give, by organisation.
#[derive(Default)]
pub(super) struct Ids(Mutex<HashMap<TenantId, BTreeSet<i64>>>);

impl Ids {
    /// So many of the lowest ids that the organisation has left. Whoever does not use them gives
    /// them back.
    pub(super) async fn take(
        &self,
        connections: &Connections,
        tenant: TenantId,
        count: usize,
    ) -> Result<BTreeSet<CustomerId>, Error> {
        loop {
            if let Some(taken) = self.take_reserved(tenant, count) {
                return Ok(taken);
            }
            let wanted = BLOCK.max(i64::try_from(count).unwrap_or(BLOCK));
            let sql = "UPDATE id_block SET next_customer_id = next_customer_id + $2
                 WHERE organisation_id = $1 RETURNING next_customer_id";
            let connection = connections.get().await?;
            let end: Option<i64> = connection
                .first(sql, &[&tenant.0, &wanted], |row| Ok(row.try_get("next_customer_id")?))
                .await?;
            let end = end.ok_or(Error::NoOrganisation)?;
            let mut ids = lock(&self.0);
            ids.entry(tenant).or_default().extend(end.saturating_sub(wanted)..end);
        }
    }

    fn take_reserved(&self, tenant: TenantId, count: usize) -> Option<BTreeSet<CustomerId>> {
        let mut ids = lock(&self.0);
        let left = ids.entry(tenant).or_default();
        let enough = left.len() >= count;
        enough.then(|| (0..count).filter_map(|_| left.pop_first().map(CustomerId)).collect())
    }

    /// These ids belong to nobody.
    pub(super) fn give_back(&self, tenant: TenantId, ids: impl IntoIterator<Item = CustomerId>) {
        let mut left = lock(&self.0);
        left.entry(tenant).or_default().extend(ids.into_iter().map(|id| id.0));
    }
}

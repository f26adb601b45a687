//! Entries of the audit.

use std::ops::RangeInclusive;

use patron_rules::audit::{ChangeSet, Entry, Origin, RequestId};
use patron_rules::customer::CustomerId;
use patron_rules::organisation::{ApiClientId, CallerId, TillId};
use patron_rules::profile::Source;

use super::{Row, corrupt, from_json};
use crate::Error;
use crate::audit::{Order, Query};

/// The entry of a row in the audit.
pub(crate) fn from_row(row: &impl Row, customer: CustomerId) -> Result<Entry, Error> {
    let bytes = row.bytes("request_id")?.try_into();
    let request_id = bytes.map_err(|_| corrupt("the id of a request has not 16 bytes"))?;
    Ok(Entry {
        at: row.time("recorded_at")?,
        origin: Origin {
            request_id: RequestId(u128::from_be_bytes(request_id)),
            caller: caller(row.maybe_number("caller_till")?, row.maybe_number("caller_client")?)?,
            till: row.maybe_number("till_id")?.map(TillId),
            store: row.maybe_number("store_id")?,
            user: row.maybe_text("user_context")?.as_deref().map(from_json).transpose()?,
        },
        changes: ChangeSet {
            customer,
            source: Source::stored(row.text("source")?),
            merge: row.maybe_text("merge")?.as_deref().map(from_json).transpose()?,
            events: from_json(&row.text("events")?)?,
        },
    })
}

/// A caller as two columns: the till, the API client.
pub(crate) const fn caller_columns(caller: CallerId) -> (Option<i64>, Option<i64>) {
    match caller {
        CallerId::Till(id) => (Some(id.0), None),
        CallerId::ApiClient(id) => (None, Some(id.0)),
    }
}

fn caller(till: Option<i64>, client: Option<i64>) -> Result<CallerId, Error> {
    match (till, client) {
        (Some(id), None) => Ok(CallerId::Till(TillId(id))),
        (None, Some(id)) => Ok(CallerId::ApiClient(ApiClientId(id))),
        _ => Err(corrupt("an entry of the audit has not one caller")),
    }
}

/// The numbers of a page's entries, where all are wanted and so many are there.
pub(crate) fn numbers(query: &Query, newest: i64) -> RangeInclusive<i64> {
    let wanted = query.wanted();
    let (start, end) = (wanted.start.min(newest), wanted.end.min(newest));
    match query.order {
        Order::OldestFirst => start + 1..=end,
        Order::NewestFirst => newest - end + 1..=newest - start,
    }
}

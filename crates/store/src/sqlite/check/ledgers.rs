//! Whether balances are the sums of their ledgers.

use rusqlite::Connection;

use super::Organisations;
use crate::maintenance::{Part, Watch};
use crate::rows::ledger::describe;
use crate::sqlite::ledger;
use crate::{Error, LedgerCheck};

const NAME: &str = "ledgers";

pub(super) fn check(
    connection: &Connection,
    organisations: &Organisations,
    watch: &mut dyn Watch,
) -> Result<Part, Error> {
    watch.begin(NAME, None);
    let mut part = Part::new(NAME);
    for (tenant, _) in organisations {
        let compared = ledger::compare(connection, *tenant, &mut |told| match told {
            LedgerCheck::Progress { .. } => {}
            LedgerCheck::Difference(difference) => part.fault(|| describe(*tenant, &difference)),
            LedgerCheck::Done { customers } => part.looked_at_more(customers),
        });
        match compared {
            Err(error @ Error::Corrupt(_)) => {
                part.fault(|| format!("organisation {}: {error}", tenant.0));
            }
            compared => compared?,
        }
    }
    Ok(part)
}

//! Whether balances are the sums of their ledgers.

use rusqlite::Connection;

use super::Organisations;
use crate::maintenance::{Part, Watch};
use crate::sqlite::ledger;
use crate::{Error, LedgerCheck, LedgerDifference, TenantId};

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

fn describe(tenant: TenantId, difference: &LedgerDifference) -> String {
    let LedgerDifference { customer, programme, currency, kind, expected, found } = difference;
    format!(
        "organisation {}, customer {}: programme {}, {currency} {}: the balance is {found}, the sum \
         of its entries {expected}",
        tenant.0,
        customer.0,
        programme.0,
        kind.name(),
    )
}

//! A coupon's row.

use patron_rules::coupon::IssuedCoupon;

use super::Row;
use crate::Error;

/// The coupon of a row in the table of coupons.
pub(crate) fn from_row(row: &impl Row) -> Result<IssuedCoupon, Error> {
    Ok(IssuedCoupon {
        id: row.number("coupon_id")?,
        series: row.text("series")?,
        code: row.text("code")?,
        issued_at: row.time("issued_at")?,
        valid_till: row.maybe_time("valid_till")?,
    })
}

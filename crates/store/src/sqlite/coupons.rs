//! Coupons.

use jiff::Timestamp;
use patron_rules::coupon::{Coupon, IssuedCoupon};
use patron_rules::customer::CustomerId;
use rusqlite::{Connection, OptionalExtension, params};

use super::rows::list;
use crate::rows::coupon::from_row;
use crate::{Error, TenantId};

/// Whether a coupon has this code.
pub(super) fn is_taken(
    connection: &Connection,
    tenant: TenantId,
    code: &str,
) -> Result<bool, Error> {
    let found = connection
        .prepare_cached("SELECT 1 FROM coupon WHERE organisation_id = ?1 AND code = ?2")?
        .query_row((tenant.0, code), |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

/// The coupons of a customer and of those who were merged into them, by number.
pub(super) fn of(
    connection: &Connection,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Vec<IssuedCoupon>, Error> {
    list(
        connection,
        "SELECT coupon_id, series, code, issued_at, valid_till FROM coupon
         WHERE organisation_id = ?1 AND customer_id IN (
            SELECT ?2
            UNION ALL
            SELECT customer_id FROM customer WHERE organisation_id = ?1 AND merged_into = ?2)
         ORDER BY coupon_id",
        (tenant.0, customer.0),
        |row| from_row(row),
    )
}

/// Issues a coupon to a customer.
pub(super) fn insert(
    connection: &Connection,
    tenant: TenantId,
    customer: CustomerId,
    coupon: &Coupon,
    now: Timestamp,
) -> Result<(), Error> {
    connection
        .prepare_cached(
            "INSERT INTO coupon (
                organisation_id, code, coupon_id, customer_id, series, issued_at, valid_till)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            tenant.0,
            coupon.code,
            coupon.id,
            customer.0,
            coupon.series,
            now.as_millisecond(),
            coupon.valid_till.map(Timestamp::as_millisecond),
        ])?;
    Ok(())
}

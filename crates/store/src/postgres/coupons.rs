//! Coupons. Those of a customer who was merged are their survivor's.

use patron_rules::coupon::IssuedCoupon;
use patron_rules::customer::CustomerId;

use super::connection::Connection;
use crate::rows::coupon::from_row;
use crate::{Error, TenantId};

/// The coupons of a customer and of those who were merged into them, by number.
pub(super) async fn of(
    connection: &Connection,
    tenant: TenantId,
    customer: CustomerId,
) -> Result<Vec<IssuedCoupon>, Error> {
    let sql = "SELECT d.coupon_id, d.series, d.code, d.issued_at, d.valid_till FROM customer c
         JOIN coupon d ON d.organisation_id = $1 AND d.customer_id = c.customer_id
         WHERE c.organisation_id = $1 AND (c.customer_id = $2 OR c.merged_into = $2)
         ORDER BY d.coupon_id";
    connection.list(sql, &[&tenant.0, &customer.0], from_row).await
}

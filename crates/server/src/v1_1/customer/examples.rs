//! Requests and a reply as the specification shows them, for the OpenAPI document.

use serde_json::{Value, json};

/// A customer with a mobile number and an email address.
pub(super) fn with_mobile_and_email() -> Value {
    json!({"root": {"customer": [{
        "mobile": "917700811213",
        "email": "testing1Nee113@gmail.com",
        "external_id": "12on123",
        "firstname": "Raj",
        "lastname": "loyal",
        "updated_on": "2025-05-29 09:10:00",
        "registered_till": "rutuja_capillary",
        "associated_with": "rutuja_capillary",
        "type": "NON_LOYALTY",
        "source": "INSTORE",
        "accountId": "123456",
        "fraud_status": {"status": "Fraud_Suspected"},
        "commChannels": [{
            "type": "mobile",
            "value": "917700811213",
            "primary": "true",
            "verified": "true",
            "meta": {"residence": "true"}
        }],
        "custom_fields": {"field": [
            {"name": "City_name", "value": "Bangalore"},
            {"name": "address", "value": "BTM"}
        ]},
        "extended_fields": {"field": [{"name": "age", "value": "25"}]}
    }]}})
}

/// A customer with an external id.
pub(super) fn with_external_id() -> Value {
    json!({"root": {"customer": [{
        "external_id": "123445901",
        "registered_on": "2024-07-29 11:11:11",
        "registered_till": "till_name",
        "associated_with": "till_name"
    }]}})
}

/// What becomes of the customer with an external id.
pub(super) fn registered() -> Value {
    json!({"response": {
        "status": {
            "success": "true",
            "code": 200,
            "message": "Success",
            "total": "1",
            "success_count": "1"
        },
        "customers": {"customer": [{
            "user_id": 84_230_513,
            "firstname": "",
            "lastname": "",
            "mobile": null,
            "email": null,
            "external_id": "123445901",
            "lifetime_points": 100,
            "loyalty_points": 100,
            "current_slab": "Base",
            "tier_expiry_date": "2124-08-01 23:59:59",
            "points_summaries": {"points_summary": [{
                "programId": "1204",
                "redeemed": "0",
                "expired": "0",
                "returned": "0",
                "adjusted": "0",
                "lifetimePoints": "100",
                "loyaltyPoints": "100",
                "cumulativePurchases": "0",
                "currentSlab": "Base",
                "nextSlab": "Milestone 1",
                "nextSlabSerialNumber": "2",
                "nextSlabDescription": "Milestone 1",
                "slabSNo": "1",
                "slabExpiryDate": "2124-08-01 23:59:59",
                "totalPoints": ""
            }]},
            "lifetime_purchases": 0,
            "registered_on": "2024-08-01 02:31:17",
            "updated_on": "2024-08-01 02:31:17",
            "type": "LOYALTY",
            "source": "instore",
            "custom_fields": {"field": []},
            "extended_fields": {"field": []},
            "subscriptions": {"subscription": []},
            "side_effects": {"effect": [
                {"awarded_points": 100, "total_points": 100, "type": "points"}
            ]},
            "item_status": {
                "success": "true",
                "code": "1000",
                "message": "Customer registration successful",
                "warnings": {"warning": []}
            }
        }]}
    }})
}

//! Where tills stand: their local date-times, and the stores that extended fields name.

use serde_json::{Value, json};

use crate::app::App;

fn dates(customer: &Value) -> [&str; 2] {
    ["registered_on", "updated_on"].map(|member| customer[member].as_str().unwrap())
}

#[test]
fn date_times_are_local_to_the_calling_till() {
    let app = App::start();
    let (india, singapore) = (app.till("till.001"), app.till("till.sin"));
    let registered = json!({
        "mobile": "919876543210",
        "registered_on": "2025-05-01 09:00:00",
        "updated_on": "2025-05-02 09:00:00",
    });
    let sent = ["2025-05-01 09:00:00", "2025-05-02 09:00:00"];
    assert_eq!(dates(&singapore.add_one(&registered)), sent);
    let get = "/v1.1/customer/get?mobile=919876543210";
    assert_eq!(dates(&singapore.get(get).customer(0)), sent);
    // Two and a half hours behind.
    let seen = ["2025-05-01 06:30:00", "2025-05-02 06:30:00"];
    assert_eq!(dates(&india.get(get).customer(0)), seen);

    // The caller's zone counts, whichever till is named.
    let named = json!({
        "mobile": "919876543211",
        "registered_till": "till.sin",
        "registered_on": "2025-05-01 09:00:00",
        "updated_on": "2025-05-02 09:00:00",
    });
    assert_eq!(dates(&india.add_one(&named)), sent);
    let get = "/v1.1/customer/get?mobile=919876543211";
    assert_eq!(dates(&india.get(get).customer(0)), sent);
    // Two and a half hours ahead.
    let seen = ["2025-05-01 11:30:00", "2025-05-02 11:30:00"];
    assert_eq!(dates(&singapore.get(get).customer(0)), seen);
}

/// "tier expiry = `registered_on` date + 100 years, time 23:59:59", where the customer registered; add
/// and get reply in the caller's zone.
#[test]
fn tier_expiry_is_the_local_date_of_registration() {
    let app = App::start();
    let (india, singapore) = (app.till("till.001"), app.till("till.sin"));
    for (till, mobile, registered_till, registered_on, expiry) in [
        (&singapore, 1, "till.sin", "2025-01-01 01:00:00", "2125-01-01 23:59:59"),
        (&singapore, 2, "till.sin", "2025-01-01 23:30:00", "2125-01-01 23:59:59"),
        (&india, 3, "till.001", "2025-01-01 01:00:00", "2125-01-01 23:59:59"),
        (&india, 4, "till.sin", "2025-01-01 01:00:00", "2125-01-01 21:29:59"),
        // At that moment it is the new year in Singapore, but not in India.
        (&india, 5, "till.sin", "2024-12-31 22:00:00", "2125-01-01 21:29:59"),
    ] {
        let mobile = (919_876_543_210_u64 + mobile).to_string();
        let added = till.add_one(&json!({
            "mobile": mobile, "registered_till": registered_till, "registered_on": registered_on,
        }));
        let found = till.get(&format!("/v1.1/customer/get?mobile={mobile}")).customer(0);
        assert_eq!(added["tier_expiry_date"], expiry, "{mobile}");
        for reply in [&added, &found] {
            let summary = &reply["points_summaries"]["points_summary"][0];
            let told = (&reply["registered_on"], &summary["slabExpiryDate"]);
            assert_eq!(told, (&json!(registered_on), &json!(expiry)), "{mobile}");
        }
    }
}

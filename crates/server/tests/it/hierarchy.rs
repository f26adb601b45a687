//! Where tills stand: their local date-times, and the stores that extended fields name.

use serde_json::{Value, json};

use crate::app::App;

fn dates(customer: &Value) -> [&str; 2] {
    ["registered_on", "updated_on"].map(|member| customer[member].as_str().unwrap())
}

#[test]
fn date_times_are_local_to_the_till_that_sends_and_receives_them() {
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

    // The till that is named counts, whoever calls for it.
    let named = json!({
        "mobile": "919876543211",
        "registered_till": "till.sin",
        "registered_on": "2025-05-01 09:00:00",
        "updated_on": "2025-05-02 09:00:00",
    });
    assert_eq!(dates(&india.add_one(&named)), sent);
    let get = "/v1.1/customer/get?mobile=919876543211";
    assert_eq!(dates(&india.get(get).customer(0)), seen);
}

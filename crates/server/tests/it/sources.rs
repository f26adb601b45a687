//! Sources and their accounts, from setting them up to what a registration is told.

use patron_rules::organisation::Kind;
use serde_json::{Value, json};

use crate::admin::{DEMO, post, problem};
use crate::app::{App, code};

fn register(app: &App, mobile: u64, members: &Value) -> Value {
    let mut customer = members.clone();
    customer["mobile"] = mobile.into();
    app.till("till.001").add_one(&customer)
}

#[test]
fn a_source_is_set_up_and_taken_out_of_use() {
    let app = App::start();
    let operator = app.operator();
    let kiosk = json!({"source": "kiosk"});
    assert_eq!(code(&register(&app, 919_876_543_210, &kiosk)), "10001");
    let made = post(&operator, &format!("{DEMO}/sources"), &json!({"name": "KIOSK"}));
    assert_eq!(made.status, 201, "{}", made.text);
    let registered = register(&app, 919_876_543_210, &kiosk);
    assert_eq!((code(&registered).as_str(), &registered["source"]), ("1000", &json!("kiosk")));
    let path = format!("{DEMO}/sources/KIOSK");
    assert_eq!(operator.request("DELETE", &path, &[], &Value::Null).status, 200);
    let refused = register(&app, 919_876_543_211, &kiosk);
    assert_eq!(code(&refused), "10001");
    let message = refused["item_status"]["message"].as_str().unwrap();
    assert!(message.contains("/root/customer/0/source"), "{message}");
}

/// One that every organisation has is refused once it is out of use here.
#[test]
fn a_documented_source_can_be_taken_out_of_use() {
    let app = App::start();
    let wechat = json!({"source": "WeChat", "accountId": "any"});
    assert_eq!(code(&register(&app, 919_876_543_210, &wechat)), "1000");
    app.set_up(Kind::Sources, &json!({"name": "WECHAT"}));
    assert_eq!(code(&register(&app, 919_876_543_211, &wechat)), "1000");
    app.set_active(Kind::Sources, "WECHAT", false);
    assert_eq!(code(&register(&app, 919_876_543_212, &wechat)), "10001");
}

#[test]
fn an_account_is_one_of_the_sources() {
    let app = App::start();
    let accounts = json!([{"id": "wx-1"}, {"id": "wx-2", "is_active": false}]);
    app.set_up(Kind::Sources, &json!({"name": "WECHAT", "accounts": accounts}));
    for (account, wanted) in [
        (json!("wx-1"), "1000"),
        (json!("wx-2"), "10001"),
        (json!("x"), "10001"),
        (json!(null), "1000"),
    ] {
        let sent = json!({"source": "WECHAT", "accountId": account});
        let told = register(&app, 919_876_543_210, &sent);
        assert_eq!(code(&told), wanted, "{account}");
        if wanted == "10001" {
            let message = told["item_status"]["message"].as_str().unwrap();
            assert!(message.contains("/root/customer/0/accountId"), "{message}");
        }
    }
    app.set_up(
        Kind::Sources,
        &json!({"name": "WECHAT", "accounts": accounts, "requires_account": true}),
    );
    assert_eq!(code(&register(&app, 919_876_543_210, &json!({"source": "WECHAT"}))), "10001");
}

/// What something else is made for stays in use.
#[test]
fn a_source_that_is_needed_stays() {
    let app = App::start();
    app.set_up(Kind::Sources, &json!({"name": "KIOSK"}));
    let rule = json!({
        "name": "kiosk", "when": {"sources": ["KIOSK"]}, "effects": [{"type": "points", "points": 1}],
    });
    app.set_up(Kind::RewardRules, &rule);
    let path = format!("{DEMO}/sources/KIOSK");
    let refused = problem(&app.operator().request("DELETE", &path, &[], &Value::Null), 422);
    assert_eq!(refused["errors"][0]["pointer"], "/when/sources/0");
    assert_eq!(refused["errors"][0]["name"], "kiosk");
}

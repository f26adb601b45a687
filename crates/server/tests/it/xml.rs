//! Requests and replies in XML.

use serde_json::{Value, json};

use crate::app::{App, Client, Reply};

const ADD: &str = "/v1.1/customer/add";
const XML: &str = "application/xml";
const PROLOG: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>";

const MOBILE_EMAIL: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<root>
  <customer>
    <mobile>917700811213</mobile>
    <email>testing1Nee113@gmail.com</email>
    <external_id>12on123</external_id>
    <firstname>Raj</firstname>
    <lastname>loyal</lastname>
    <updated_on>2025-05-29 09:10:00</updated_on>
    <registered_till>rutuja_capillary</registered_till>
    <associated_with>rutuja_capillary</associated_with>
    <type>NON_LOYALTY</type>
    <source>INSTORE</source>
    <accountId>123456</accountId>
    <fraud_status><status>Fraud_Suspected</status></fraud_status>
    <commChannels>
      <type>mobile</type>
      <value>917700811213</value>
      <primary>true</primary>
      <verified>true</verified>
      <meta><residence>true</residence></meta>
    </commChannels>
    <custom_fields>
      <field><name>City_name</name><value>Bangalore</value></field>
      <field><name>address</name><value>BTM</value></field>
    </custom_fields>
    <extended_fields>
      <field><name>age</name><value>25</value></field>
    </extended_fields>
  </customer>
</root>"#;

const EXTERNAL_ID: &str = "<root><customer>\
    <external_id>123445901</external_id>\
    <registered_on>2024-07-29 11:11:11</registered_on>\
    <registered_till>till_name</registered_till>\
    <associated_with>till_name</associated_with>\
    </customer></root>";

fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/specification/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// Sends XML and has the reply in JSON, which is easier to look at.
fn add(till: &Client, body: &[u8]) -> Reply {
    till.post_for(ADD, XML, "application/json", body)
}

fn message(reply: &Reply) -> String {
    let message = reply.response_status()["message"].as_str().unwrap().to_owned();
    let text = "Input is invalid, Please check request parameters or input xml/json: ";
    message.strip_prefix(text).unwrap_or(&message).to_owned()
}

/// A document with a line for each tag, but for elements without any inside.
fn lines(document: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in document.replace("><", ">\n<").lines() {
        match lines.last_mut() {
            Some(before) if line.strip_prefix("</") == before.strip_prefix('<') => {
                before.push_str(line);
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines.join("\n")
}

/// One bad customer among good ones.
fn wrapped(customer: &str) -> String {
    format!("<root>{customer}<customer><mobile>919876543219</mobile></customer></root>")
}

#[test]
fn the_sample_requests_give_the_same_customers() {
    for (xml, sample, till) in [
        (MOBILE_EMAIL, "request-mobile-email.json", "rutuja_capillary"),
        (EXTERNAL_ID, "request-external-id.json", "till_name"),
    ] {
        let in_xml = add(&App::start().till(till), xml.as_bytes());
        let in_json = App::start().till(till).add_text(&fixture(sample));
        assert_eq!(in_xml.codes(), ["1000"]);
        assert_eq!(in_xml.text, in_json.text);
    }
}

#[test]
fn a_reply() {
    let app = App::start();
    let body = wrapped("<customer><firstname>A &amp; B</firstname></customer>");
    let reply = app.till("till.001").post(ADD, XML, body.as_bytes());
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("Content-Type"), "application/xml;charset=UTF-8");
    insta::assert_snapshot!(lines(&reply.text), @r#"
    <?xml version="1.0" encoding="UTF-8" ?>
    <response>
    <status>
    <success>true</success>
    <code>201</code>
    <message>Some requests have failed due to errors</message>
    <total>2</total>
    <success_count>1</success_count>
    </status>
    <customers>
    <customer>
    <mobile></mobile>
    <email></email>
    <external_id></external_id>
    <firstname>A &amp; B</firstname>
    <lastname></lastname>
    <item_status>
    <success>false</success>
    <code>1007</code>
    <message>Error in customer registration: No Valid Mobile Number or External ID or Email provided required for registration</message>
    <warnings></warnings>
    </item_status>
    </customer>
    <customer>
    <user_id>100000001</user_id>
    <firstname></firstname>
    <lastname></lastname>
    <mobile>919876543219</mobile>
    <email></email>
    <external_id></external_id>
    <lifetime_points>100</lifetime_points>
    <loyalty_points>100</loyalty_points>
    <current_slab>Base</current_slab>
    <tier_expiry_date>2126-01-15 23:59:59</tier_expiry_date>
    <points_summaries>
    <points_summary>
    <programId>469</programId>
    <redeemed>0</redeemed>
    <expired>0</expired>
    <returned>0</returned>
    <adjusted>0</adjusted>
    <lifetimePoints>100</lifetimePoints>
    <loyaltyPoints>100</loyaltyPoints>
    <cumulativePurchases>0</cumulativePurchases>
    <currentSlab>Base</currentSlab>
    <nextSlab>Bronze</nextSlab>
    <nextSlabSerialNumber>2</nextSlabSerialNumber>
    <nextSlabDescription>Tier 2</nextSlabDescription>
    <slabSNo>1</slabSNo>
    <slabExpiryDate>2126-01-15 23:59:59</slabExpiryDate>
    <totalPoints></totalPoints>
    </points_summary>
    </points_summaries>
    <lifetime_purchases>0</lifetime_purchases>
    <registered_on>2026-01-15 10:30:00</registered_on>
    <updated_on>2026-01-15 10:30:00</updated_on>
    <type>LOYALTY</type>
    <source>instore</source>
    <custom_fields></custom_fields>
    <extended_fields></extended_fields>
    <subscriptions></subscriptions>
    <side_effects>
    <effect>
    <awarded_points>100</awarded_points>
    <total_points>100</total_points>
    <type>points</type>
    </effect>
    </side_effects>
    <item_status>
    <success>true</success>
    <code>1000</code>
    <message>Customer registration successful</message>
    <warnings></warnings>
    </item_status>
    </customer>
    </customers>
    </response>
    "#);
}

/// "`format` … overrides", then `Accept`, then the request's own format.
#[test]
fn the_format_of_a_reply() {
    let app = App::start();
    let till = app.till("till.001");
    let json = br#"{"root": {"customer": {"mobile": "919876543210"}}}"#.as_slice();
    let xml = b"<root><customer><mobile>919876543210</mobile></customer></root>".as_slice();
    for (query, content_type, accept, body, in_xml) in [
        ("", XML, "*/*", xml, true),
        ("", "text/xml", "*/*", xml, true),
        ("", XML, "application/json", xml, false),
        ("?format=xml", "text/plain", "application/json", xml, true),
        ("?format=json", XML, "application/xml", json, false),
        ("", "application/json", "application/xml", json, true),
        ("", "application/json", "application/xml;q=0.5, */*", json, false),
        ("", "", "*/*", json, false),
    ] {
        let reply = till.post_for(&format!("{ADD}{query}"), content_type, accept, body);
        assert_eq!(reply.status, 200, "{query} {content_type} {accept}: {}", reply.text);
        assert_eq!(reply.text.starts_with(PROLOG), in_xml, "{query} {content_type} {accept}");
    }
}

#[test]
fn every_error_has_the_envelope() {
    let app = App::with(|config| config.body_limit_bytes = 1_000);
    let till = app.till("till.001");
    let large = "x".repeat(2_000);
    for (reply, status) in [
        (till.post(ADD, XML, b"<root>"), 400),
        (app.anonymous().post(ADD, XML, b"<root/>"), 401),
        (till.post("/v1.1/customer/nothing", XML, b""), 404),
        (till.get("/v1.1/customer/add?format=xml"), 405),
        (till.post(ADD, XML, large.as_bytes()), 413),
        (till.post_for(ADD, "text/plain", XML, b""), 415),
    ] {
        assert_eq!(reply.status, status);
        assert_eq!(reply.header("Content-Type"), "application/xml;charset=UTF-8");
        assert!(
            reply.text.starts_with(&format!(
                "{PROLOG}<response><status><success>false</success><code>{status}</code><message>"
            )),
            "{}",
            reply.text
        );
        assert!(reply.text.ends_with(
            "</message><total>0</total><success_count>0</success_count></status><customers></customers></response>"
        ), "{}", reply.text);
        assert_eq!(reply.header("X-Cap-Requestid").len(), 32);
    }
}

#[test]
fn one_wrong_customer_leaves_its_neighbours() {
    let app = App::start();
    let till = app.till("till.001");
    let digits = "9".repeat(400);
    let attributes: Vec<String> = (0..5_000).map(|n| format!(" a{n}='x'")).collect();
    let attributes = attributes.concat();
    for (customer, code) in [
        ("<customer><email><a/></email></customer>".to_owned(), "10001"),
        ("<customer><mobile>1</mobile><mobile>2</mobile></customer>".to_owned(), "10001"),
        ("<customer>919876543210</customer>".to_owned(), "10001"),
        ("<customer/>".to_owned(), "1007"),
        (format!("<customer><mobile>{digits}</mobile></customer>"), "1001"),
        (format!("<customer><external_id>{digits}</external_id></customer>"), "1003"),
        (format!("<customer{attributes}><mobile>919876543210</mobile></customer>"), "1000"),
        ("<customer><email>&lt;b&gt;@example.com</email></customer>".to_owned(), "1002"),
    ] {
        let reply = add(&till, wrapped(&customer).as_bytes());
        assert_eq!(reply.codes(), [code, "1000"], "{customer}");
    }
    let reply = add(&till, b"<root><customer/><customer><email><a/></email></customer></root>");
    let text = reply.customer(1)["item_status"]["message"].as_str().unwrap().to_owned();
    assert!(text.ends_with("expected a text, found elements at /root/customer/1/email"), "{text}");
}

#[test]
fn hostile_bodies_are_refused_at_their_place() {
    let app = App::start();
    let till = app.till("till.001");
    let laughs = "<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol2 \"&lol;&lol;&lol;&lol;\">]>\n\
        <root><customer><firstname>&lol2;</firstname></customer></root>";
    let external = "<?xml version=\"1.0\"?>\n\
        <!DOCTYPE root [<!ENTITY file SYSTEM \"file:///etc/passwd\">]>\n\
        <root><customer><firstname>&file;</firstname></customer></root>";
    let deep = format!("<root>{}{}</root>", "<a>".repeat(10_000), "</a>".repeat(10_000));
    for (body, place) in [
        (laughs.as_bytes(), "a document type is not allowed at line 1 column 1"),
        (external.as_bytes(), "a document type is not allowed at line 2 column 1"),
        (
            b"<root>\n<customer>&file;",
            "an entity that XML does not predefine is not allowed at line 2 column 11",
        ),
        (deep.as_bytes(), "nested too deep (32 levels are allowed) at line 1 column 100"),
        (
            b"<?xml version='1.0' encoding='UTF-8'?>\n<customer>\xff",
            "the body is not UTF-8 at line 2 column 11",
        ),
        (
            b"<root>\n<customer></root>",
            "ill-formed document: expected `</customer>`, but `</root>` was found at line 2 column 11",
        ),
    ] {
        let reply = add(&till, body);
        assert_eq!(reply.status, 400, "{place}");
        assert_eq!(message(&reply), place);
        assert_eq!(reply.json()["response"]["customers"], Value::Null);
    }
}

#[test]
fn other_encodings() {
    let app = App::start();
    let till = app.till("till.001");
    let utf_16: Vec<u8> = "\u{feff}<root><customer><mobile>919876543210</mobile><firstname>José</firstname></customer></root>"
        .encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin = b"<root><customer><mobile>919876543210</mobile><firstname>Jos\xe9</firstname></customer></root>".as_slice();
    let declared = [b"<?xml version='1.0' encoding='ISO-8859-1'?>", latin].concat();
    for (content_type, body) in [
        (XML, utf_16.as_slice()),
        ("application/xml; charset=utf-16", utf_16.as_slice()),
        ("application/xml; charset=ISO-8859-1", latin),
        (XML, declared.as_slice()),
    ] {
        let reply = till.post_for(ADD, content_type, "application/json", body);
        assert_eq!(reply.customer(0)["firstname"], json!("José"), "{content_type}");
    }
}

#[test]
fn the_batch_limit_counts_all() {
    let app = App::start();
    let body = format!("<root>{}</root>", "<customer/>".repeat(2_000));
    let reply = add(&app.till("till.001"), body.as_bytes());
    assert_eq!(reply.status, 400);
    assert_eq!(reply.response_status()["total"], json!("2000"));
}

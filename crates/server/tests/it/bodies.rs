//! Bodies of requests: content codings, character encodings, and what is said of a body in another format.

use std::io::Read;

use flate2::Compression;
use flate2::read::{GzEncoder, ZlibEncoder};
use serde_json::json;

use crate::app::{App, Client, Reply};

const ADD: &str = "/v1.1/customer/add";
const JSON: &str = "application/json";
const XML: &str = "application/xml";

fn message(reply: &Reply) -> String {
    let message = reply.response_status()["message"].as_str().unwrap().to_owned();
    let texts = [
        "Input is invalid, Please check request parameters or input xml/json",
        "Unsupported media type",
    ];
    let rest = texts.iter().find_map(|text| message.strip_prefix(&format!("{text}: ")));
    rest.unwrap_or(&message).to_owned()
}

fn whole(mut reader: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

fn gzip(body: &[u8]) -> Vec<u8> {
    whole(GzEncoder::new(body, Compression::default()))
}

fn coded(app: &App, coding: &str) -> Client {
    app.till("till.001").with_header("Content-Encoding", coding)
}

#[test]
fn content_codings_are_undone() {
    let app = App::start();
    let json = br#"{"root": {"customer": {"mobile": "919876543210"}}}"#.as_slice();
    let xml = b"<root><customer><mobile>919876543210</mobile></customer></root>".as_slice();
    for (coding, content_type, body) in [
        ("gzip", JSON, gzip(json)),
        ("x-gzip", JSON, gzip(json)),
        ("GZIP", XML, gzip(xml)),
        ("deflate", JSON, whole(ZlibEncoder::new(json, Compression::best()))),
        ("identity", JSON, json.to_owned()),
        ("", XML, xml.to_owned()),
        ("utf-8", JSON, json.to_owned()),
    ] {
        let reply = coded(&app, coding).post_for(ADD, content_type, JSON, &body);
        assert_eq!(reply.status, 200, "{coding}: {}", reply.text);
        assert_eq!(reply.codes(), ["1000"], "{coding}");
    }
}

#[test]
fn a_repeat_with_another_content_coding_is_a_repeat() {
    let app = App::start();
    let body = br#"{"root": {"customer": {"mobile": "919876543210"}}}"#;
    let once = |client: Client| client.with_header("Idempotency-Key", "1");
    let first = once(app.till("till.001")).post(ADD, JSON, body);
    let again = once(coded(&app, "gzip")).post(ADD, JSON, &gzip(body));
    assert_eq!((again.status, again.header("Idempotent-Replayed")), (200, "true"));
    assert_eq!(again.text, first.text);
}

#[test]
fn rejects_content_codings_that_cannot_be_undone() {
    let app = App::with(|config| config.body_limit_bytes = 10_000);
    let body = br#"{"root": {"customer": {"mobile": "919876543210"}}}"#;
    let bomb = gzip(&b" ".repeat(1_000_000));
    assert!(bomb.len() < 2_000);
    for (coding, body, status, expected) in [
        ("br", body.to_vec(), 415, "`Content-Encoding` takes gzip, deflate or identity"),
        (
            "gzip, gzip",
            gzip(&gzip(body)),
            415,
            "`Content-Encoding` takes gzip, deflate or identity",
        ),
        ("gzip", body.to_vec(), 400, "the body is not gzip, as `Content-Encoding` says"),
        (
            "gzip",
            gzip(body)[..20].to_vec(),
            400,
            "the body is not gzip, as `Content-Encoding` says",
        ),
        (
            "deflate",
            b"\xff\xff".to_vec(),
            400,
            "the body is not deflate, as `Content-Encoding` says",
        ),
        ("gzip", bomb, 413, "Request body is too large: at most 10000 bytes"),
    ] {
        let reply = coded(&app, coding).post(ADD, JSON, &body);
        assert_eq!((reply.status, message(&reply).as_str()), (status, expected), "{coding}");
    }
    let operator = app.operator().with_header("Content-Encoding", "br");
    let path = "/admin/api/v1/organisations/demo/stores";
    let problem = operator.request("POST", path, &[], &json!({"name": "x"}));
    assert_eq!(problem.status, 415);
    assert_eq!(problem.json()["detail"], "`Content-Encoding` takes gzip, deflate or identity");
    let anonymous = app.anonymous().with_header("Content-Encoding", "br");
    let token = anonymous.post("/v3/oauth/token/generate", JSON, b"{}");
    assert_eq!(token.status, 415);
    assert!(token.text.contains("`Content-Encoding` takes gzip, deflate or identity"));
}

#[test]
fn character_encodings_are_decoded() {
    let app = App::start();
    let till = app.till("till.001");
    let in_json = |name: &[u8]| {
        let parts: [&[u8]; 3] = [
            br#"{"root": {"customer": {"mobile": "919876543210", "firstname": ""#,
            name,
            br#""}}}"#,
        ];
        parts.concat()
    };
    let in_xml = |name: &[u8]| {
        let parts: [&[u8]; 3] = [
            b"<root><customer><mobile>919876543210</mobile><firstname>",
            name,
            b"</firstname></customer></root>",
        ];
        parts.concat()
    };
    let (utf_8, latin) = ("José".as_bytes(), b"Jos\xe9".as_slice());
    let utf_16 = |text: Vec<u8>| -> Vec<u8> {
        let text = format!("\u{feff}{}", String::from_utf8(text).unwrap());
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    for (content_type, body) in [
        ("application/json; charset=iso-8859-1", in_json(latin)),
        ("application/json;charset=\"Windows-1252\"", in_json(latin)),
        // JSON is UTF-8, whatever its media type says.
        ("application/json; charset=iso-8859-1", in_json(utf_8)),
        ("application/json; charset=klingon", in_json(utf_8)),
        ("application/json; charset=", in_json(utf_8)),
        (JSON, utf_16(in_json(utf_8))),
        (XML, in_xml(latin)),
        ("application/xml; charset=latin1", in_xml(latin)),
        ("application/xml; charset=''", in_xml(utf_8)),
        (XML, [b"<?xml version='1.0'?>".as_slice(), &in_xml(latin)].concat()),
        (XML, utf_16(in_xml(utf_8))),
    ] {
        let reply = till.post_for(ADD, content_type, JSON, &body);
        assert_eq!(reply.status, 200, "{content_type}: {}", reply.text);
        assert_eq!(reply.customer(0)["firstname"], "José", "{content_type}");
    }
    for (content_type, body, expected) in [
        (
            JSON,
            in_json(latin),
            "`Content-Type` names no `charset`, and the body is not UTF-8 at line 1 column 67",
        ),
        (
            "application/json; charset=utf-8",
            in_json(latin),
            "the body is not UTF-8 at line 1 column 67",
        ),
        (
            "application/json; charset=klingon",
            in_json(latin),
            "the encoding `klingon` is not known at line 1 column 1",
        ),
    ] {
        let reply = till.post(ADD, content_type, &body);
        assert_eq!((reply.status, message(&reply).as_str()), (400, expected), "{content_type}");
    }
}

#[test]
fn a_body_in_another_format_is_recognised() {
    const IS_JSON: &str =
        "this looks like JSON; send `format=json` or `Content-Type: application/json`";
    const IS_XML: &str =
        "this looks like XML; send `format=xml` or `Content-Type: application/xml`";
    const IS_FORM: &str = "this looks like a form; send JSON or XML as the whole body";
    const IS_MULTIPART: &str =
        "this looks like a multipart form; send JSON or XML as the whole body";
    const FORM: &str = "application/x-www-form-urlencoded";
    const MULTIPART: &str = "multipart/form-data; boundary=x";
    let app = App::start();
    let till = app.till("till.001");
    let json = br#" {"root": {"customer": {"mobile": "919876543210"}}}"#.as_slice();
    let xml = b"<root><customer><mobile>919876543210</mobile></customer></root>".as_slice();
    let form = b"mobile=919876543210&firstname=Asha".as_slice();
    let multipart = b"--x\r\nContent-Disposition: form-data; name=\"mobile\"\r\n".as_slice();
    let zipped = gzip(json);
    for (query, content_type, body, status, expected) in [
        ("?format=xml", JSON, json, 400, IS_JSON),
        ("", XML, json, 400, IS_JSON),
        ("?format=json", XML, xml, 400, IS_XML),
        ("", JSON, xml, 400, IS_XML),
        ("?format=json", FORM, form, 400, IS_FORM),
        ("?format=xml", FORM, form, 400, IS_FORM),
        ("", FORM, form, 415, IS_FORM),
        ("", FORM, json, 415, IS_JSON),
        ("", "text/plain", xml, 415, IS_XML),
        ("?format=csv", JSON, json, 415, IS_JSON),
        ("", MULTIPART, multipart, 415, IS_MULTIPART),
        ("?format=json", MULTIPART, multipart, 400, IS_MULTIPART),
        ("", JSON, &zipped, 400, "this looks like gzip; send `Content-Encoding: gzip`"),
        (
            "",
            JSON,
            b"919876543210",
            400,
            "the body is no object with the member `root` at line 1 column 1",
        ),
    ] {
        let reply = till.post_for(&format!("{ADD}{query}"), content_type, JSON, body);
        let text = if reply.text.starts_with('<') {
            let (_, rest) = reply.text.split_once(": ").unwrap();
            rest.split_once("</message>").unwrap().0.to_owned()
        } else {
            message(&reply)
        };
        assert_eq!((reply.status, text.as_str()), (status, expected), "{query} {content_type}");
    }
    for (body, expected) in [
        (form, "this looks like a form; send JSON"),
        (xml, "this looks like XML; send JSON"),
        (&zipped, "this looks like gzip; send `Content-Encoding: gzip`"),
    ] {
        let token = app.anonymous().post("/v3/oauth/token/generate", FORM, body);
        assert_eq!(token.status, 400);
        assert!(token.text.contains(expected), "{}", token.text);
        let path = "/admin/api/v1/organisations/demo/stores";
        let problem = app.operator().post(path, JSON, body);
        assert_eq!((problem.status, &problem.json()["detail"]), (400, &json!(expected)));
    }
}

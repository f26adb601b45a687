//! Any bytes as an XML body: read or refused, never a panic, and no customer is lost.

#![no_main]

use libfuzzer_sys::fuzz_target;
use patron_server::v1_1::customer::encoding::text;
use patron_server::v1_1::customer::request_xml::decode;
use patron_server::v1_1::format::Format;

fuzz_target!(|body: &[u8]| {
    for charset in [None, Some("iso-8859-1"), Some("utf-16")] {
        let Ok(text) = text(body, Format::Xml, charset) else { continue };
        if let Ok(batch) = decode(&text) {
            for strict in [false, true] {
                assert_eq!(batch.customers(strict).len(), batch.count);
            }
        }
    }
});

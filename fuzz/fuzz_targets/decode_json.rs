//! Any bytes as a JSON body: read or refused, never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use patron_server::v1_1::customer::encoding::text;
use patron_server::v1_1::customer::request::decode;
use patron_server::v1_1::format::Format;

fuzz_target!(|body: &[u8]| {
    for charset in [None, Some("iso-8859-1")] {
        let Ok(text) = text(body, Format::Json, charset) else { continue };
        if let Ok(batch) = decode(&text) {
            for strict in [false, true] {
                assert!(batch.customers(strict).len() <= batch.count);
            }
        }
    }
});

//! Any bytes as a JSON body: read or refused, never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;
use patron_server::v1_1::customer::request::decode;

fuzz_target!(|body: &[u8]| {
    if let Ok(batch) = decode(body) {
        for strict in [false, true] {
            assert!(batch.customers(strict).len() <= batch.count);
        }
    }
});

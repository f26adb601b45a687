//! Any bytes as a JSON body: read or refused, never a panic, and each customer has its place.

#![no_main]

use libfuzzer_sys::fuzz_target;
use patron_server::v1_1::customer::request::decode;

fuzz_target!(|body: &[u8]| {
    if let Ok(batch) = decode(body) {
        for strict in [false, true] {
            assert_eq!(batch.submissions(strict).len(), batch.places().len());
        }
        assert!(batch.count >= batch.places().len());
    }
});

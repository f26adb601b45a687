//! Any customers under any settings: no panic, no identifier of two customers, and ledgers that add
//! up.

#![no_main]

use arbitrary::Arbitrary;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use patron_rules::settings::{Settings, TABLE};
use patron_rules::submission::Submission;

#[path = "../../crates/rules/tests/laws/registry.rs"]
mod registry;

#[derive(Debug, Arbitrary)]
struct Input {
    settings: Vec<(u8, Value)>,
    customers: Vec<Customer>,
}

#[derive(Debug, Arbitrary)]
enum Value {
    Off,
    On,
    Mobile,
    Email,
    ExternalId,
    India,
    Generic,
    Refuse,
    Drop,
    Text(String),
}

impl Value {
    fn text(&self) -> &str {
        match self {
            Self::Off => "0",
            Self::On => "1",
            Self::Mobile => "MOBILE",
            Self::Email => "EMAIL",
            Self::ExternalId => "EXTERNAL_ID",
            Self::India => "IN",
            Self::Generic => "GENERIC",
            Self::Refuse => "REFUSE",
            Self::Drop => "DROP",
            Self::Text(text) => text,
        }
    }
}

/// An identifier that others may have as well, or any text.
#[derive(Debug, Arbitrary)]
enum Identifier {
    Shared(u8),
    Text(String),
}

#[derive(Debug, Arbitrary)]
struct Customer {
    mobile: Option<Identifier>,
    email: Option<Identifier>,
    external_id: Option<Identifier>,
    first_name: Option<String>,
    customer_type: Option<u8>,
    source: Option<String>,
    registered_on: Option<String>,
    updated_on: Option<String>,
    till: Option<String>,
    fraud_status: Option<String>,
}

fn submission(customer: Customer) -> Submission {
    let identifier = |sent: Option<Identifier>, shared: fn(u8) -> String| {
        let text = |identifier| match identifier {
            Identifier::Shared(number) => shared(number % 4),
            Identifier::Text(text) => text,
        };
        sent.map(text).filter(|text| !text.trim().is_empty())
    };
    let types = ["LOYALTY", "NON_LOYALTY", "NOT_INTERESTED", "gold"];
    Submission {
        mobile: identifier(customer.mobile, |number| format!("91987654321{number}")),
        email: identifier(customer.email, |number| format!("{number}@b.in")),
        external_id: identifier(customer.external_id, |number| number.to_string()),
        first_name: customer.first_name,
        customer_type: customer
            .customer_type
            .map(|number| types[usize::from(number) % types.len()].to_owned()),
        source: customer.source,
        registered_on: customer.registered_on,
        updated_on: customer.updated_on,
        registered_till: customer.till,
        fraud_status: customer.fraud_status,
        ..Submission::default()
    }
}

fuzz_target!(|input: Input| {
    let mut settings = Settings::default();
    for (row, value) in &input.settings {
        let name = TABLE[usize::from(*row) % TABLE.len()].name;
        if let Ok(changed) = settings.with([(name, value.text())]) {
            settings = changed;
        }
    }
    let mut registry = registry::Registry::new(settings);
    for (second, customer) in (0..).zip(input.customers.into_iter().take(30)) {
        let now = Timestamp::from_second(1_760_000_000 + second).unwrap();
        registry.register(&submission(customer), now);
        registry.check();
    }
});

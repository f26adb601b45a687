//! Any customers under any settings, which change between them: no panic, no identifier of two
//! customers, ledgers that add up, and nothing lost that was known.

#![no_main]

use arbitrary::Arbitrary;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use patron_rules::settings::{Settings, TABLE};
use patron_rules::submission::{
    Kept, Submission, SubmittedChannel, SubmittedField, SubmittedSubscription, SubmittedValue,
};

#[path = "../../crates/rules/tests/laws/registry/mod.rs"]
mod registry;

/// The most requests of one organisation: each law looks at all customers.
const REQUESTS: usize = 30;

#[derive(Debug, Arbitrary)]
enum Request {
    Change(Vec<(u8, Value)>),
    Register(Box<Customer>),
}

#[derive(Debug, Arbitrary)]
enum Value {
    Off,
    On,
    Mobile,
    Email,
    ExternalId,
    India,
    Singapore,
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
            Self::Singapore => "SG",
            Self::Generic => "GENERIC",
            Self::Refuse => "REFUSE",
            Self::Drop => "DROP",
            Self::Text(text) => text,
        }
    }
}

/// One of a few that mean something here, or any text.
#[derive(Debug, Arbitrary)]
enum Word {
    Shared(u8),
    Text(String),
}

impl Word {
    fn text(self, shared: &[&str]) -> String {
        match self {
            Self::Shared(number) => shared[usize::from(number) % shared.len()].to_owned(),
            Self::Text(text) => text,
        }
    }
}

/// What of a word is passed.
fn sent(word: Option<Word>, shared: &[&str]) -> Option<String> {
    word.map(|word| word.text(shared)).filter(|text| !text.trim().is_empty())
}

#[derive(Debug, Arbitrary)]
struct Customer {
    mobile: Option<Word>,
    email: Option<Word>,
    external_id: Option<Word>,
    first_name: Option<String>,
    customer_type: Option<Word>,
    source: Option<Word>,
    account_id: Option<Word>,
    registered_on: Option<String>,
    updated_on: Option<String>,
    till: Option<Word>,
    fraud_status: Option<Word>,
    referral_code: Option<Word>,
    test_control_status: Option<Word>,
    channels: Vec<Channel>,
    subscriptions: Vec<[Option<Word>; 4]>,
    custom_fields: Vec<Field>,
    extended_fields: Vec<Field>,
}

#[derive(Debug, Arbitrary)]
struct Channel {
    kind: Option<Word>,
    value: Option<Word>,
    flags: [Option<Word>; 4],
    last_viewed: Option<String>,
}

#[derive(Debug, Arbitrary)]
struct Field {
    name: Word,
    value: Option<Word>,
}

const MOBILES: &[&str] =
    &["919876543210", "9876543210", "919876543211", "919876543212", "81234567"];
const EMAILS: &[&str] = &["a@b.in", "A@b.in", "c@b.in", "d@b.in"];
const FLAGS: &[&str] = &["true", "0", "perhaps"];

fn channel((index, channel): (usize, Channel)) -> SubmittedChannel {
    let [primary, verified, residence, office] = channel.flags.map(|flag| sent(flag, FLAGS));
    SubmittedChannel {
        index,
        kind: sent(channel.kind, &["mobile", "email", "wechat", "pigeon"]),
        value: sent(channel.value, &[MOBILES, EMAILS].concat()),
        primary,
        verified,
        residence,
        office,
        last_viewed: channel.last_viewed,
    }
}

fn subscription(
    [channel, priority, scope, is_subscribed]: [Option<Word>; 4],
) -> SubmittedSubscription {
    SubmittedSubscription {
        channel: sent(channel, &["sms", "email", "fax"]),
        priority: sent(priority, &["TRANS", "BULK"]),
        scopes: sent(scope, &["all", "shop"]).into_iter().collect(),
        is_subscribed: sent(is_subscribed, &["0", "1"]),
    }
}

fn field(Field { name, value }: Field) -> SubmittedField {
    let value = match value {
        None => SubmittedValue::NotPassed,
        Some(Word::Shared(0)) => SubmittedValue::Malformed,
        Some(word) => SubmittedValue::Text(word.text(&["1", "44", "[\"a\", \"b\"]"])),
    };
    SubmittedField { name: name.text(&["size", "age", "AGE", "colour"]), value }
}

fn submission(customer: Customer) -> Submission {
    Submission {
        mobile: sent(customer.mobile, MOBILES),
        email: sent(customer.email, EMAILS),
        external_id: sent(customer.external_id, &["A", "B", "C", "919876543210"]),
        first_name: customer.first_name,
        customer_type: sent(
            customer.customer_type,
            &["LOYALTY", "NON_LOYALTY", "NOT_INTERESTED", "gold"],
        ),
        source: sent(customer.source, &["INSTORE", "WECHAT", "MOBILE_APP", "kiosk"]),
        account_id: sent(customer.account_id, &["a", "b"]),
        registered_on: customer.registered_on,
        updated_on: customer.updated_on,
        registered_till: sent(customer.till, &["till"]),
        fraud_status: sent(customer.fraud_status, &["CONFIRMED", "NONE"]),
        referral_code: sent(customer.referral_code, MOBILES),
        kept: Kept {
            test_control_status: sent(customer.test_control_status, &["TEST"]),
            ..Kept::default()
        },
        channels: customer.channels.into_iter().enumerate().map(channel).collect(),
        subscriptions: customer.subscriptions.into_iter().map(subscription).collect(),
        custom_fields: customer.custom_fields.into_iter().map(field).collect(),
        extended_fields: customer.extended_fields.into_iter().map(field).collect(),
        ..Submission::default()
    }
}

fuzz_target!(|requests: Vec<Request>| {
    let settings = Settings::default().with([("COUNTRY", "IN")]).unwrap();
    let mut registry = registry::Registry::new(settings);
    for (second, request) in (0..).zip(requests.into_iter().take(REQUESTS)) {
        let now = Timestamp::from_second(1_760_000_000 + second).unwrap();
        match request {
            Request::Register(customer) => drop(registry.register(&submission(*customer), now)),
            Request::Change(changes) => {
                let named = |(row, value): &(u8, Value)| {
                    (TABLE[usize::from(*row) % TABLE.len()].name, value.text().to_owned())
                };
                let changes: Vec<_> = changes.iter().map(named).collect();
                let changes: Vec<_> =
                    changes.iter().map(|(name, text)| (*name, text.as_str())).collect();
                registry.change(&changes);
            }
        }
        registry.check();
    }
});

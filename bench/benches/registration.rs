//! The parts of a registration, each alone: decode, validate, decide, commit, encode; a whole request, with
//! its reply; and a look-up.
//!
//! `cargo bench --manifest-path bench/Cargo.toml --target-dir target` runs them. A commit is durable,
//! in the directory for temporary files: set `TMPDIR` to one on a real disk.

use std::hint::black_box;
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use patron_rules::audit::{Origin, RequestId};
use patron_rules::candidates::Candidates;
use patron_rules::card::CardFacts;
use patron_rules::customer::CustomerId;
use patron_rules::decide::{Facts, decide};
use patron_rules::identifier::IdentifierKind;
use patron_rules::organisation::{CallerId, Organisation, TillId};
use patron_rules::resolve::Holders;
use patron_rules::validate::{Registration, validate};
use patron_server::app::App;
use patron_server::config::Config;
use patron_server::http;
use patron_server::organisation_file::{Hashed, OrganisationFile};
use patron_server::v1_1::customer::customers::Customers;
use patron_server::v1_1::customer::decoded::Decoded;
use patron_server::v1_1::customer::request::decode;
use patron_store::{Author, Location, Lookup, Mode, NewOrganisation, SqliteStore, Store, Tenant};
use tower::ServiceExt;

const TILL: TillId = TillId(1);
/// How many are registered together.
const GROUP: u64 = 50;
/// In batches of how many, and how many of them, customers are there when one is looked up.
const BATCH: u64 = 1_000;
const BATCHES: u64 = 200;

fn organisation() -> NewOrganisation {
    let file = include_str!("../organisation.toml").replace("{number}", "1");
    OrganisationFile::read(&file).unwrap().new_organisation(&mut Hashed::default()).unwrap()
}

/// Numbers of neighbours lie far apart.
fn scattered(number: u64) -> u64 {
    number * 1_597_334_677 % 3_999_999_979
}

fn mobile(number: u64) -> String {
    format!("91{}", 6_000_000_000 + scattered(number))
}

/// The request of the load test.
fn body(number: u64) -> String {
    let (mobile, key) = (mobile(number), scattered(number));
    format!(
        r#"{{"root":{{"customer":[{{"mobile":"{mobile}","email":"{key}.customer@example.com","external_id":"E{key:010}","firstname":"Asha","lastname":"Kulkarni","registered_on":"2024-07-29 10:11:12","type":"LOYALTY","source":"INSTORE","custom_fields":{{"field":[{{"name":"City_name","value":"Pune"}},{{"name":"pincode","value":"411001"}},{{"name":"address","value":"12 Fergusson College Road, Shivajinagar"}}]}},"extended_fields":{{"field":[{{"name":"gender","value":"Female"}},{{"name":"city","value":"Pune"}},{{"name":"age","value":"34"}}]}},"commChannels":[{{"type":"mobile","value":"{mobile}","primary":"true","verified":"true","meta":{{"residence":"true"}}}},{{"type":"email","value":"{key}.customer@example.com","primary":"false","verified":"false","meta":{{"residence":"false"}}}}]}}]}}}}"#
    )
}

fn registration(number: u64, organisation: &Organisation, now: Timestamp) -> Registration {
    let body = body(number);
    let (submission, _) = decode(&body).unwrap().customers(false).remove(0);
    validate(&submission, organisation, Ok(TILL), now).outcome.unwrap()
}

/// What the store knows of somebody new.
fn facts(now: Timestamp) -> Facts {
    Facts {
        holders: Holders::default(),
        customers: Vec::new(),
        awards: Vec::new(),
        endings: Vec::new(),
        next_id: CustomerId(100_000_001),
        now,
        referrer: None,
        cards: CardFacts::default(),
        candidates: Candidates::default(),
    }
}

fn pure_parts(criterion: &mut Criterion) {
    let (now, new) = (Timestamp::now(), organisation());
    let organisation = &new.organisation;
    let body = body(1);
    criterion.bench_function("decode", |bencher| {
        bencher.iter(|| decode(black_box(&body)).unwrap().customers(false));
    });
    let (submission, _) = decode(&body).unwrap().customers(false).remove(0);
    criterion.bench_function("validate", |bencher| {
        bencher.iter(|| validate(black_box(&submission), organisation, Ok(TILL), now));
    });
    let registration = registration(1, organisation, now);
    let facts = facts(now);
    criterion.bench_function("decide", |bencher| {
        bencher.iter_batched(
            || registration.clone(),
            |registration| decide(organisation, registration, &facts),
            BatchSize::SmallInput,
        );
    });
    let batch = Decoded::Json(decode(&body).unwrap());
    let (customers, _) = Customers::validated(&batch, organisation, Ok(TILL), None, now);
    let decisions = [decide(organisation, registration, &facts)];
    criterion.bench_function("encode", |bencher| {
        bencher.iter(|| customers.answer(black_box(&decisions), organisation, false));
    });
}

/// A request from its first byte to the last one of its reply, with all that stands before and
/// behind the endpoint but the connection; its customer is known and stored in memory.
fn whole_request(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&Location::Memory).unwrap());
    let author = Author { name: "bench".to_owned(), at: Timestamp::now() };
    runtime.block_on(store.set_up(vec![organisation()], author)).unwrap();
    let mut config = Config::default();
    config.rate_limit_per_minute = 0;
    let router = http::router(&Arc::new(App::new(config, store).unwrap()));
    let body = body(1);
    let request = || {
        Request::post("/v1.1/customer/add?format=json")
            .header(
                "Authorization",
                "Basic YmVuY2guMToxZDI4ZDI1ODI1MDg3NmZiN2RkZTIyYTE3NDM2ZWY5Yw==",
            )
            .body(Body::from(body.clone()))
            .unwrap()
    };
    criterion.bench_function("request", |bencher| {
        bencher.iter(|| {
            runtime.block_on(async {
                let reply = router.clone().oneshot(request()).await.unwrap();
                assert_eq!(reply.status(), 200);
                axum::body::to_bytes(reply.into_body(), usize::MAX).await.unwrap()
            })
        });
    });
}

/// A store on disk with the organisation.
async fn store(directory: &tempfile::TempDir) -> (Arc<dyn Store>, Tenant) {
    let location = Location::Directory(directory.path().to_owned());
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&location).unwrap());
    let new = organisation();
    let name = new.organisation.details.name.clone();
    let author = Author { name: "bench".to_owned(), at: Timestamp::now() };
    store.set_up(vec![new], author).await.unwrap();
    let id = store.organisation_named(&name).await.unwrap().unwrap();
    let tenant = store.tenant(id).await.unwrap();
    (store, tenant)
}

async fn register(store: &dyn Store, tenant: &Tenant, registrations: Vec<Registration>) {
    let origin = Origin {
        request_id: RequestId(1),
        caller: CallerId::Till(TILL),
        till: Some(TILL),
        store: None,
        user: None,
    };
    let now = Timestamp::now();
    store.register(tenant, registrations, &origin, now, Mode::Apply).await.unwrap();
}

fn durable_parts(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let (store, tenant) = runtime.block_on(store(&directory));
    let now = Timestamp::now();
    let mut next = 0;
    let mut some = |count: u64| -> Vec<Registration> {
        next += count;
        let numbers = next - count..next;
        numbers.map(|number| registration(number, tenant.organisation(), now)).collect()
    };
    for _ in 0..BATCHES {
        runtime.block_on(register(&*store, &tenant, some(BATCH)));
    }
    let mut group = criterion.benchmark_group("commit");
    for size in [1, GROUP] {
        group.throughput(Throughput::Elements(size));
        group.bench_function(format!("{size} together"), |bencher| {
            bencher.iter_batched(
                || some(size),
                |batch| runtime.block_on(register(&*store, &tenant, batch)),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
    let customers = BATCH * BATCHES;
    let mut turn = 0;
    criterion.bench_function(&format!("look-up among {customers}"), |bencher| {
        bencher.iter(|| {
            turn += 1;
            let by =
                Lookup::Identifier(IdentifierKind::Mobile, mobile(scattered(turn) % customers));
            runtime.block_on(store.find(&tenant, by)).unwrap().unwrap()
        });
    });
    runtime.block_on(store.close());
}

criterion_group!(benches, pure_parts, whole_request, durable_parts);
criterion_main!(benches);

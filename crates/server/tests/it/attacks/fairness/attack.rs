//! What one attacker does, over and over.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Notify;

use super::caller::{Caller, Protocol, basic};
use crate::attacks::{Frames, PRIORITY, try_connect_from};

pub struct Attack {
    pub name: &'static str,
    begin: fn(&Arc<Target>),
}

impl Attack {
    const fn new(name: &'static str, begin: fn(&Arc<Target>)) -> Self {
        Self { name, begin }
    }

    /// Starts the attack, which lasts until the target stops it.
    pub fn begin(&self, target: &Arc<Target>) {
        (self.begin)(target);
    }
}

pub const ATTACKS: &[Attack] = &[
    Attack::new("idle connections of 12 addresses", idle_connections),
    Attack::new("replies that are not read", unread_replies),
    Attack::new("frames without effect", frames_without_effect),
    Attack::new("probes of readiness", probes),
    Attack::new("wrong passwords of 250 addresses", wrong_passwords),
    Attack::new("sign-ins of 100 addresses", sign_ins),
    Attack::new("sign-ins in chunks of a byte", chunked_sign_ins),
    Attack::new("changes of tills", changes),
    Attack::new("new passwords", new_passwords),
    Attack::new("costly patterns", patterns),
    Attack::new("arrays of 5 MB", large_arrays),
    Attack::new("idempotency keys of large batches", idempotency_keys),
    Attack::new("look-ups of 100 customers", look_ups),
    Attack::new("batches of new customers", batches),
    Attack::new("mobile numbers of every country", mobile_numbers),
];

/// The program that is attacked.
pub struct Target {
    pub address: SocketAddr,
    pub protocol: Protocol,
    /// The header `Authorization` of an operator.
    operator: String,
    actions: AtomicU64,
    first_action: Notify,
    is_over: AtomicBool,
}

impl Target {
    pub fn new(address: SocketAddr, protocol: Protocol, token: &str) -> Self {
        Self {
            address,
            protocol,
            operator: format!("Bearer {token}"),
            actions: AtomicU64::new(0),
            first_action: Notify::new(),
            is_over: AtomicBool::new(false),
        }
    }

    /// Notes that the attacker did it once more.
    fn acted(&self) {
        if self.actions.fetch_add(1, Ordering::Relaxed) == 0 {
            self.first_action.notify_one();
        }
    }

    pub async fn first_action(&self) {
        self.first_action.notified().await;
    }

    pub fn actions(&self) -> u64 {
        self.actions.load(Ordering::Relaxed)
    }

    pub fn stop(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::Relaxed)
    }

    /// Repeats a request on connections of this address, as fast as replies come.
    fn repeat(
        self: &Arc<Self>,
        from: Option<Ipv4Addr>,
        request: impl Fn(u64) -> Sent + Send + 'static,
    ) {
        let target = Arc::clone(self);
        tokio::spawn(async move {
            let mut n = 0;
            while target.goes_on() {
                let Ok(mut caller) = Caller::connect(target.address, from, target.protocol).await
                else {
                    pause().await;
                    continue;
                };
                loop {
                    let Sent { method, path, headers, body } = request(n);
                    let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
                    if !target.goes_on()
                        || caller.send(method, &path, &headers, body).await.is_err()
                    {
                        break;
                    }
                    target.acted();
                    n += 1;
                }
            }
        });
    }

    /// Does this on threads of their own until it is over.
    fn repeat_blocking(self: &Arc<Self>, act: fn(&Target)) {
        let target = Arc::clone(self);
        tokio::task::spawn_blocking(move || {
            while target.goes_on() {
                act(&target);
            }
        });
    }

    fn set_up(&self, path: &str, method: Method, body: &Value) -> Sent {
        Sent {
            method,
            path: format!("/admin/api/v1/organisations/demo/{path}"),
            headers: vec![
                ("Authorization", self.operator.clone()),
                ("Content-Type", "application/json".to_owned()),
                ("If-Match", "*".to_owned()),
            ],
            body: body.to_string(),
        }
    }
}

/// A request that an attacker sends.
struct Sent {
    method: Method,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Sent {
    /// A request of this till of the attacker's organisation.
    fn by(till: &str, method: Method, path: &str, body: &Value) -> Self {
        let password = patron_server::auth::password::md5_hex("demo");
        let mut sent = Self::guess(till, &password);
        sent.method = method;
        path.clone_into(&mut sent.path);
        sent.body = if body.is_null() { String::new() } else { body.to_string() };
        sent
    }

    /// A call by this till with this password.
    fn guess(till: &str, password: &str) -> Self {
        Self {
            method: Method::GET,
            path: "/v1.1/customer/get?mobile=919800000000".to_owned(),
            headers: vec![
                ("Authorization", basic(till, password)),
                ("Content-Type", "application/json".to_owned()),
            ],
            body: String::new(),
        }
    }
}

/// The tills of the attacker's organisation, each with a limit of calls of its own.
const TILLS: [&str; 4] = ["till.001", "till.sin", "till_name", "rutuja_capillary"];
const ADD: &str = "/v1.1/customer/add";

/// An address of the loopback network that only the attacker has.
fn address(n: usize) -> Ipv4Addr {
    let [high, low] = u16::try_from(n + 2).unwrap().to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}

/// Before a client whose connection was refused connects again.
async fn pause() {
    tokio::time::sleep(Duration::from_millis(10)).await;
}

fn idle_connections(target: &Arc<Target>) {
    const PER_ADDRESS: usize = 110;
    for n in 0..12 * PER_ADDRESS {
        let target = Arc::clone(target);
        tokio::spawn(async move {
            while target.goes_on() {
                if let Ok(mut idle) = connect(target.address, address(n / PER_ADDRESS)).await {
                    target.acted();
                    // Until the server closes it.
                    let _ = idle.read(&mut [0]).await;
                }
                pause().await;
            }
        });
    }
}

async fn connect(to: SocketAddr, from: Ipv4Addr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((from, 0).into())?;
    socket.connect(to).await
}

fn unread_replies(target: &Arc<Target>) {
    for _ in 0..6 {
        target.repeat_blocking(|target| {
            let Ok(connection) = try_connect_from(2, target.address) else { return };
            let mut frames = Frames::on(connection);
            if (0..128).all(|n| frames.try_get(2 * n + 1, "/docs/swagger-ui-bundle.js")) {
                target.acted();
            }
            // Until the server closes the connection.
            while frames.next().is_some() {}
        });
    }
}

fn frames_without_effect(target: &Arc<Target>) {
    target.repeat_blocking(|target| {
        let Ok(connection) = try_connect_from(2, target.address) else { return };
        let mut frames = Frames::on(connection);
        while target.goes_on() && frames.send(PRIORITY, 1, &[0, 0, 0, 0, 1]) {
            target.acted();
        }
    });
}

fn probes(target: &Arc<Target>) {
    for n in 0..8 {
        target.repeat(Some(address(n)), |_| Sent {
            method: Method::GET,
            path: "/readyz".to_owned(),
            headers: Vec::new(),
            body: String::new(),
        });
    }
}

fn wrong_passwords(target: &Arc<Target>) {
    for n in 0..250 {
        target.repeat(Some(address(n)), move |guess| {
            Sent::guess(TILLS[n % TILLS.len()], &format!("{guess:032x}"))
        });
    }
}

/// Of an operator whose name is known.
fn sign_ins(target: &Arc<Target>) {
    for n in 0..100 {
        target.repeat(Some(address(n)), |guess| Sent {
            method: Method::POST,
            path: "/admin/api/v1/sessions".to_owned(),
            headers: vec![("Content-Type", "application/json".to_owned())],
            body: json!({"name": "demo", "password": format!("wrong {guess}")}).to_string(),
        });
    }
}

fn chunked_sign_ins(target: &Arc<Target>) {
    const HEAD: &str = "POST /admin/api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    for n in 0..60 {
        let target = Arc::clone(target);
        tokio::spawn(async move {
            while target.goes_on() {
                if let Ok(mut stream) = connect(target.address, address(n)).await
                    && stream.write_all(HEAD.as_bytes()).await.is_ok()
                {
                    let chunks = "1\r\n \r\n".repeat(1_000);
                    while target.goes_on() && stream.write_all(chunks.as_bytes()).await.is_ok() {
                        target.acted();
                    }
                }
                pause().await;
            }
        });
    }
}

fn changes(target: &Arc<Target>) {
    for n in 0..4 {
        let operator = Arc::clone(target);
        target.repeat(Some(address(n)), move |change| {
            let till = json!({"name": format!("w{n}"), "description": change.to_string()});
            operator.set_up(&format!("tills/w{n}"), Method::PUT, &till)
        });
    }
}

fn new_passwords(target: &Arc<Target>) {
    for n in 0..50 {
        let operator = Arc::clone(target);
        target.repeat(Some(address(n)), move |_| {
            operator.set_up("tills/till_name/password", Method::POST, &Value::Null)
        });
    }
}

/// Sets fields with costly patterns, then registers customers with long values for them.
fn patterns(target: &Arc<Target>) {
    const FIELDS: usize = 100;
    let attacker = Arc::clone(target);
    tokio::spawn(async move {
        let mut operator =
            Caller::connect(attacker.address, Some(address(0)), attacker.protocol).await.unwrap();
        for n in 0..FIELDS {
            for repeats in [900, 300, 100, 30, 10] {
                let regex = format!("(?:a?){{{repeats}}}a{{{repeats}}}[\\p{{L}}]{{2}}");
                let field = json!({"name": format!("field{n}"), "regex": regex});
                let Sent { method, path, headers, body } =
                    attacker.set_up(&format!("custom_fields/field{n}"), Method::PUT, &field);
                let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
                let (status, _) = operator.send(method, &path, &headers, body).await.unwrap();
                if status == 200 || status == 201 {
                    break;
                }
            }
        }
        let fields =
            (0..FIELDS).map(|n| json!({"name": format!("field{n}"), "value": "a".repeat(1_000)}));
        let fields: Vec<_> = fields.collect();
        for n in 0..8 {
            let fields = fields.clone();
            attacker.repeat(Some(address(n)), move |customer| {
                let body = json!({"root": {"customer": [
                    {"mobile": mobile(n, customer), "custom_fields": {"field": fields}},
                ]}});
                Sent::by(TILLS[n % TILLS.len()], Method::POST, ADD, &body)
            });
        }
    });
}

/// A mobile number of the attacker's own.
fn mobile(client: usize, customer: u64) -> String {
    (918_000_000_000 + client as u64 * 1_000_000 + customer % 1_000_000).to_string()
}

fn large_arrays(target: &Arc<Target>) {
    for (n, till) in TILLS.into_iter().enumerate() {
        target.repeat(Some(address(n)), move |customer| {
            let value = format!("[{}0]", "0,".repeat(2_400_000));
            let body = json!({"root": {"customer": [{"mobile": mobile(n, customer), "custom_fields":
                {"field": [{"name": "address", "value": value}]}}]}});
            Sent::by(till, Method::POST, ADD, &body)
        });
    }
}

/// The same customers with another key each time.
fn idempotency_keys(target: &Arc<Target>) {
    for (n, till) in TILLS.into_iter().enumerate() {
        target.repeat(Some(address(n)), move |call| {
            let customers: Vec<_> = (0..100).map(|c| json!({"mobile": mobile(n, c)})).collect();
            let body = json!({"root": {"customer": customers}});
            let mut sent = Sent::by(till, Method::POST, ADD, &body);
            sent.headers.push(("Idempotency-Key", format!("{n}-{call}")));
            sent
        });
    }
}

fn look_ups(target: &Arc<Target>) {
    for (n, till) in TILLS.into_iter().enumerate() {
        target.repeat(Some(address(n)), move |call| {
            let first = call * 100 + 1;
            let ids: Vec<_> = (first..first + 100).map(|id| id.to_string()).collect();
            let path = format!("/v1.1/customer/get?id={}", ids.join(","));
            Sent::by(till, Method::GET, &path, &Value::Null)
        });
    }
}

fn batches(target: &Arc<Target>) {
    for n in 0..8 {
        target.repeat(Some(address(n)), move |call| {
            let customer = |c| json!({"mobile": mobile(n, call * 100 + c), "firstname": "Asha"});
            let customers: Vec<_> = (0..100).map(customer).collect();
            let body = json!({"root": {"customer": customers}});
            Sent::by(TILLS[n % TILLS.len()], Method::POST, ADD, &body)
        });
    }
}

/// A number of each country has another pattern, which stays compiled.
fn mobile_numbers(target: &Arc<Target>) {
    const NUMBERS: &str = include_str!("mobiles.txt");
    for (n, till) in TILLS.into_iter().enumerate() {
        target.repeat(Some(address(n)), move |_| {
            let numbers = NUMBERS.lines().skip(n * 61).take(61);
            let customers: Vec<_> = numbers.map(|number| json!({"mobile": number})).collect();
            Sent::by(till, Method::POST, ADD, &json!({"root": {"customer": customers}}))
        });
    }
}

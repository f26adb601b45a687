//! A server of its own for each test, and clients for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use patron_rules::organisation::Kind;
use patron_server::auth::password::{self, md5_hex};
use patron_server::auth::token::{self, Purpose};
use patron_server::config::Config;
use patron_server::http::tls::Certificate;
use patron_server::organisation_file::{Hashed, OrganisationFile};
use patron_server::{demo, http};
use patron_store::{
    Author, AuthorKind, Change, Edit, Expected, NewSecret, NewToken, Store, TenantId,
};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use ureq::Agent;
use ureq::http::{HeaderMap, Response};

use crate::data::Data;

/// The time at which every request of a test arrives: 2026-01-15 10:30:00 in the demo's zone.
pub const NOW: &str = "2026-01-15T05:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A server with the demo, on a port of its own: in memory, or in a database of its own.
pub struct App {
    pub address: SocketAddr,
    store: Arc<dyn Store>,
    certificate: Option<Certificate>,
    stop: Box<dyn Fn() + Send + Sync>,
    runtime: Option<Runtime>,
    _data: Data,
}

impl App {
    pub fn start() -> Self {
        Self::with(|_| {})
    }

    /// A server whose configuration differs from the default.
    pub fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        change(&mut config);
        Self::serve(config, now, async |store| demo::fill(store).await.unwrap())
    }

    /// A server whose one organisation is what this file says.
    pub fn of(organisation: &str) -> Self {
        Self::of_at(organisation, now)
    }

    /// The same with a clock of its own.
    pub fn of_at(organisation: &str, clock: fn() -> Timestamp) -> Self {
        let new = OrganisationFile::read(organisation).unwrap();
        let new = new.new_organisation(&mut Hashed::default()).unwrap();
        Self::serve(Config::default(), clock, async |store| {
            store.set_up(vec![new], author()).await.unwrap();
        })
    }

    fn serve(config: Config, clock: fn() -> Timestamp, fill: impl AsyncFnOnce(&dyn Store)) -> Self {
        let runtime = Runtime::new().unwrap();
        let certificate = runtime.block_on(Certificate::load(&config)).unwrap();
        let server = http::bind("127.0.0.1:0".parse().unwrap()).unwrap().with(certificate.clone());
        let address = server.address();
        let stop = server.stopper(Duration::from_secs(5));
        let data = Data::passing();
        let store = runtime.block_on(data.open());
        runtime.block_on(async {
            let store = Arc::clone(&store);
            fill(store.as_ref()).await;
            let mut app = patron_server::app::App::new(config, store).unwrap();
            app.clock = clock;
            tokio::spawn(server.run(app));
        });
        let (stop, runtime) = (Box::new(stop), Some(runtime));
        Self { address, store, certificate, stop, runtime, _data: data }
    }

    /// A server whose organisation `demo` has these settings.
    pub fn with_settings(changes: &[(&str, &str)]) -> Self {
        let app = Self::start();
        app.change_settings(changes);
        app
    }

    pub fn change_settings(&self, changes: &[(&str, &str)]) {
        let settings = self.block_on(async {
            let tenant = self.store.tenant(self.demo().await).await.unwrap();
            tenant.organisation().settings.with(changes.iter().copied()).unwrap()
        });
        self.set_up(Kind::Settings, &serde_json::to_value(&settings).unwrap());
    }

    /// Sets up a document of the organisation `demo`.
    pub fn set_up(&self, kind: Kind, document: &Value) {
        let name = if kind.is_single() { kind.name() } else { document["name"].as_str().unwrap() };
        self.apply(Change {
            kind,
            name: name.to_owned(),
            expected: Expected::Anything,
            edit: Edit::Replace(document.to_string()),
            is_active: None,
        });
    }

    /// The same, of a document that may be refused.
    pub fn try_set_up(&self, kind: Kind, document: &Value) -> Result<(), String> {
        let change = Change {
            kind,
            name: document["name"].as_str().unwrap().to_owned(),
            expected: Expected::Anything,
            edit: Edit::Replace(document.to_string()),
            is_active: None,
        };
        self.block_on(async {
            let demo = self.demo().await;
            let applied = self.store.apply(demo, vec![change], author()).await;
            applied.map(drop).map_err(|error| error.chain())
        })
    }

    /// Takes a document of the organisation `demo` out of use, or back into it.
    pub fn set_active(&self, kind: Kind, name: &str, is_active: bool) {
        self.apply(Change {
            kind,
            name: name.to_owned(),
            expected: Expected::Anything,
            edit: Edit::Keep,
            is_active: Some(is_active),
        });
    }

    fn apply(&self, change: Change) {
        self.block_on(async {
            let demo = self.demo().await;
            self.store.apply(demo, vec![change], author()).await.unwrap();
        });
    }

    /// Gives a till of the organisation `demo` another password.
    pub fn set_password(&self, till: &str, plain: &str) {
        let hashes = password::hash(plain).unwrap();
        self.block_on(async {
            let demo = self.demo().await;
            self.store.set_till_password(demo, till, hashes, author()).await.unwrap();
        });
    }

    /// Gives an API client of the organisation `demo` a secret.
    pub fn give_secret(&self, client: &str) -> Credentials {
        let (key, secret) =
            (token::generate_key().unwrap(), token::generate(Purpose::Secret).unwrap());
        let new = NewSecret { key, hash: password::argon2id(&secret).unwrap() };
        let key = self.block_on(async {
            let demo = self.demo().await;
            self.store.set_client_secret(demo, client, new, author()).await.unwrap()
        });
        Credentials { key, secret }
    }

    /// A token of an API client of the organisation `demo` that is good for this many seconds more.
    pub fn issue(&self, client: &str, seconds: i64) -> String {
        let token = token::generate(Purpose::Token).unwrap();
        let issued_at: Timestamp = NOW.parse().unwrap();
        let expires_at = issued_at + SignedDuration::from_secs(seconds);
        self.block_on(async {
            let tenant = self.store.tenant(self.demo().await).await.unwrap();
            let client = tenant.organisation().api_clients.named(client).unwrap().id;
            let hash = token::hash(&token).unwrap();
            let new = NewToken { client, hash, issued_at, expires_at };
            self.store.keep_token(tenant.id(), new).await.unwrap();
        });
        token
    }

    pub fn revoke(&self, token: &str) {
        let hash = token::hash(token).unwrap();
        assert!(self.block_on(self.store.revoke_token(hash)).unwrap());
    }

    pub fn revoke_all(&self, client: &str) {
        self.block_on(async {
            self.store.revoke_tokens(self.demo().await, client, author()).await.unwrap();
        });
    }

    async fn demo(&self) -> TenantId {
        self.store.till_credential("till.001").await.unwrap().unwrap().tenant
    }

    fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.as_ref().unwrap().block_on(work)
    }

    /// Shows the certificate that its files hold now; whether it is another one.
    pub fn reload_certificate(&self) -> anyhow::Result<bool> {
        let certificate = self.certificate.as_ref().unwrap();
        self.block_on(certificate.reload())
    }

    /// A client that signs in as this till, as every till of the demo may.
    pub fn till(&self, name: &str) -> Client {
        Client::new(self.address, Some((name, &md5_hex("demo"))))
    }

    /// A client that signs in with this user name and password as they are.
    pub fn basic(&self, username: &str, password: &str) -> Client {
        Client::new(self.address, Some((username, password)))
    }

    /// The demo's operator, who may set up everything.
    pub fn operator(&self) -> Client {
        self.sign_in("demo", "demo").unwrap()
    }

    /// A client that is signed in as this operator for everywhere.
    pub fn sign_in(&self, name: &str, password: &str) -> Result<Client, Box<Reply>> {
        self.sign_in_with(&json!({"name": name, "password": password}))
    }

    /// A client that is signed in as this operator of an organisation.
    pub fn sign_in_to(
        &self,
        organisation: &str,
        name: &str,
        password: &str,
    ) -> Result<Client, Box<Reply>> {
        let account = json!({"organisation": organisation, "name": name, "password": password});
        self.sign_in_with(&account)
    }

    fn sign_in_with(&self, credentials: &Value) -> Result<Client, Box<Reply>> {
        let token = open_session(self.address, credentials)?;
        Ok(Client::bearer(self.address, &token))
    }

    pub fn anonymous(&self) -> Client {
        Client::new(self.address, None)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        (self.stop)();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

/// What an API client signs in with.
#[derive(Debug, Clone)]
pub struct Credentials {
    pub key: String,
    pub secret: String,
}

/// The token of a new session.
pub fn open_session(address: SocketAddr, credentials: &Value) -> Result<String, Box<Reply>> {
    let path = "/admin/api/v1/sessions";
    let reply = Client::new(address, None).request("POST", path, &[], credentials);
    if reply.status != 201 {
        return Err(Box::new(reply));
    }
    Ok(reply.json()["token"].as_str().unwrap().to_owned())
}

pub fn author() -> Author {
    Author { name: "test".to_owned(), kind: AuthorKind::Command, at: now() }
}

/// Somebody who sends requests.
pub struct Client {
    agent: Agent,
    address: SocketAddr,
    headers: Vec<(String, Vec<u8>)>,
}

impl Client {
    pub fn new(address: SocketAddr, credentials: Option<(&str, &str)>) -> Self {
        use base64::Engine as _;
        let encode = |(username, password): (&str, &str)| {
            let plain = format!("{username}:{password}");
            format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(plain))
        };
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .new_agent();
        let authorization =
            |credentials| ("Authorization".to_owned(), encode(credentials).into_bytes());
        Self { agent, address, headers: credentials.map(authorization).into_iter().collect() }
    }

    /// Sends this header with every request.
    pub fn with_header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// A client that sends this token.
    pub fn bearer(address: SocketAddr, token: &str) -> Self {
        Self::new(address, None).with_header("Authorization", format!("Bearer {token}"))
    }

    /// Sends a document, or nothing where it is null, with these headers.
    pub fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        document: &Value,
    ) -> Reply {
        let content_type = (!document.is_null()).then_some(("Content-Type", "application/json"));
        let uri = format!("http://{}{path}", self.address);
        let mut start = ureq::http::Request::builder().method(method).uri(uri);
        for (name, value) in headers.iter().copied().chain(content_type) {
            start = start.header(name, value);
        }
        for (name, value) in &self.headers {
            start = start.header(name, value.as_slice());
        }
        let body = if document.is_null() { String::new() } else { document.to_string() };
        let sent = if body.is_empty() {
            self.agent.run(start.body(()).unwrap())
        } else {
            self.agent.run(start.body(body).unwrap())
        };
        Reply::read(sent.unwrap()).unwrap()
    }

    /// Sends a body of this media type as it is.
    pub fn send_as(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> Reply {
        let uri = format!("http://{}{path}", self.address);
        let mut start = ureq::http::Request::builder().method(method).uri(uri);
        start = start.header("Content-Type", media_type);
        for (name, value) in &self.headers {
            start = start.header(name, value.as_slice());
        }
        Reply::read(self.agent.run(start.body(body).unwrap()).unwrap()).unwrap()
    }

    /// Posts a body as it is.
    pub fn post(&self, path: &str, content_type: &str, body: &[u8]) -> Reply {
        self.try_post(path, content_type, body).unwrap()
    }

    /// Posts a body as it is and asks for a reply of this kind.
    pub fn post_for(&self, path: &str, content_type: &str, accept: &str, body: &[u8]) -> Reply {
        self.send(path, content_type, accept, body).unwrap()
    }

    fn try_post(&self, path: &str, content_type: &str, body: &[u8]) -> Result<Reply, ureq::Error> {
        self.send(path, content_type, "*/*", body)
    }

    fn send(
        &self,
        path: &str,
        content_type: &str,
        accept: &str,
        body: &[u8],
    ) -> Result<Reply, ureq::Error> {
        let mut request = self.agent.post(format!("http://{}{path}", self.address));
        request = request.header("Accept", accept);
        if !content_type.is_empty() {
            request = request.content_type(content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value.as_slice());
        }
        Reply::read(request.send(body)?)
    }

    pub fn get(&self, path: &str) -> Reply {
        let mut request = self.agent.get(format!("http://{}{path}", self.address));
        for (name, value) in &self.headers {
            request = request.header(name, value.as_slice());
        }
        Reply::read(request.call().unwrap()).unwrap()
    }

    /// Posts a JSON text to `customer/add`.
    pub fn add_text(&self, body: &str) -> Reply {
        self.post("/v1.1/customer/add?format=json", "application/json", body.as_bytes())
    }

    /// Registers these customers.
    pub fn add(&self, customers: &Value) -> Reply {
        self.add_text(&json!({"root": {"customer": customers}}).to_string())
    }

    /// Registers these customers; `None` where no whole reply comes.
    pub fn try_add(&self, customers: &Value) -> Option<Reply> {
        let body = json!({"root": {"customer": customers}}).to_string();
        self.try_post("/v1.1/customer/add", "application/json", body.as_bytes()).ok()
    }

    /// The same with this idempotency key.
    pub fn try_add_once(&self, key: &str, customers: &Value) -> Option<Reply> {
        let body = json!({"root": {"customer": customers}}).to_string();
        let mut request = self.agent.post(format!("http://{}/v1.1/customer/add", self.address));
        request = request.header("Accept", "*/*").content_type("application/json");
        request = request.header("Idempotency-Key", key);
        for (name, value) in &self.headers {
            request = request.header(name, value.as_slice());
        }
        Reply::read(request.send(body.as_bytes()).ok()?).ok()
    }

    /// The same with this query.
    pub fn try_add_with(&self, query: &str, customers: &Value) -> Option<Reply> {
        let body = json!({"root": {"customer": customers}}).to_string();
        let path = format!("/v1.1/customer/add?{query}");
        self.try_post(&path, "application/json", body.as_bytes()).ok()
    }

    /// Posts one customer to `customer/add` with this query.
    pub fn add_with(&self, query: &str, customer: &Value) -> Value {
        let body = json!({"root": {"customer": [customer]}}).to_string();
        let path = format!("/v1.1/customer/add?{query}");
        let reply = self.post(&path, "application/json", body.as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.customer(0)
    }

    /// Registers one customer and returns what the reply says of them.
    pub fn add_one(&self, customer: &Value) -> Value {
        let reply = self.add(&json!([customer]));
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.customer(0)
    }
}

/// A reply, read whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    fn read(mut response: Response<ureq::Body>) -> Result<Self, ureq::Error> {
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: String::from_utf8_lossy(&response.body_mut().read_to_vec()?).into_owned(),
        })
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The status of the whole request, without what counts.
    pub fn response_status(&self) -> Value {
        self.json()["response"]["status"].clone()
    }

    pub fn customer(&self, index: usize) -> Value {
        self.json()["response"]["customers"]["customer"][index].clone()
    }

    /// Each customer's code, and the codes of its warnings behind it.
    pub fn codes(&self) -> Vec<String> {
        let customers = self.json()["response"]["customers"]["customer"].clone();
        customers.as_array().unwrap().iter().map(code).collect()
    }
}

/// A customer's code, and the codes of its warnings behind it.
pub fn code(customer: &Value) -> String {
    let status = &customer["item_status"];
    let warnings = status["warnings"]["warning"].as_array().unwrap();
    let all = [&status["code"]].into_iter().chain(warnings);
    all.map(|code| code.as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

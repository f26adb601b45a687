//! A line to a PostgreSQL, which counts what is asked for on it, and breaks when it is told to.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::unix;
use tokio::net::{TcpListener, TcpStream, UnixStream};

use crate::postgresql::{Cluster, Database};

/// When the line breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// With a commit, which the database does not get.
    BeforeTheCommit,
    /// After a commit, of which nobody is told.
    AfterTheCommit,
}

/// For how long a session says that its transactions may idle, and another time of as many letters.
const PATIENCE: &[u8] = b"idle_in_transaction_session_timeout = '30s'";
const HURRY: &[u8] = b"idle_in_transaction_session_timeout = '1ms'";

/// What all connections of a line share.
#[derive(Default)]
struct Shared {
    /// How many statements were carried out inside of transactions.
    statements: AtomicUsize,
    /// What happens at the next commit, once.
    cut: Mutex<Option<Cut>>,
    /// Whether the next connection is one whose transactions may not idle.
    hurries: AtomicBool,
}

/// A line to a database; gone with the test's runtime.
pub struct Wire {
    url: String,
    shared: Arc<Shared>,
}

impl Wire {
    pub async fn to(database: &Database) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let Cluster { directory, port, .. } = &*database.cluster;
        let socket = directory.join(format!(".s.PGSQL.{port}"));
        let shared = Arc::<Shared>::default();
        let url = format!("postgres://postgres@{address}/{}", database.name);
        let connections = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, socket.clone(), Arc::clone(&connections)));
            }
        });
        Self { url, shared }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// How many statements were carried out inside of transactions; that they were prepared before
    /// that does not count.
    pub fn statements(&self) -> usize {
        self.shared.statements.load(Ordering::SeqCst)
    }

    /// Has the next commit meet with this.
    pub fn cut(&self, cut: Cut) {
        *self.shared.cut.lock().unwrap() = Some(cut);
    }

    /// Has the next connection's transactions end almost at once when they idle, and not after the time
    /// for which its session asks.
    pub fn hurry(&self) {
        self.shared.hurries.store(true, Ordering::SeqCst);
    }

    /// Whether that commit has come.
    pub fn was_cut(&self) -> bool {
        self.shared.cut.lock().unwrap().is_none()
    }
}

async fn carry(client: TcpStream, socket: PathBuf, shared: Arc<Shared>) {
    let Ok(server) = UnixStream::connect(socket).await else { return };
    let ((from_client, to_client), (from_server, to_server)) =
        (client.into_split(), server.into_split());
    let is_silent = AtomicBool::new(false);
    // Whichever ends first takes the other with it, and both sides see the line close.
    tokio::select! {
        _ = there(from_client, to_server, &shared, &is_silent) => {}
        _ = back(from_server, to_client, &is_silent) => {}
    }
}

/// Message by message: the first has no kind, each other one byte for it, and all their length.
async fn there(
    mut client: OwnedReadHalf,
    mut server: unix::OwnedWriteHalf,
    shared: &Shared,
    is_silent: &AtomicBool,
) -> std::io::Result<()> {
    let mut kind = None;
    let is_hurried = shared.hurries.swap(false, Ordering::SeqCst);
    let (mut is_inside, mut is_preparing) = (false, false);
    loop {
        let length = client.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        client.read_exact(&mut body).await?;
        if is_hurried && let Some(at) = body.windows(PATIENCE.len()).position(|w| w == PATIENCE) {
            body[at..at + PATIENCE.len()].copy_from_slice(HURRY);
        }
        match kind {
            Some(b'P') => is_preparing = true,
            Some(b'Q') => is_inside = !body.starts_with(b"COMMIT"),
            Some(b'S') if is_inside && !is_preparing => {
                shared.statements.fetch_add(1, Ordering::SeqCst);
            }
            Some(b'S') => is_preparing = false,
            _ => {}
        }
        if kind == Some(b'Q') && body.starts_with(b"COMMIT") {
            match shared.cut.lock().unwrap().take() {
                Some(Cut::BeforeTheCommit) => return Ok(()),
                Some(Cut::AfterTheCommit) => is_silent.store(true, Ordering::SeqCst),
                None => {}
            }
        }
        let mut message: Vec<u8> = kind.into_iter().collect();
        message.extend(length.to_be_bytes());
        message.extend(body);
        server.write_all(&message).await?;
        kind = Some(client.read_u8().await?);
    }
}

/// As it comes, until the line is to be silent: then the answer is waited for, and not told.
async fn back(
    mut server: unix::OwnedReadHalf,
    mut client: OwnedWriteHalf,
    is_silent: &AtomicBool,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = server.read(&mut buffer).await?;
        if read == 0 || is_silent.load(Ordering::SeqCst) {
            return Ok(());
        }
        client.write_all(&buffer[..read]).await?;
    }
}

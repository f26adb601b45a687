//! The private socket in the data directory over which commands on the same machine reach the
//! process that owns the data.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use axum::Router;
use axum::serve::Listener;
use tokio::net::unix::UCred;
use tokio::net::{UnixListener, UnixStream};

/// The directory of the socket within the data directory. Only its owner may enter it.
const DIRECTORY: &str = "run";
const SOCKET: &str = "patron.sock";
const DIRECTORY_MODE: u32 = 0o700;
const SOCKET_MODE: u32 = 0o600;
/// The longest path that every system takes as a socket's name, in bytes. macOS takes 103.
const PATH_LIMIT_BYTES: usize = 100;
/// How long to wait before the next try where a connection cannot be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);
const ROOT: u32 = 0;

/// The bound socket. Its file is removed when this is dropped.
pub struct CommandSocket {
    listener: UnixListener,
    address: Address,
    /// The user who runs this process.
    owner: u32,
}

impl CommandSocket {
    /// Binds the socket of a data directory that this process has locked. Replaces a socket that a
    /// killed process left behind.
    ///
    /// # Errors
    /// A directory or socket that cannot be created with its permissions.
    pub fn bind(data: &Path) -> anyhow::Result<Self> {
        let directory = data.join(DIRECTORY);
        create_private(&directory)
            .with_context(|| format!("cannot create the directory {}", directory.display()))?;
        let address = Address::within(&directory)?;
        let bound = bind(&address.path);
        let listener =
            bound.with_context(|| format!("cannot listen on {}", address.name.display()))?;
        let owner = fs::symlink_metadata(&address.path)?.uid();
        Ok(Self { listener, address, owner })
    }

    /// Answers commands until the returned future is dropped.
    ///
    /// # Errors
    /// None; the listener retries.
    pub async fn serve(self, router: Router) -> io::Result<()> {
        axum::serve(self, router).await
    }

    /// Whether the process at the other end runs as the same user, or as root.
    fn admits(&self, peer: &UCred) -> bool {
        peer.uid() == self.owner || peer.uid() == ROOT
    }
}

impl Listener for CommandSocket {
    type Io = UnixStream;
    type Addr = ();

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let accepted = self.listener.accept().await;
            match accepted.and_then(|(stream, _)| Ok((stream.peer_cred()?, stream))) {
                Ok((peer, stream)) if self.admits(&peer) => return (stream, ()),
                Ok((peer, _)) => {
                    tracing::warn!(uid = peer.uid(), "rejected a command of another user");
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a command");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for CommandSocket {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.address.path));
    }
}

/// Connects to the process that owns the data in a directory.
///
/// # Errors
/// No process listens there.
pub(crate) async fn connect(data: &Path) -> anyhow::Result<UnixStream> {
    let address = Address::within(&data.join(DIRECTORY))?;
    let connected = UnixStream::connect(&address.path).await;
    connected.with_context(|| format!("cannot connect to {}", address.name.display()))
}

fn create_private(directory: &Path) -> anyhow::Result<()> {
    match DirBuilder::new().mode(DIRECTORY_MODE).create(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        created => created?,
    }
    ensure!(fs::symlink_metadata(directory)?.is_dir(), "it is not a directory");
    Ok(fs::set_permissions(directory, Permissions::from_mode(DIRECTORY_MODE))?)
}

fn bind(path: &Path) -> io::Result<UnixListener> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, Permissions::from_mode(SOCKET_MODE))?;
    Ok(listener)
}

/// A path of the socket that is short enough for the system.
struct Address {
    path: PathBuf,
    /// The full path, for messages.
    name: PathBuf,
    /// Kept open while `path` leads through it.
    _directory: Option<File>,
}

impl Address {
    fn within(directory: &Path) -> anyhow::Result<Self> {
        let name = directory.join(SOCKET);
        if name.as_os_str().len() <= PATH_LIMIT_BYTES {
            return Ok(Self { path: name.clone(), name, _directory: None });
        }
        ensure!(
            cfg!(target_os = "linux"),
            "the path {} is longer than {PATH_LIMIT_BYTES} bytes, which sockets do not allow; use a \
             data directory with a shorter path",
            name.display()
        );
        let open = File::open(directory)
            .with_context(|| format!("cannot open {}", directory.display()))?;
        let path = Path::new("/proc/self/fd").join(open.as_raw_fd().to_string()).join(SOCKET);
        Ok(Self { path, name, _directory: Some(open) })
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    async fn answers(data: &Path) -> bool {
        let Ok(mut stream) = connect(data).await else { return false };
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).await.unwrap();
        reply.starts_with("HTTP/1.1 200")
    }

    fn serve(socket: CommandSocket) -> tokio::task::JoinHandle<io::Result<()>> {
        tokio::spawn(socket.serve(Router::new().route("/", get(|| async {}))))
    }

    #[tokio::test]
    async fn is_private_and_removed_at_the_end() {
        let data = tempfile::tempdir().unwrap();
        fs::create_dir(data.path().join(DIRECTORY)).unwrap();
        let socket = CommandSocket::bind(data.path()).unwrap();
        let path = data.path().join(DIRECTORY).join(SOCKET);
        assert_eq!(mode(&path), SOCKET_MODE);
        assert_eq!(mode(path.parent().unwrap()), DIRECTORY_MODE);
        let serving = serve(socket);
        assert!(answers(data.path()).await);
        serving.abort();
        assert!(serving.await.unwrap_err().is_cancelled());
        assert!(!path.exists());
        assert!(!answers(data.path()).await);
    }

    #[tokio::test]
    async fn replaces_a_stale_socket() {
        let data = tempfile::tempdir().unwrap();
        std::mem::forget(CommandSocket::bind(data.path()).unwrap());
        let _serving = serve(CommandSocket::bind(data.path()).unwrap());
        assert!(answers(data.path()).await);
    }

    #[tokio::test]
    async fn admits_the_same_user_and_root_alone() {
        let data = tempfile::tempdir().unwrap();
        let mut socket = CommandSocket::bind(data.path()).unwrap();
        let (one, _other) = UnixStream::pair().unwrap();
        let peer = one.peer_cred().unwrap();
        assert!(socket.admits(&peer));
        socket.owner = peer.uid().wrapping_add(1);
        assert_eq!(socket.admits(&peer), peer.uid() == ROOT);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn works_in_a_directory_with_a_long_path() {
        let root = tempfile::tempdir().unwrap();
        let data = root.path().join("long".repeat(40));
        fs::create_dir(&data).unwrap();
        let _serving = serve(CommandSocket::bind(&data).unwrap());
        assert!(answers(&data).await);
    }

    #[tokio::test]
    async fn rejects_a_file_in_place_of_its_directory() {
        let data = tempfile::tempdir().unwrap();
        fs::write(data.path().join(DIRECTORY), "").unwrap();
        assert!(CommandSocket::bind(data.path()).is_err());
    }
}

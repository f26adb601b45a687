//! A PostgreSQL for tests, which is gone once they are, however they end; and a database of its own
//! for each test. The store's tests and the server's share this.
//!
//! Nothing has to run beforehand: the programs of PostgreSQL are all that has to be installed.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use patron_store::{PostgresOptions, migration};

/// What runs a cluster for as long as somebody holds its standard input.
const SCRIPT: &str = include_str!("cluster.sh");
/// The programs that are needed.
const PROGRAMS: [&str; 6] = ["createdb", "dropdb", "initdb", "pg_isready", "postgres", "psql"];
/// Where Debian has a directory for each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Who runs PostgreSQL where that is root, for whom it does not run.
const USER: &str = "postgres";
/// The database with the schema of which those of the tests are copies.
const TEMPLATE: &str = "migrated";
/// The number in the name of a cluster's socket, where it is reached by nothing else.
const PORT: u16 = 5432;
/// The owner of everything.
const OWNER: &str = "postgres";

/// How a cluster is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// What it has committed outlives a power cut, as it is to be.
    Durable,
    /// It does not, and is faster.
    Fast,
}

impl Care {
    fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Durable => &[],
            Self::Fast => {
                &["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "autovacuum=off"]
            }
        }
    }
}

/// A cluster that is gone, with its files, once this is or the process is.
pub struct Cluster {
    /// Of its socket.
    pub directory: PathBuf,
    pub port: u16,
    programs: PathBuf,
    /// What is told to the script, and what it answers.
    told: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
    template: OnceLock<()>,
    databases: AtomicU32,
    /// Ends once its standard input is closed.
    _script: Child,
}

impl Cluster {
    /// The cluster of this process.
    pub fn shared() -> Arc<Self> {
        static SHARED: OnceLock<Arc<Cluster>> = OnceLock::new();
        Arc::clone(SHARED.get_or_init(|| Arc::new(Self::start(Care::Fast))))
    }

    /// A cluster of the test's own.
    pub fn start(care: Care) -> Self {
        Self::start_with(care, PORT, &[])
    }

    /// One that can be reached by TLS as well, with this certificate and its key.
    pub fn start_with_tls(certificate: &str, key: &str) -> Self {
        // Free, unless somebody takes it at this very moment.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let variables = [("CERTIFICATE", certificate), ("CERTIFICATE_KEY", key)];
        Self::start_with(Care::Fast, port, &variables)
    }

    fn start_with(care: Care, port: u16, variables: &[(&str, &str)]) -> Self {
        let programs = programs();
        let mut command = as_somebody();
        command.args(["sh", "-c", SCRIPT, "cluster"]).arg(&programs);
        command.envs(variables.iter().copied()).env("PGPORT", port.to_string());
        command.args(["-c", "max_connections=500", "-c", "shared_buffers=32MB"]);
        let pipes = command.args(care.settings()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = pipes.spawn().unwrap();
        let told = script.stdin.take().unwrap();
        let mut answers = BufReader::new(script.stdout.take().unwrap());
        let directory = line(&mut answers);
        assert!(!directory.is_empty(), "PostgreSQL does not start; its log stands above");
        Self {
            directory: directory.into(),
            port,
            programs,
            told: Mutex::new((told, answers)),
            template: OnceLock::new(),
            databases: AtomicU32::new(0),
            _script: script,
        }
    }

    /// Kills every process of it at once, as when the machine fails.
    pub fn kill(&self) {
        self.tell("kill");
    }

    /// Starts it again after that.
    pub fn start_again(&self) {
        self.tell("start");
    }

    /// Stops every process of it, so that nobody answers any more.
    pub fn freeze(&self) {
        self.tell("freeze");
    }

    /// Has them go on after that.
    pub fn thaw(&self) {
        self.tell("thaw");
    }

    fn tell(&self, what: &str) {
        let (told, answers) = &mut *self.told.lock().unwrap();
        writeln!(told, "{what}").unwrap();
        assert_eq!(line(answers), "done", "{what}");
    }

    fn url(&self, database: &str) -> String {
        let directory = self.directory.to_str().unwrap().replace('/', "%2F");
        format!("postgres://{OWNER}@{directory}:{}/{database}", self.port)
    }

    /// A program that does something to a database.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.arg("--host").arg(&self.directory).args(["--username", OWNER]);
        command.env("PGPORT", self.port.to_string());
        command
    }

    fn create(&self, arguments: &[&str]) {
        let output = self.program("createdb").args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
    }

    /// Makes the database that the others are copied from.
    fn make_template(&self) {
        self.create(&[TEMPLATE]);
        let options = PostgresOptions::new(&self.url(TEMPLATE));
        // The test may be one that is run by a runtime already, which cannot wait for another.
        let migrated = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(migration::up(&options, &mut |_| {}))
        });
        migrated.join().unwrap().unwrap();
    }
}

/// A database of a test's own; gone with the test.
pub struct Database {
    pub cluster: Arc<Cluster>,
    pub name: String,
}

impl Database {
    /// One that has the schema and nothing else.
    pub fn new() -> Self {
        Self::of(&Cluster::shared())
    }

    /// The same in this cluster.
    pub fn of(cluster: &Arc<Cluster>) -> Self {
        cluster.template.get_or_init(|| cluster.make_template());
        Self::made(cluster, &["--template", TEMPLATE])
    }

    /// One that has nothing at all.
    pub fn empty() -> Self {
        Self::made(&Cluster::shared(), &[])
    }

    fn made(cluster: &Arc<Cluster>, arguments: &[&str]) -> Self {
        let name = format!("test_{}", cluster.databases.fetch_add(1, Ordering::Relaxed));
        cluster.create(&[arguments, &[&name]].concat());
        Self { cluster: Arc::clone(cluster), name }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        self.cluster.url(&self.name)
    }

    /// Changes the data behind every server's back.
    pub fn execute(&self, sql: &str) {
        let mut psql = self.cluster.program("psql");
        let output = psql.args(["--no-psqlrc", "--set=ON_ERROR_STOP=1", "-c", sql, &self.url()]);
        let output = output.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// The same by TLS, where the cluster has it.
    pub fn url_by_tls(&self) -> String {
        format!("postgres://{OWNER}@localhost:{}/{}", self.cluster.port, self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // What cannot be dropped is gone with the cluster.
        drop(self.cluster.program("dropdb").args(["--force", &self.name]).output());
    }
}

/// What runs a command as somebody for whom PostgreSQL runs.
fn as_somebody() -> Command {
    let id = Command::new("id").arg("-u").output().unwrap();
    let mut command = if id.stdout.trim_ascii() == b"0" {
        let mut command = Command::new("runuser");
        command.args(["-u", USER, "--"]);
        command
    } else {
        Command::new("env")
    };
    command.current_dir("/");
    command
}

/// The directory of PostgreSQL's programs: one on the path, else the newest of Debian's.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<PathBuf> = std::fs::read_dir(DEBIAN)
        .map(|versions| versions.filter_map(|version| Some(version.ok()?.path())).collect())
        .unwrap_or_default();
    versions.sort_by_key(|version| {
        let number = version.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
        std::cmp::Reverse(number)
    });
    let mut directories =
        std::env::split_paths(&path).chain(versions.into_iter().map(|version| version.join("bin")));
    let found = directories
        .find(|directory| PROGRAMS.iter().all(|program| directory.join(program).is_file()));
    found.expect(
        "no PostgreSQL is installed: `apt-get install postgresql` does so on Debian, as \
         `scripts/test.sh` would have; elsewhere put its programs on the PATH",
    )
}

/// A line without its end; empty where there is none any more.
fn line(from: &mut impl BufRead) -> String {
    let mut line = String::new();
    from.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

//! A private PostgreSQL cluster, started once for the test process and stopped when it ends, however it ends.

#![allow(clippy::disallowed_methods, reason = "whether PostgreSQL is there, and must be, is read from the environment of the tests")]
#![allow(clippy::explicit_write, reason = "the test harness captures what `eprintln!` says in a test that passes")]

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};

/// The address of a new, empty database. `None` where PostgreSQL is not installed: the test is then reported as
/// skipped, or fails if `TIDEGATE_TEST_REQUIRE` names `postgres`.
pub fn database() -> Option<String> {
    static SKIPPED: AtomicU32 = AtomicU32::new(0);
    let cluster = CLUSTER.get_or_init(Cluster::start);
    if cluster.is_none() {
        assert!(!is_required(), "PostgreSQL's initdb was not found, and TIDEGATE_TEST_REQUIRE asks for it");
        let count = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        writeln!(std::io::stderr(), "skipped: PostgreSQL's initdb was not found ({count} so far)").unwrap();
    }
    cluster.as_ref().map(Cluster::new_database)
}

fn is_required() -> bool {
    std::env::var("TIDEGATE_TEST_REQUIRE").is_ok_and(|list| list.split(',').any(|item| item.trim() == "postgres"))
}

/// A new, empty database as a source is reached: over TCP, with a password and TLS.
pub struct SourceDatabase {
    pub port: u16,
    pub name: String,
    /// Of the server's certificate, in PEM.
    pub certificate: String,
    /// For those who fill it: the superuser's address by the socket.
    pub url: String,
}

/// The password of the user `reader`, who owns nothing and may read what is granted to everybody.
pub const PASSWORD: &str = "pa55-of-the-reader";

/// Makes one; `None` where PostgreSQL is not installed.
pub fn source_database() -> Option<SourceDatabase> {
    let url = database()?;
    let name = url.split(['/', '?']).nth(3).unwrap().to_owned();
    let cluster = CLUSTER.get().unwrap().as_ref().unwrap();
    let mut conn = PgConnection::establish(&url).unwrap();
    let reader = format!(
        "DO $$ BEGIN CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    );
    sql_query(reader).execute(&mut conn).unwrap();
    for grant in ["TABLES", "SEQUENCES"] {
        sql_query(format!("ALTER DEFAULT PRIVILEGES GRANT SELECT ON {grant} TO reader")).execute(&mut conn).unwrap();
    }
    Some(SourceDatabase { port: cluster.port, name, certificate: cluster.certificate.clone(), url })
}

static CLUSTER: OnceLock<Option<Cluster>> = OnceLock::new();

struct Cluster {
    directory: PathBuf,
    port: u16,
    certificate: String,
    databases: Mutex<u32>,
    /// The watchdog reads from this; the system closes it when the test process ends.
    _lifeline: ChildStdin,
}

impl Cluster {
    fn start() -> Option<Self> {
        let programs = programs()?;
        // A socket's path is short, so that the usual directory of tests may be too long for it.
        let directory = tempfile::Builder::new().prefix("tidegate-pg-").tempdir_in("/tmp").unwrap().keep();
        let user = unprivileged(&directory);
        if let Some((uid, gid)) = user {
            chown(&directory, Some(uid), Some(gid)).unwrap();
        }
        let command = |program: &OsStr| {
            let mut command = Command::new(program);
            command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            command
        };
        let data = directory.join("data");
        let made = command(programs.join("initdb").as_os_str())
            .args([
                "--username=tidegate",
                "--auth-local=trust",
                "--auth-host=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--pgdata",
            ])
            .arg(&data)
            .status();
        assert!(made.unwrap().success(), "initdb failed");
        let mut watchdog = command(OsStr::new("sh"));
        watchdog
            .args(["-c", "read -r line; \"$0\" stop --mode=immediate --pgdata=\"$1/data\"; rm -rf \"$1\""])
            .arg(programs.join("pg_ctl"))
            .arg(&directory)
            .stdin(Stdio::piped())
            // A Ctrl-C at the terminal must not end it before it has cleaned up.
            .process_group(0);
        let lifeline = watchdog.spawn().unwrap().stdin.take().unwrap();
        // Another process may take the port before the cluster does; it is not asked for anything before that.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let certificate = certificate(&directory, user);
        let options = format!(
            "-c fsync=off -c full_page_writes=off -c max_connections=300 -c listen_addresses=127.0.0.1 -c port={port} -c ssl=on \
             -c ssl_cert_file={0}/cert.pem -c ssl_key_file={0}/key.pem -c unix_socket_directories='{0}'",
            directory.display()
        );
        let started = command(programs.join("pg_ctl").as_os_str())
            .args(["start", "--wait", "--options", &options, "--log"])
            .arg(directory.join("log"))
            .arg("--pgdata")
            .arg(&data)
            .status();
        assert!(started.unwrap().success(), "PostgreSQL did not start: see {}", directory.join("log").display());
        Some(Self { directory, port, certificate, databases: Mutex::new(0), _lifeline: lifeline })
    }

    fn new_database(&self) -> String {
        let mut count = self.databases.lock().unwrap();
        *count += 1;
        let name = format!("test_{count}");
        let mut conn = PgConnection::establish(&self.url("postgres")).unwrap();
        sql_query(format!("CREATE DATABASE {name}")).execute(&mut conn).unwrap();
        self.url(&name)
    }

    fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?user=tidegate&host={}&port={}", self.directory.display(), self.port)
    }
}

/// Writes key and certificate for this machine; answers the certificate.
fn certificate(directory: &Path, user: Option<(u32, u32)>) -> String {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    for (name, text) in [("cert.pem", &certificate), ("key.pem", &key)] {
        let path = directory.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        if let Some((uid, gid)) = user {
            chown(&path, Some(uid), Some(gid)).unwrap();
        }
    }
    certificate
}

/// Where `initdb` is: in the path, or where distributions put the newest version.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut packaged: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    packaged.sort();
    let packaged = packaged.into_iter().rev().map(|(_, programs)| programs);
    let places = std::env::split_paths(&path).chain(packaged);
    places.filter(|place| ["initdb", "pg_ctl"].iter().all(|name| place.join(name).is_file())).find_map(|place| {
        // A link in the path would hide the programs that initdb looks for beside itself.
        place.join("initdb").canonicalize().ok()?.parent().map(Path::to_owned)
    })
}

/// The user and group to run as, when the tests run as root, which PostgreSQL refuses to do.
fn unprivileged(own: &Path) -> Option<(u32, u32)> {
    if own.metadata().unwrap().uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut parts = line.split(':').skip(2);
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    };
    Some(ids("postgres").or_else(|| ids("nobody")).expect("a user other than root"))
}

//! The real program as a process of its own, which can be killed, beside or in place of a house.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tidegate::store::DatabaseUrl;

use crate::database::Database;
use crate::harness::House;

/// A master key that several brokers share.
pub const MASTER_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A running `tidegate serve`. Dropping it kills it.
pub struct Broker {
    pub url: String,
    child: Child,
    log: PathBuf,
}

/// The program with a clean environment, so that nothing of the caller's settings gets in.
pub fn program(settings: &[(&str, &str)]) -> Command {
    with_settings(Command::new(env!("CARGO_BIN_EXE_tidegate")), settings)
}

#[allow(clippy::disallowed_methods, reason = "the program's caller has an environment, its test hands some of it on")]
fn with_settings(mut command: Command, settings: &[(&str, &str)]) -> Command {
    command.env_clear().envs(settings.iter().copied());
    for kept in ["PATH", "HOME", "TMPDIR"] {
        command.envs(std::env::var_os(kept).map(|value| (kept, value)));
    }
    command
}

/// The address of a database as the program takes it.
pub fn address(database: &Database) -> String {
    match &database.url {
        DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
        DatabaseUrl::Postgres(url) => url.clone(),
    }
}

impl Broker {
    /// Starts one in a house's place: on its database, data directory and sources, as issuer of its tokens.
    pub async fn in_place_of(house: &House, settings: &[(&str, &str)]) -> Self {
        Self::of(house, &house.config.data_dir, settings).await
    }

    /// Starts one on a house's database and sources with a data directory of its own.
    pub async fn beside(house: &House, data_dir: &Path, settings: &[(&str, &str)]) -> Self {
        Self::of(house, data_dir, settings).await
    }

    /// Starts several beside each other on the database of a house.
    pub async fn several(house: &House, data: &Path, names: &[&str], settings: &[(&str, &str)]) -> Vec<Self> {
        let mut brokers = Vec::new();
        for name in names {
            brokers.push(Self::beside(house, &data.join(name), settings).await);
        }
        brokers
    }

    async fn of(house: &House, data_dir: &Path, settings: &[(&str, &str)]) -> Self {
        let (issuer, sources) = (&house.app.settings.public_url, house.sources());
        let mut all = vec![("TIDEGATE_PUBLIC_URL", issuer.as_str()), ("TIDEGATE_SOURCE_ROOTS", sources.to_str().unwrap())];
        all.extend(settings);
        Self::start(house.database(), data_dir, &all).await
    }

    /// Starts one on a database and waits until it is ready.
    pub async fn start(database: &Database, data_dir: &Path, settings: &[(&str, &str)]) -> Self {
        Self::launch(program(&[]), database, data_dir, settings).await
    }

    /// Starts one whose files, the database's among them, can't grow beyond so many KiB: a disk that gets full.
    pub async fn with_small_disk(house: &House, kib: u64) -> Self {
        let (issuer, sources) = (house.app.settings.public_url.clone(), house.sources());
        let mut command = with_settings(Command::new("sh"), &[]);
        // The signal that comes with the limit is ignored, so that writing fails as on a full disk. `ulimit` counts
        // in half KiB here, and in whole ones where `sh` is bash in disguise, which is told to follow POSIX.
        let script = "(set -o posix) 2>/dev/null && set -o posix; trap '' XFSZ; ulimit -f \"$1\" || exit 9; shift; exec \"$@\"";
        command.args(["-c", script, "sh", &(kib * 2).to_string(), env!("CARGO_BIN_EXE_tidegate")]);
        let settings = [("TIDEGATE_PUBLIC_URL", issuer.as_str()), ("TIDEGATE_SOURCE_ROOTS", sources.to_str().unwrap())];
        Self::launch(command, house.database(), &house.config.data_dir, &settings).await
    }

    async fn launch(mut command: Command, database: &Database, data_dir: &Path, settings: &[(&str, &str)]) -> Self {
        std::fs::create_dir_all(data_dir).unwrap();
        let log = tempfile::Builder::new().prefix("log-").tempfile_in(data_dir.parent().unwrap()).unwrap().into_temp_path().keep().unwrap();
        command
            .envs([("TIDEGATE_LISTEN", "127.0.0.1:0"), ("TIDEGATE_LOG_FORMAT", "json"), ("TIDEGATE_WORKERS", "2")])
            .env("TIDEGATE_DATA_DIR", data_dir)
            .env("TIDEGATE_DATABASE_URL", address(database))
            .envs(settings.iter().copied())
            .arg("serve")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap());
        let mut broker = Self { url: String::new(), child: command.spawn().unwrap(), log };
        broker.url = broker.reached().await;
        broker
    }

    /// Waits until it serves; answers where.
    async fn reached(&mut self) -> String {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        for _ in 0..3_000 {
            if let Some(url) = self
                .logged()
                .iter()
                .find(|line| line["message"] == "serving")
                .map(|line| format!("http://{}", line["address"].as_str().unwrap()))
                && http.get(format!("{url}/readyz")).send().await.is_ok_and(|answer| answer.status().is_success())
            {
                return url;
            }
            assert!(self.child.try_wait().unwrap().is_none(), "the broker ended: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the broker did not serve: {}", self.log());
    }

    /// What it logged so far.
    pub fn log(&self) -> String {
        String::from_utf8(std::fs::read(&self.log).unwrap()).unwrap()
    }

    fn logged(&self) -> Vec<Value> {
        self.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // One that has ended already can't be killed, and needs not be.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.log);
    }
}

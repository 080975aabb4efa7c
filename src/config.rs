//! The configuration: file, environment, flags, each stronger than the one before; an unknown key is an error.
//!
//! This module alone reads the environment. Relative paths start at `data_dir`, and `data_dir` itself at the working
//! directory.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::domain::address::AddressRange;
use crate::keys::MasterKeySource;
use crate::outbound::AllowedHost;

mod layers;
mod values;

#[cfg(test)]
mod tests;

use layers::Layers;

/// What the command line gave; weaker layers fill the rest.
#[derive(Clone, Default)]
pub struct Overrides {
    /// The configuration file; stronger than `TIDEGATE_CONFIG`.
    pub config: Option<PathBuf>,
    pub data_dir: Option<PathBuf>,
    /// Where the data directory is when nobody says; `./tidegate-data` where this is none either.
    pub usual_data_dir: Option<&'static str>,
    pub database_url: Option<String>,
    pub listen: Option<String>,
    pub log_format: Option<String>,
}

/// Where the installation keeps its state. `Debug` never shows the address of a database, which may hold a password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    Sqlite(PathBuf),
    Postgres(String),
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => out.debug_tuple("Sqlite").field(path).finish(),
            Self::Postgres(_) => out.write_str("Postgres(..)"),
        }
    }
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// The least that is logged of Tidegate itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogLevel {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// Everything that can be set, checked and complete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Absolute; default `./tidegate-data`.
    pub data_dir: PathBuf,
    /// Default 127.0.0.1:8640; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Default the SQLite file `tidegate.db` in `data_dir`.
    pub database_url: DatabaseUrl,
    /// As it was set, without a slash at its end; see [`Config::public_url`].
    pub set_public_url: Option<String>,
    /// Folders that file sources may lie in; default `sources` in `data_dir`.
    pub source_roots: Vec<PathBuf>,
    /// Default the file `master.key` in `data_dir`.
    pub master_key: MasterKeySource,
    pub log_format: LogFormat,
    pub log_level: LogLevel,
    /// 60 to 900, default 300.
    pub token_lifetime_seconds: i64,
    /// HTTP worker threads; default as many as the machine has cores for us.
    pub workers: usize,
    /// What the data plane may hold in memory, in MiB; default 256.
    pub engine_memory_mb: usize,
    /// The largest upload in MiB; default 25.
    pub max_upload_mb: usize,
    /// How long a client may take to send its headers; default 10.
    pub header_timeout_seconds: u64,
    /// How long an idle connection is kept; default 60.
    pub idle_timeout_seconds: u64,
    /// Requests of one client at the OAuth endpoints in a second, ten times as many at once; default 50, 0 is no limit.
    pub oauth_requests_per_second: u32,
    /// Failures with one client id from one address in a minute; default 10, 0 is no limit.
    pub oauth_failures_per_minute: u32,
    /// Hosts that sources and clients' published keys (`jwks_uri`) may be fetched from although they lie in a private network or
    /// speak in the clear; default none.
    pub outbound_hosts: Vec<AllowedHost>,
    /// Proxies whose word on a client's address (`X-Forwarded-For`) is believed; default none.
    pub trusted_proxies: Vec<AddressRange>,
    /// The name of this process among brokers on one database, when one was set.
    pub broker: Option<String>,
}

/// A setting that can't be used. Names the key and where it came from, says what would be right, never shows a value.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration file {path} can't be read")]
    Unreadable { path: String, source: std::io::Error },
    #[error("the configuration file {path} is not TOML: line {line}: {message}")]
    NotToml { path: String, line: usize, message: String },
    #[error("{origin} is not a setting{hint}")]
    Unknown { origin: String, hint: String },
    #[error("{origin} {reason}")]
    Wrong { origin: String, reason: String },
    #[error("TIDEGATE_MASTER_KEY and {other} are both set: give the master key once")]
    TwoMasterKeys { other: String },
}

/// The process's environment, read here and nowhere else.
#[allow(clippy::disallowed_methods, reason = "the one reader of the environment")]
pub fn environment() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

impl Config {
    /// Reads the file, if one is named, then the environment, then the flags.
    ///
    /// # Errors
    /// At the first key that is unknown or can't be used.
    pub fn load(overrides: Overrides, environment: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        let usual = overrides.usual_data_dir.unwrap_or("./tidegate-data");
        Self::from_layers(&Layers::read(overrides, environment)?, usual)
    }

    /// Where clients reach this installation, given the address it really listens on: as set, else that address.
    pub fn public_url(&self, bound: SocketAddr) -> String {
        match &self.set_public_url {
            Some(url) => url.clone(),
            // "Every address" is none that a client could call.
            None if bound.ip().is_unspecified() => format!("http://localhost:{}", bound.port()),
            None => format!("http://{bound}"),
        }
    }

    fn from_layers(layers: &Layers, usual_data_dir: &str) -> Result<Self, ConfigError> {
        let data_dir = layers.get("data_dir", values::working_path)?;
        let data_dir = match data_dir {
            Some(path) => path,
            None => values::absolute(usual_data_dir).map_err(|reason| layers.wrong("data_dir", reason))?,
        };
        let below = |path: &str| data_dir.join(path);
        Ok(Self {
            listen: layers.get("listen", values::address)?.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8640))),
            database_url: layers
                .get("database_url", |value| values::database_url(value, &data_dir))?
                .unwrap_or_else(|| DatabaseUrl::Sqlite(below("tidegate.db"))),
            set_public_url: layers.get("public_url", values::public_url)?,
            source_roots: layers.get("source_roots", |value| values::paths(value, &data_dir))?.unwrap_or_else(|| vec![below("sources")]),
            master_key: master_key(layers, &data_dir)?,
            log_format: layers.get("log_format", values::log_format)?.unwrap_or(LogFormat::Text),
            log_level: layers.get("log_level", values::log_level)?.unwrap_or(LogLevel::Info),
            token_lifetime_seconds: layers.number("token_lifetime_seconds", 60..=900)?.unwrap_or(300),
            workers: layers.number("workers", 1..=256)?.unwrap_or_else(cores),
            engine_memory_mb: layers.number("engine_memory_mb", 64..=1_048_576)?.unwrap_or(256),
            max_upload_mb: layers.number("max_upload_mb", 1..=1_024)?.unwrap_or(25),
            header_timeout_seconds: layers.number("header_timeout_seconds", 1..=300)?.unwrap_or(10),
            idle_timeout_seconds: layers.number("idle_timeout_seconds", 1..=3_600)?.unwrap_or(60),
            oauth_requests_per_second: layers.number("oauth_requests_per_second", 0..=100_000)?.unwrap_or(50),
            oauth_failures_per_minute: layers.number("oauth_failures_per_minute", 0..=100_000)?.unwrap_or(10),
            outbound_hosts: layers.get("outbound_hosts", values::hosts)?.unwrap_or_default(),
            trusted_proxies: layers.get("trusted_proxies", values::ranges)?.unwrap_or_default(),
            broker: layers.get("broker", values::broker)?,
            data_dir,
        })
    }
}

fn master_key(layers: &Layers, data_dir: &std::path::Path) -> Result<MasterKeySource, ConfigError> {
    let file = layers.get("master_key_file", |value| values::path(value, data_dir))?;
    match (layers.master_key(), file) {
        (Some(_), Some(_)) => Err(ConfigError::TwoMasterKeys { other: layers.origin("master_key_file") }),
        (Some(text), None) => Ok(MasterKeySource::Environment(text.to_owned())),
        (None, file) => Ok(MasterKeySource::File(file.unwrap_or_else(|| data_dir.join("master.key")))),
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, usize::from).min(256)
}

//! Each kind of setting is read once, and a wrong one is told by what would be right, never by what it was.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::domain::address::AddressRange;
use crate::domain::text::Slug;
use crate::outbound::AllowedHost;

use super::layers::Value;
use super::{DatabaseUrl, LogFormat, LogLevel};

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
        Value::Number(_) | Value::List(_) | Value::Other => None,
    }
}

/// A path from the working directory, made absolute.
pub(super) fn working_path(value: &Value) -> Result<PathBuf, String> {
    absolute(text(value).ok_or("must be a path")?)
}

/// Makes a path absolute; nothing needs to be there.
pub(super) fn absolute(path: &str) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|_| "must be a path, absolute where the working directory is gone".to_owned())
}

/// A path from the data directory.
pub(super) fn path(value: &Value, data_dir: &Path) -> Result<PathBuf, String> {
    text(value).map(|path| data_dir.join(path)).ok_or_else(|| "must be a path".to_owned())
}

/// Paths from the data directory: a list in the file, separated by `:` elsewhere.
pub(super) fn paths(value: &Value, data_dir: &Path) -> Result<Vec<PathBuf>, String> {
    let paths: Vec<PathBuf> = match value {
        Value::Text(text) => std::env::split_paths(text).collect(),
        Value::List(items) => items.iter().map(PathBuf::from).collect(),
        Value::Number(_) | Value::Other => Vec::new(),
    };
    // An empty one would be the data directory, with the keys in it.
    if paths.is_empty() || paths.iter().any(|path| path.as_os_str().is_empty()) {
        return Err("must be folders: a list of texts in a file, separated by ':' in the environment".to_owned());
    }
    Ok(paths.into_iter().map(|path| data_dir.join(path)).collect())
}

/// An address to listen on.
pub(super) fn address(value: &Value) -> Result<SocketAddr, String> {
    text(value)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| "must be an IP address and a port, such as 127.0.0.1:8640 or [::1]:8640".to_owned())
}

/// The database. The value never goes into the message: it may hold a password.
pub(super) fn database_url(value: &Value, data_dir: &Path) -> Result<DatabaseUrl, String> {
    const RIGHT: &str = "must be postgres://user@host/database or sqlite:PATH with the path of a file";
    let text = text(value).ok_or(RIGHT)?;
    if ["postgres://", "postgresql://"].iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty())) {
        return Ok(DatabaseUrl::Postgres(text.to_owned()));
    }
    let path = text.strip_prefix("sqlite:").ok_or(RIGHT)?;
    let path = path.strip_prefix("//").unwrap_or(path);
    // A pool would open one empty database for each connection.
    if path.is_empty() || path.contains(":memory:") {
        return Err(RIGHT.to_owned());
    }
    Ok(DatabaseUrl::Sqlite(data_dir.join(path)))
}

/// The public address: scheme, host, perhaps a port. It is the issuer of tokens, which are compared by bytes, so it
/// has one spelling: no slash at the end.
pub(super) fn public_url(value: &Value) -> Result<String, String> {
    let right = || "must be http:// or https:// with a host and no path, such as https://gate.example.org".to_owned();
    let url = text(value).ok_or_else(right)?;
    let url = url.strip_suffix('/').unwrap_or(url);
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")).ok_or_else(right)?;
    let is_host = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(is_host) { Err(right()) } else { Ok(url.to_owned()) }
}

pub(super) fn log_format(value: &Value) -> Result<LogFormat, String> {
    match text(value) {
        Some("text") => Ok(LogFormat::Text),
        Some("json") => Ok(LogFormat::Json),
        _ => Err("must be text or json".to_owned()),
    }
}

pub(super) fn log_level(value: &Value) -> Result<LogLevel, String> {
    match text(value) {
        Some("error") => Ok(LogLevel::Error),
        Some("warn") => Ok(LogLevel::Warn),
        Some("info") => Ok(LogLevel::Info),
        Some("debug") => Ok(LogLevel::Debug),
        Some("trace") => Ok(LogLevel::Trace),
        _ => Err("must be error, warn, info, debug or trace".to_owned()),
    }
}

/// Hosts, perhaps with ports: a list in the file, separated by commas elsewhere.
pub(super) fn hosts(value: &Value) -> Result<Vec<AllowedHost>, String> {
    let hosts: Vec<&str> = match value {
        Value::Text(text) => text.split(',').map(str::trim).filter(|host| !host.is_empty()).collect(),
        Value::List(items) => items.iter().map(String::as_str).collect(),
        Value::Number(_) | Value::Other => Vec::new(),
    };
    let right = "must be hosts, each with a port or without, such as minio.internal:9000: a list of texts in a file, separated by ',' in the environment";
    if hosts.is_empty() {
        return Err(right.to_owned());
    }
    hosts.into_iter().map(str::parse).collect::<Result<_, _>>().map_err(|_| right.to_owned())
}

/// Ranges of addresses: a list in the file, separated by commas elsewhere.
pub(super) fn ranges(value: &Value) -> Result<Vec<AddressRange>, String> {
    let ranges: Vec<&str> = match value {
        Value::Text(text) => text.split(',').map(str::trim).filter(|range| !range.is_empty()).collect(),
        Value::List(items) => items.iter().map(String::as_str).collect(),
        Value::Number(_) | Value::Other => Vec::new(),
    };
    let right = "must be addresses or ranges of them, such as 10.0.0.0/8: a list of texts in a file, separated by ',' in the environment";
    if ranges.is_empty() {
        return Err(right.to_owned());
    }
    ranges.into_iter().map(str::parse).collect::<Result<_, _>>().map_err(|_| right.to_owned())
}

/// The name of a broker.
pub(super) fn broker(value: &Value) -> Result<String, String> {
    match text(value).map(str::parse::<Slug>) {
        Some(Ok(name)) => Ok(name.into()),
        Some(Err(invalid)) => Err(invalid.reason),
        None => Err("must be a name".to_owned()),
    }
}

/// A whole number within a range; in the environment written in digits.
pub(super) fn number<T: TryFrom<i64>>(value: &Value, range: &RangeInclusive<i64>) -> Result<T, String> {
    let number = match value {
        Value::Number(number) => Some(*number),
        Value::Text(text) => text.parse().ok(),
        Value::List(_) | Value::Other => None,
    };
    number
        .filter(|number| range.contains(number))
        .and_then(|number| T::try_from(number).ok())
        .ok_or_else(|| format!("must be a whole number from {} to {}", range.start(), range.end()))
}

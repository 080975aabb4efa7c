//! Settings as they were given: by which layer, under which key; the strongest layer stays.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::{ConfigError, Overrides, values};

/// Every key of the file; in the environment it is upper case behind `TIDEGATE_`.
pub(super) const KEYS: [&str; 19] = [
    "broker",
    "data_dir",
    "database_url",
    "engine_memory_mb",
    "header_timeout_seconds",
    "idle_timeout_seconds",
    "listen",
    "log_format",
    "log_level",
    "master_key_file",
    "max_upload_mb",
    "oauth_failures_per_minute",
    "oauth_requests_per_second",
    "outbound_hosts",
    "public_url",
    "source_roots",
    "token_lifetime_seconds",
    "trusted_proxies",
    "workers",
];

const PREFIX: &str = "TIDEGATE_";
const CONFIG: &str = "TIDEGATE_CONFIG";
const MASTER_KEY: &str = "TIDEGATE_MASTER_KEY";
/// Variables for the tests of Tidegate itself; they set nothing.
const TEST: &str = "TIDEGATE_TEST_";

/// A value before its key gives it a type.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// From a file: text is text. From elsewhere everything is text.
    Text(String),
    Number(i64),
    List(Vec<String>),
    /// A table, a date, …: no key takes one.
    Other,
}

/// A value and who gave it, in words that a message can begin with.
struct Given {
    value: Value,
    origin: String,
}

/// What was given of each key by the strongest layer.
#[derive(Default)]
pub(super) struct Layers {
    given: BTreeMap<&'static str, Given>,
    master_key: Option<String>,
}

impl Layers {
    pub(super) fn read(overrides: Overrides, environment: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        let variables = ours(environment)?;
        let mut layers = Self::default();
        if let Some(path) = overrides.config.clone().or_else(|| variables.get(CONFIG).map(PathBuf::from)) {
            layers.add_file(&path)?;
        }
        layers.add_environment(variables)?;
        layers.add_flags(overrides)?;
        Ok(layers)
    }

    /// The value of a key, if any layer gave it, read by `parse`, which says what would be right.
    pub(super) fn get<T>(&self, key: &'static str, parse: impl FnOnce(&Value) -> Result<T, String>) -> Result<Option<T>, ConfigError> {
        let Some(given) = self.given.get(key) else { return Ok(None) };
        parse(&given.value).map(Some).map_err(|reason| self.wrong(key, reason))
    }

    /// A whole number within a range.
    pub(super) fn number<T: TryFrom<i64>>(&self, key: &'static str, range: RangeInclusive<i64>) -> Result<Option<T>, ConfigError> {
        self.get(key, |value| values::number(value, &range))
    }

    pub(super) fn master_key(&self) -> Option<&str> {
        self.master_key.as_deref()
    }

    pub(super) fn wrong(&self, key: &str, reason: String) -> ConfigError {
        ConfigError::Wrong { origin: self.origin(key), reason }
    }

    /// Who gave a key, as its owner knows it.
    pub(super) fn origin(&self, key: &str) -> String {
        self.given.get(key).map_or_else(|| key.to_owned(), |given| given.origin.clone())
    }

    fn add_file(&mut self, path: &Path) -> Result<(), ConfigError> {
        let shown = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Unreadable { path: shown.clone(), source })?;
        // The error's own display quotes the line, in which a password may stand; its message does not.
        let table: toml::Table = toml::from_str(&text).map_err(|error| ConfigError::NotToml {
            path: shown.clone(),
            line: line_of(&text, error.span().map_or(0, |span| span.start)),
            message: error.message().to_owned(),
        })?;
        for (name, value) in table {
            let origin = format!("'{name}' in {shown}");
            let key = known(&name).ok_or_else(|| unknown(&origin, &name))?;
            self.given.insert(key, Given { value: from_toml(value), origin });
        }
        Ok(())
    }

    fn add_environment(&mut self, variables: BTreeMap<String, String>) -> Result<(), ConfigError> {
        for (name, text) in variables {
            if name == MASTER_KEY {
                self.master_key = Some(text);
            } else if name != CONFIG {
                let lower = name.trim_start_matches(PREFIX).to_lowercase();
                // An upper-case key only: `TIDEGATE_listen` is a slip, not a setting.
                let key = known(&lower).filter(|key| name == format!("{PREFIX}{}", key.to_uppercase()));
                let key = key.ok_or_else(|| unknown(&format!("the environment variable {name}"), &lower))?;
                self.given.insert(key, Given { value: Value::Text(text), origin: name });
            }
        }
        Ok(())
    }

    fn add_flags(&mut self, overrides: Overrides) -> Result<(), ConfigError> {
        let data_dir = match overrides.data_dir.map(|path| path.into_os_string().into_string()) {
            Some(Err(_)) => return Err(ConfigError::Wrong { origin: "--data-dir".to_owned(), reason: NOT_UTF8.to_owned() }),
            Some(Ok(path)) => Some(path),
            None => None,
        };
        let flags = [
            ("data_dir", "--data-dir", data_dir),
            ("database_url", "--database-url", overrides.database_url),
            ("listen", "--listen", overrides.listen),
            ("log_format", "--log-format", overrides.log_format),
        ];
        for (key, flag, text) in flags {
            if let Some(text) = text {
                self.given.insert(key, Given { value: Value::Text(text), origin: flag.to_owned() });
            }
        }
        Ok(())
    }
}

const NOT_UTF8: &str = "must be UTF-8";

/// Our variables; those of tests and of others are left alone.
fn ours(environment: impl Iterator<Item = (OsString, OsString)>) -> Result<BTreeMap<String, String>, ConfigError> {
    let mut variables = BTreeMap::new();
    for (name, value) in environment {
        let name = name.to_string_lossy().into_owned();
        if !name.starts_with(PREFIX) || name.starts_with(TEST) {
            continue;
        }
        match value.into_string() {
            Ok(text) => variables.insert(name, text),
            Err(_) => return Err(ConfigError::Wrong { origin: name, reason: NOT_UTF8.to_owned() }),
        };
    }
    Ok(variables)
}

fn known(name: &str) -> Option<&'static str> {
    KEYS.into_iter().find(|key| *key == name)
}

fn unknown(origin: &str, name: &str) -> ConfigError {
    let hint = match name {
        "master_key" => "; the master key is given as TIDEGATE_MASTER_KEY or as the file that master_key_file names".to_owned(),
        _ => format!("; there are: {}", KEYS.join(", ")),
    };
    ConfigError::Unknown { origin: origin.to_owned(), hint }
}

fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::Text(text),
        toml::Value::Integer(number) => Value::Number(number),
        toml::Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
            texts.map_or(Value::Other, Value::List)
        }
        toml::Value::Float(_) | toml::Value::Boolean(_) | toml::Value::Datetime(_) | toml::Value::Table(_) => Value::Other,
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

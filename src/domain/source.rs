//! Sources: where rows live, and how they are reached. A secret is never part of it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Invalid;
use super::id::SourceId;
use super::text::{FieldName, Line, Name, Prose};
use super::time::Instant;

/// Where rows live. No part of it reaches an answer to a vendor, and none of it is a secret: that is kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum SourceLocation {
    /// A SQLite database file.
    Sqlite { path: Line },
    /// CSV files, each with a header line.
    Csv {
        /// A file or folder below a source root, or `s3://bucket/prefix`.
        path: Line,
        /// The separator, one ASCII character.
        #[serde(default = "comma")]
        delimiter: char,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        store: Option<ObjectStoreAt>,
    },
    /// Parquet files.
    Parquet {
        /// A file or folder below a source root, or `s3://bucket/prefix`.
        path: Line,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        store: Option<ObjectStoreAt>,
    },
    /// Files with one JSON object a line.
    Ndjson {
        /// A file or folder below a source root, or `s3://bucket/prefix`.
        path: Line,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        store: Option<ObjectStoreAt>,
    },
    /// A schema of a PostgreSQL database; the secret is the user's password.
    Postgres(PostgresAt),
    /// JSON over HTTP; the secret is sent as `sends` says.
    HttpJson(HttpJsonAt),
}

const fn comma() -> char {
    ','
}

/// How an object store is reached; the secret is the secret access key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectStoreAt {
    /// The store's own address where it is not Amazon's, such as `https://minio.example.org:9000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Line>,
    /// `us-east-1` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Line>,
    /// The access key's id; without one the bucket is read as anybody may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key: Option<Line>,
}

/// How a PostgreSQL database is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostgresAt {
    pub host: Line,
    #[serde(default = "postgres_port")]
    pub port: u16,
    pub database: Line,
    pub user: Line,
    /// The schema whose tables are read; `public` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<FieldName>,
    #[serde(default)]
    pub tls: Tls,
    /// The certificate authority that the server's certificate is checked against, in PEM, beside those that the system
    /// trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Prose>,
    /// Seconds after which the database stops a statement, and with it a release that is still being read: 1 to 86,400.
    #[serde(default = "statement_seconds")]
    pub timeout_seconds: u32,
}

const fn postgres_port() -> u16 {
    5432
}

const fn statement_seconds() -> u32 {
    900
}

/// Whether a connection is encrypted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// Encrypted, and the server's certificate and name are checked.
    #[default]
    Verified,
    /// In the clear: for a database on the same machine or in a network of its own.
    None,
}

/// How JSON is fetched over HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpJsonAt {
    /// The first page.
    pub url: Line,
    #[serde(default)]
    pub sends: Sends,
    /// A JSON Pointer (RFC 6901) to the array of objects; the document itself when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<Line>,
    #[serde(default)]
    pub paging: Paging,
}

/// How the secret is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "as", rename_all = "snake_case", deny_unknown_fields)]
pub enum Sends {
    /// There is none.
    #[default]
    #[serde(deserialize_with = "super::no_members")]
    Nothing,
    /// `Authorization: Bearer`.
    #[serde(deserialize_with = "super::no_members")]
    Bearer,
    /// A header of its own.
    Header { name: Line },
}

/// How the next page is found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Paging {
    /// There is one page.
    #[default]
    #[serde(deserialize_with = "super::no_members")]
    None,
    /// The answer's `Link` header with `rel="next"` (RFC 8288).
    #[serde(deserialize_with = "super::no_members")]
    LinkHeader,
    /// A JSON Pointer to the next page's address.
    NextUrl { at: Line },
    /// A JSON Pointer to a cursor, sent in a parameter of the query.
    Cursor { at: Line, parameter: Line },
}

impl SourceLocation {
    /// Where it is, for people: a path, an address, a database; without a query, in which some services want secrets.
    pub fn place(&self) -> String {
        match self {
            Self::Sqlite { path } | Self::Csv { path, .. } | Self::Parquet { path, .. } | Self::Ndjson { path, .. } => path.to_string(),
            Self::Postgres(at) => format!("{}:{}/{} ({})", at.host, at.port, at.database, at.schema()),
            Self::HttpJson(at) => at.url.as_str().split('?').next().unwrap_or_default().to_owned(),
        }
    }

    /// The wire name of the kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Csv { .. } => "csv",
            Self::Parquet { .. } => "parquet",
            Self::Ndjson { .. } => "ndjson",
            Self::Postgres(_) => "postgres",
            Self::HttpJson(_) => "http_json",
        }
    }

    /// Whether a secret belongs to it; one that has none can't be given one.
    pub fn takes_secret(&self) -> bool {
        match self {
            Self::Sqlite { .. } => false,
            Self::Csv { store, .. } | Self::Parquet { store, .. } | Self::Ndjson { store, .. } => {
                store.as_ref().is_some_and(|store| store.access_key.is_some())
            }
            Self::Postgres(_) => true,
            Self::HttpJson(at) => at.sends != Sends::Nothing,
        }
    }

    /// Each part by itself; whether anything is there is for the engine to say.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Sqlite { .. } => Ok(()),
            Self::Csv { path, delimiter, store } => {
                if !(delimiter.is_ascii_graphic() || *delimiter == '\t' || *delimiter == ' ') || *delimiter == '"' {
                    return Err(Invalid::new("delimiter", "must be one ASCII character other than a quote"));
                }
                check_store(path, store.as_ref())
            }
            Self::Parquet { path, store } | Self::Ndjson { path, store } => check_store(path, store.as_ref()),
            Self::Postgres(at) => at.check(),
            Self::HttpJson(at) => at.check(),
        }
    }
}

/// Splits `s3://bucket/prefix`.
pub fn bucket_and_prefix(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("s3://")?;
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

fn check_store(path: &Line, store: Option<&ObjectStoreAt>) -> Result<(), Invalid> {
    let path = path.as_str();
    let Some((bucket, _)) = bucket_and_prefix(path) else {
        if path.contains("://") && !path.starts_with("file://") {
            return Err(Invalid::new("path", "must be below a source root, or s3://bucket/prefix"));
        }
        return match store {
            Some(_) => Err(Invalid::new("store", "must be left out: only s3://bucket/prefix has one")),
            None => Ok(()),
        };
    };
    // The rules of names of buckets, without which the name could be taken for a host or a path.
    let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(named) {
        return Err(Invalid::new("path", "must name a bucket, such as s3://crm-exports/customers/"));
    }
    match store.and_then(|store| store.endpoint.as_ref()) {
        Some(endpoint) => check_url("store.endpoint", endpoint),
        None => Ok(()),
    }
}

/// An address of http or https without a name and password in it.
fn check_url(field: &str, url: &Line) -> Result<(), Invalid> {
    let text = url.as_str();
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let rest = rest.ok_or_else(|| Invalid::new(field, "must begin with https:// or http://"))?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return Err(Invalid::new(field, "must hold no name and password: a secret is given apart, and kept encrypted"));
    }
    if host.is_empty() || text.contains(char::is_whitespace) || text.contains('#') {
        return Err(Invalid::new(field, "must be a whole address, such as https://crm.example.org/customers"));
    }
    Ok(())
}

fn check_pointer(field: &str, pointer: &Line) -> Result<(), Invalid> {
    if pointer.as_str().starts_with('/') { Ok(()) } else { Err(Invalid::new(field, "must be a JSON Pointer, such as /data/items")) }
}

impl PostgresAt {
    /// The schema whose tables are read.
    pub fn schema(&self) -> &str {
        self.schema.as_ref().map_or("public", FieldName::as_str)
    }

    fn check(&self) -> Result<(), Invalid> {
        let host = self.host.as_str();
        if host.contains(['/', ',', '@']) || host.contains(char::is_whitespace) {
            return Err(Invalid::new("host", "must be one host name or address"));
        }
        if self.port == 0 {
            return Err(Invalid::new("port", "must be 1 to 65535"));
        }
        if !(1..=86_400).contains(&self.timeout_seconds) {
            return Err(Invalid::new("timeout_seconds", "must be 1 to 86400"));
        }
        match (&self.certificate, self.tls) {
            (Some(_), Tls::None) => Err(Invalid::new("certificate", "must be left out where tls is none")),
            (Some(pem), Tls::Verified) if !pem.as_str().contains("-----BEGIN CERTIFICATE-----") => {
                Err(Invalid::new("certificate", "must be a certificate in PEM"))
            }
            (Some(_) | None, Tls::Verified | Tls::None) => Ok(()),
        }
    }
}

impl HttpJsonAt {
    fn check(&self) -> Result<(), Invalid> {
        check_url("url", &self.url)?;
        if let Some(rows) = &self.rows {
            check_pointer("rows", rows)?;
        }
        match &self.paging {
            Paging::None | Paging::LinkHeader => {}
            Paging::NextUrl { at } => check_pointer("paging.at", at)?,
            Paging::Cursor { at, parameter } => {
                check_pointer("paging.at", at)?;
                if !parameter.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.[]".contains(&byte)) {
                    return Err(Invalid::new("paging.parameter", "must be the name of a parameter, such as cursor"));
                }
            }
        }
        match &self.sends {
            Sends::Header { name } if !is_header(name.as_str()) => Err(Invalid::new("sends.name", "must be the name of a header")),
            Sends::Header { .. } | Sends::Nothing | Sends::Bearer => Ok(()),
        }
    }
}

/// A token of RFC 9110, 5.6.2, that steers nothing of the connection itself.
fn is_header(name: &str) -> bool {
    let steers = ["host", "connection", "content-length", "transfer-encoding", "te", "upgrade", "trailer", "expect"];
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(token) && !steers.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// A registered source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Source {
    pub id: SourceId,
    pub name: Name,
    pub location: SourceLocation,
    pub created_at: Instant,
    pub version: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(json: &str) -> Result<(), String> {
        serde_json::from_str::<SourceLocation>(json).map_err(|error| error.to_string())?.check().map_err(|error| error.field)
    }

    #[test]
    fn each_kind_is_checked_by_itself() {
        for good in [
            r#"{"kind":"csv","path":"crm/customers.csv"}"#,
            r#"{"kind":"parquet","path":"s3://crm-exports/customers/","store":{"endpoint":"https://minio.example.org:9000","access_key":"A"}}"#,
            r#"{"kind":"ndjson","path":"events"}"#,
            r#"{"kind":"postgres","host":"db.example.org","database":"crm","user":"tidegate"}"#,
            r#"{"kind":"http_json","url":"https://crm.example.org/v1/customers?per_page=100","sends":{"as":"bearer"},"rows":"/data","paging":{"by":"link_header"}}"#,
        ] {
            assert_eq!(checked(good), Ok(()), "{good}");
        }
        for (bad, field) in [
            (r#"{"kind":"csv","path":"a.csv","delimiter":"\""}"#, "delimiter"),
            (r#"{"kind":"parquet","path":"gs://bucket/a"}"#, "path"),
            (r#"{"kind":"parquet","path":"s3://B/a"}"#, "path"),
            (r#"{"kind":"parquet","path":"a.parquet","store":{}}"#, "store"),
            (r#"{"kind":"postgres","host":"a,b","database":"crm","user":"u"}"#, "host"),
            (r#"{"kind":"postgres","host":"a","database":"crm","user":"u","timeout_seconds":0}"#, "timeout_seconds"),
            (r#"{"kind":"postgres","host":"a","database":"crm","user":"u","tls":"none","certificate":"x"}"#, "certificate"),
            (r#"{"kind":"http_json","url":"ftp://a"}"#, "url"),
            (r#"{"kind":"http_json","url":"https://u:p@a/"}"#, "url"),
            (r#"{"kind":"http_json","url":"https://a/","rows":"data"}"#, "rows"),
            (r#"{"kind":"http_json","url":"https://a/","sends":{"as":"header","name":"Host"}}"#, "sends.name"),
            (r#"{"kind":"http_json","url":"https://a/","paging":{"by":"cursor","at":"/next","parameter":"a&b"}}"#, "paging.parameter"),
        ] {
            assert_eq!(checked(bad), Err(field.to_owned()), "{bad}");
        }
        assert!(checked(r#"{"kind":"postgres","host":"a","database":"crm","user":"u","password":"p"}"#).is_err());
        assert!(checked(r#"{"kind":"http_json","url":"https://a/","sends":{"as":"bearer","token":"x"}}"#).is_err());
    }

    #[test]
    fn a_query_is_not_shown() {
        let at = r#"{"kind":"http_json","url":"https://a.example/x?key=hidden"}"#;
        assert_eq!(serde_json::from_str::<SourceLocation>(at).unwrap().place(), "https://a.example/x");
    }
}

//! PostgreSQL as a source: a connection of the source's own, read-only, with the tables of one schema.

mod condition;
mod copy;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use datafusion::catalog::TableProvider;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, PoolError, RecyclingMethod, Runtime};
use postgres_protocol::escape::{escape_identifier, escape_literal};
use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{EngineError, Fits, Form, Table, TableColumn};
use crate::domain::condition::Alternatives;
use crate::domain::dataset::LogicalType;
use crate::domain::secret::PlainSecret;
use crate::domain::source::{PostgresAt, Tls};

/// Connections of one source at once, at most.
const MOST_CONNECTIONS: usize = 16;
/// How long a release waits for one of them.
const WAIT: Duration = Duration::from_secs(10);
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// A database that can be asked.
#[derive(Clone)]
pub(in crate::engine) struct Database {
    pool: Pool,
    /// For stopping what runs; none in the clear.
    tls: Option<MakeRustlsConnect>,
    schema: String,
    timeout_seconds: u32,
}

impl fmt::Debug for Database {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Database(..)")
    }
}

/// What a column holds, as PostgreSQL says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Boolean,
    Integer,
    Float,
    /// With a fixed number of digits behind the point, where it has one.
    Numeric {
        scale: Option<i8>,
    },
    /// Whether `=` compares bytes, as it does under every collation but those that say otherwise.
    Text {
        by_bytes: bool,
    },
    /// Something else whose text is its value: UUID, enumerated, case-insensitive.
    AsText,
    Date,
    Timestamp,
    TimestampWithZone,
    Other,
}

/// What a scan of a table needs to know.
#[derive(Debug, Clone)]
pub(super) struct Described {
    kinds: Vec<Kind>,
    /// The columns of the primary key, quoted: the one order that stays.
    order: Option<String>,
    /// Schema and table, quoted.
    place: String,
    /// About how many rows, where it is a table whose blocks can be sampled.
    rows: Option<f64>,
}

impl Database {
    /// Prepares to connect; nobody is asked yet.
    pub(in crate::engine) fn new(at: &PostgresAt, secret: Option<&PlainSecret>) -> Result<Self, EngineError> {
        let mut config = Config::new();
        config
            .host(at.host.as_str())
            .port(at.port)
            .dbname(at.database.as_str())
            .user(at.user.as_str())
            .application_name("tidegate")
            .connect_timeout(CONNECT)
            .tcp_user_timeout(Duration::from_secs(60))
            .ssl_mode(if at.tls == Tls::Verified { SslMode::Require } else { SslMode::Disable });
        if let Some(secret) = secret {
            config.password(secret.reveal());
        }
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let tls = match at.tls {
            Tls::Verified => Some(connector(at)?),
            Tls::None => None,
        };
        let manager = match &tls {
            Some(tls) => Manager::from_config(config, tls.clone(), recycling),
            None => Manager::from_config(config, NoTls, recycling),
        };
        let pool = Pool::builder(manager)
            .max_size(MOST_CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(WAIT))
            .create_timeout(Some(CONNECT + CONNECT / 2))
            .recycle_timeout(Some(WAIT))
            .build();
        let pool = pool.map_err(|_| EngineError::internal("the connections of a source could not be prepared"))?;
        Ok(Self { pool, tls, schema: at.schema().to_owned(), timeout_seconds: at.timeout_seconds })
    }

    /// A connection within a read-only transaction that sees one state of the database, and that ends by itself.
    async fn begin(&self) -> Result<Object, EngineError> {
        let connection = self.pool.get().await.map_err(unreachable)?;
        // With an empty search path no function of a stranger's schema is ever meant.
        let begin = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '{}s'; SET LOCAL search_path = ''",
            self.timeout_seconds
        );
        match connection.batch_execute(&begin).await {
            Ok(()) => Ok(connection),
            Err(error) => {
                drop(Object::take(connection));
                Err(error.into())
            }
        }
    }

    /// Asks one question and gives the connection back.
    async fn ask(&self, query: &str) -> Result<Vec<tokio_postgres::Row>, EngineError> {
        let connection = self.begin().await?;
        let answer = connection.query(query, &[]).await;
        match connection.batch_execute("COMMIT").await {
            Ok(()) => drop(connection),
            Err(_) => drop(Object::take(connection)),
        }
        Ok(answer?)
    }

    /// Every table and view of the schema that the user may read.
    pub(super) async fn tables(&self) -> Result<Vec<Table>, EngineError> {
        let rows = self.ask(&columns_query(&self.schema, None)).await?;
        described(&self.schema, &rows)
    }

    /// The table or view of that name, spelt exactly.
    pub(super) async fn table(&self, name: &str) -> Result<Table, EngineError> {
        let rows = self.ask(&columns_query(&self.schema, Some(name))).await?;
        described(&self.schema, &rows)?.pop().ok_or_else(|| EngineError::Drift("the table is gone".to_owned()))
    }

    /// A digest that changes with the table's definition and with what was written to it, as the server's statistics
    /// tell it: they follow a write by a second or so (PostgreSQL 16, 28.2). Of a view only the definition is known.
    pub(in crate::engine) async fn version(&self, table: &str) -> Result<String, EngineError> {
        let (schema, table) = (escape_literal(&self.schema), escape_literal(table));
        let query = format!(
            "SELECT pg_catalog.concat_ws(' ', c.oid, c.relfilenode, c.relkind, \
             (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', a.attnum, a.attname, a.atttypid, a.atttypmod), ',' ORDER BY a.attnum) \
              FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), \
             (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(' ', p.relid, pg_catalog.pg_stat_get_tuples_inserted(p.relid), \
              pg_catalog.pg_stat_get_tuples_updated(p.relid), pg_catalog.pg_stat_get_tuples_deleted(p.relid)), ',' ORDER BY p.relid) \
              FROM (SELECT c.oid AS relid UNION SELECT t.relid::pg_catalog.oid FROM pg_catalog.pg_partition_tree(c.oid) t) p)) \
             FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = {schema} AND c.relname = {table}"
        );
        let rows = self.ask(&query).await?;
        let row = rows.first().ok_or_else(|| EngineError::Drift("the table is gone".to_owned()))?;
        let told: &str = row.try_get(0)?;
        Ok(HEXLOWER.encode(digest(&SHA256, told.as_bytes()).as_ref()))
    }
}

/// What `SELECT` finds out about columns: one row for each, in the order of tables and columns.
fn columns_query(schema: &str, table: Option<&str>) -> String {
    let only = table.map(|name| format!(" AND c.relname = {}", escape_literal(name))).unwrap_or_default();
    format!(
        "SELECT c.relname::text, a.attname::text, \
         COALESCE(b.typname, t.typname)::text, COALESCE(b.typtype, t.typtype)::text, \
         COALESCE(NULLIF(a.atttypmod, -1), NULLIF(t.typtypmod, -1), -1)::int4, \
         COALESCE(k.place, 0)::int4, COALESCE(l.collisdeterministic, true), \
         CASE WHEN c.relkind IN ('r', 'm') AND c.reltuples > 0 THEN c.reltuples::float8 END \
         FROM pg_catalog.pg_class c \
         JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
         JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
         JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
         LEFT JOIN pg_catalog.pg_type b ON t.typtype = 'd' AND b.oid = t.typbasetype \
         LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation \
         LEFT JOIN LATERAL (SELECT u.place FROM pg_catalog.pg_index i, pg_catalog.unnest(i.indkey) WITH ORDINALITY AS u (attnum, place) \
           WHERE i.indrelid = c.oid AND i.indisprimary AND u.attnum = a.attnum) k ON true \
         WHERE n.nspname = {} AND c.relkind IN ('r', 'p', 'v', 'm', 'f'){only} \
         AND pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT') \
         ORDER BY c.relname COLLATE \"C\", a.attnum",
        escape_literal(schema)
    )
}

fn described(schema: &str, rows: &[tokio_postgres::Row]) -> Result<Vec<Table>, EngineError> {
    struct Found {
        name: String,
        columns: Vec<TableColumn>,
        kinds: Vec<Kind>,
        key: Vec<(i32, String)>,
        rows: Option<f64>,
    }
    let mut tables: Vec<Found> = Vec::new();
    for row in rows {
        let (table, name): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (typename, sort): (&str, &str) = (row.try_get(2)?, row.try_get(3)?);
        let (modifier, place, by_bytes): (i32, i32, bool) = (row.try_get(4)?, row.try_get(5)?, row.try_get(6)?);
        let kind = Kind::of(typename, sort, modifier, by_bytes);
        if tables.last().is_none_or(|known| known.name != table) {
            let rows = row.try_get(7)?;
            tables.push(Found { name: table, columns: Vec::new(), kinds: Vec::new(), key: Vec::new(), rows });
        }
        let Some(found) = tables.last_mut() else { continue };
        if place > 0 {
            found.key.push((place, escape_identifier(&name)));
        }
        let (logical, fits) = kind.logical();
        found.columns.push(TableColumn { name, logical, fits });
        found.kinds.push(kind);
    }
    let table = |Found { name, columns, kinds, mut key, rows }: Found| {
        key.sort();
        let order = (!key.is_empty()).then(|| key.into_iter().map(|(_, name)| name).collect::<Vec<_>>().join(", "));
        let place = format!("{}.{}", escape_identifier(schema), escape_identifier(&name));
        Table { name, columns, form: Form::Postgres(Described { kinds, order, place, rows }) }
    };
    Ok(tables.into_iter().map(table).collect())
}

impl Kind {
    /// Of a type's name in `pg_catalog`, its sort (`pg_type.typtype`) and modifier.
    fn of(name: &str, sort: &str, modifier: i32, by_bytes: bool) -> Self {
        match (name, sort) {
            ("bool", _) => Self::Boolean,
            ("int2" | "int4" | "int8", _) => Self::Integer,
            ("float4" | "float8", _) => Self::Float,
            ("numeric", _) => Self::Numeric { scale: scale_of(modifier) },
            ("text" | "varchar", _) => Self::Text { by_bytes },
            ("bpchar" | "name" | "citext" | "uuid", _) | (_, "e") => Self::AsText,
            ("date", _) => Self::Date,
            ("timestamp", _) => Self::Timestamp,
            ("timestamptz", _) => Self::TimestampWithZone,
            _ => Self::Other,
        }
    }

    /// What discovery calls it, and what it may be catalogued as.
    fn logical(self) -> (LogicalType, Fits) {
        let one_of = |logical: &[LogicalType]| Fits::OneOf(logical.to_vec());
        match self {
            Self::Boolean => (LogicalType::Boolean, Fits::Declared),
            Self::Integer => (LogicalType::Integer, Fits::Declared),
            Self::Float => (LogicalType::Number, Fits::Declared),
            Self::Numeric { scale: Some(_) } => {
                (LogicalType::Decimal, one_of(&[LogicalType::Decimal, LogicalType::Number, LogicalType::Text]))
            }
            // Each value has a scale of its own.
            Self::Numeric { scale: None } => (LogicalType::Number, one_of(&[LogicalType::Number, LogicalType::Text])),
            Self::Text { .. } | Self::AsText => (LogicalType::Text, Fits::Declared),
            Self::Date => (LogicalType::Date, Fits::Declared),
            Self::Timestamp | Self::TimestampWithZone => (LogicalType::Timestamp, Fits::Declared),
            Self::Other => (LogicalType::Other, Fits::Declared),
        }
    }
}

/// The digits behind the point of `numeric(p, s)`, where all its values fit 38 digits: the modifier is
/// ((p << 16) | (s & 0x7ff)) + 4 (`numerictypmodin` of PostgreSQL's numeric.c).
fn scale_of(modifier: i32) -> Option<i8> {
    let packed = modifier.checked_sub(4).filter(|packed| *packed >= 0)?;
    let (precision, scale) = (packed >> 16, packed & 0x7ff);
    if precision <= 38 && scale <= precision { i8::try_from(scale).ok() } else { None }
}

/// A scan of some columns within the permit's condition, each followed by the flag that says where it had a value.
pub(super) fn provider(
    database: Database,
    table: &Table,
    described: &Described,
    fields: &[(&str, LogicalType)],
    conditions: &[Alternatives],
    fetch: Option<u64>,
) -> Result<Arc<dyn TableProvider>, EngineError> {
    let mut tests = Vec::new();
    // The engine tests every row again, so what can't be said here costs speed and nothing else; but rows may only be
    // counted here where both say the same of each.
    let mut exact = true;
    for part in conditions {
        let said = condition::either(part, |comparison| {
            let logical = fields.iter().find(|(name, _)| *name == comparison.field.as_str()).map(|(_, logical)| *logical)?;
            Some((described.kind(table, comparison.field.as_str()).ok()?, logical))
        });
        exact &= said.as_ref().is_some_and(|said| said.exact);
        tests.extend(said.map(|said| said.sql));
    }
    let (mut query, columns) = described.selection(table, fields)?;
    if !tests.is_empty() {
        query = format!("{query} WHERE {}", tests.join(" AND "));
    }
    if let Some(order) = &described.order {
        query = format!("{query} ORDER BY {order}");
    }
    if let Some(rows) = fetch.filter(|_| exact) {
        query = format!("{query} LIMIT {}", rows.min(i64::MAX.unsigned_abs()));
    }
    copy::provider(database, query, columns)
}

/// Some rows, spread over the blocks of a table where its size is known; of a view the first ones.
pub(super) fn spread(
    database: Database,
    table: &Table,
    described: &Described,
    fields: &[(&str, LogicalType)],
    most: usize,
) -> Result<Arc<dyn TableProvider>, EngineError> {
    let (query, columns) = described.selection(table, fields)?;
    // Three times as many as wanted, since blocks hold what they hold.
    let part = described.rows.map(|rows| 300.0 * most as f64 / rows).filter(|part| *part < 100.0);
    let sample = part.map(|part| format!(" TABLESAMPLE SYSTEM ({part}) REPEATABLE (0)")).unwrap_or_default();
    copy::provider(database, format!("{query}{sample} LIMIT {most}"), columns)
}

impl Described {
    fn kind(&self, table: &Table, name: &str) -> Result<Kind, EngineError> {
        let at = table.columns.iter().position(|column| column.name == name);
        at.and_then(|at| self.kinds.get(at)).copied().ok_or_else(|| EngineError::Drift("a column is gone".to_owned()))
    }

    /// `SELECT … FROM …`, and what comes back.
    fn selection(&self, table: &Table, fields: &[(&str, LogicalType)]) -> Result<(String, Vec<copy::Selected>), EngineError> {
        let column = |(name, logical): &(&str, LogicalType)| Ok(((*name).to_owned(), self.kind(table, name)?, *logical));
        let columns = fields.iter().map(column).collect::<Result<Vec<_>, EngineError>>()?;
        let places = columns.iter().map(|(name, kind, logical)| copy::selected(name, *kind, *logical)).collect::<Result<Vec<_>, _>>()?;
        Ok((format!("SELECT {} FROM {}", places.join(", "), self.place), columns))
    }
}

fn connector(at: &PostgresAt) -> Result<MakeRustlsConnect, EngineError> {
    let untrusted = || EngineError::Unavailable("the certificate given for the database can't be used".to_owned());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let extra = match &at.certificate {
        Some(pem) => CertificateDer::pem_slice_iter(pem.as_str().as_bytes()).collect::<Result<Vec<_>, _>>().map_err(|_| untrusted())?,
        None => Vec::new(),
    };
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(|_| untrusted())?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| untrusted())?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn unreachable(error: PoolError) -> EngineError {
    match error {
        PoolError::Backend(error) => error.into(),
        // Every connection is busy with a release.
        PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => EngineError::Overloaded,
        PoolError::Timeout(_) => EngineError::Unavailable("the database does not answer".to_owned()),
        PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
            EngineError::internal("the connections of a source are gone")
        }
    }
}

impl From<tokio_postgres::Error> for EngineError {
    /// The server's own words may name tables, columns, values and hosts: only the kind of error goes on.
    fn from(error: tokio_postgres::Error) -> Self {
        let said = match error.code() {
            Some(code) if *code == SqlState::INVALID_PASSWORD || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
                "the database refuses the user or the secret"
            }
            Some(code) if *code == SqlState::INVALID_CATALOG_NAME => "the server has no such database",
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => "the user may not read it",
            Some(code) if *code == SqlState::QUERY_CANCELED => "the database stopped the statement: its time was over",
            Some(code) if *code == SqlState::UNDEFINED_TABLE || *code == SqlState::UNDEFINED_COLUMN => {
                return Self::Drift("a table or column is gone".to_owned());
            }
            Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS || *code == SqlState::CANNOT_CONNECT_NOW => {
                "the database takes no more connections just now"
            }
            Some(code) => {
                tracing::warn!(sqlstate = code.code(), "a PostgreSQL source failed");
                "the database could not answer"
            }
            None => "the database can't be reached, or its certificate is not trusted",
        };
        Self::Unavailable(said.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modifiers_tell_the_scale() {
        // numeric(10,2), numeric(38,0), numeric(40,2), no modifier.
        for (modifier, expected) in [(((10 << 16) | 2) + 4, Some(2)), ((38 << 16) + 4, Some(0)), (((40 << 16) | 2) + 4, None), (-1, None)] {
            assert_eq!(scale_of(modifier), expected, "{modifier}");
        }
        // numeric(3,-2): eleven bits of two's complement.
        assert_eq!(scale_of(((3 << 16) | 0x7fe) + 4), None);
    }
}

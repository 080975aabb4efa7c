//! SQLite files, opened read-only: a column's type is its declaration's, and a value that does not fit it is NULL.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use datafusion::arrow::array::StringBuilder;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::StreamExt;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, InterruptHandle, OpenFlags, OptionalExtension, Row};

use super::cells::{self, Cells, Values};
use super::sending::{self, Batches};
use super::{BATCH, EngineError, Fits, Form, Table, TableColumn};
use crate::domain::dataset::{Field, LogicalType};
use crate::engine::{calendar, read};

impl From<rusqlite::Error> for EngineError {
    fn from(_: rusqlite::Error) -> Self {
        // SQLite's messages name tables and columns.
        Self::damaged()
    }
}

/// Every table and view.
pub(super) fn tables(path: &Path) -> Result<Vec<Table>, EngineError> {
    let connection = open(path)?;
    let mut statement = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
    names.into_iter().map(|name| described(&connection, name)).collect()
}

/// Whether the file is a whole database with at least one table. Its pages are looked at; no row of a view is asked for,
/// since a stranger's view may never end.
pub(super) fn look_through(path: &Path) -> Result<bool, EngineError> {
    let sound: String = open(path)?.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok(sound == "ok" && !tables(path)?.is_empty())
}

/// The table or view of that name, spelt exactly.
pub(super) fn table(path: &Path, name: &str) -> Result<Table, EngineError> {
    let connection = open(path)?;
    let there =
        connection.query_row("SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?1", [name], |_| Ok(())).optional()?;
    match there {
        Some(()) => described(&connection, name.to_owned()),
        None => Err(EngineError::Drift("the table is gone".to_owned())),
    }
}

fn open(path: &Path) -> Result<Connection, EngineError> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    // A source is not ours: its schema may call no function that reaches outside the database.
    connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA query_only = ON")?;
    Ok(connection)
}

fn described(connection: &Connection, name: String) -> Result<Table, EngineError> {
    // Hidden 1 is an internal column of a virtual table; 2 and 3 are generated columns.
    let mut statement = connection.prepare("SELECT name, type, pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid")?;
    let columns = statement
        .query_map([&name], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?)))?
        .collect::<Result<Vec<_>, _>>()?;
    let (kind, without_rowid) = connection
        .query_row("SELECT type, wr FROM pragma_table_list(?1) WHERE schema = 'main'", [&name], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
        })
        .optional()?
        .unwrap_or_default();
    let order = match kind.as_str() {
        "table" | "virtual" if !without_rowid => rowid(columns.iter().map(|(name, ..)| name.as_str())),
        "table" => primary_key(&columns),
        _ => None,
    };
    let column = |(name, declared, _): (String, String, i64)| TableColumn { name, logical: logical_of(&declared), fits: Fits::Declared };
    Ok(Table { name, columns: columns.into_iter().map(column).collect(), form: Form::Sqlite { order } })
}

/// A name of the row id that no column has taken.
fn rowid<'a>(columns: impl Iterator<Item = &'a str>) -> Option<String> {
    let taken: Vec<_> = columns.map(str::to_ascii_lowercase).collect();
    ["rowid", "_rowid_", "oid"].into_iter().find(|name| !taken.iter().any(|column| column == name)).map(str::to_owned)
}

fn primary_key(columns: &[(String, String, i64)]) -> Option<String> {
    let mut key: Vec<_> = columns.iter().filter(|(_, _, place)| *place > 0).collect();
    key.sort_by_key(|(_, _, place)| *place);
    let names: Vec<_> = key.into_iter().map(|(name, ..)| quoted(name)).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

/// What a declared type holds, in the manner of SQLite's affinities (<https://sqlite.org/datatype3.html>, 3.1).
fn logical_of(declared: &str) -> LogicalType {
    let declared = declared.to_ascii_uppercase();
    let any = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
    if any(&["INT"]) {
        LogicalType::Integer
    } else if any(&["CHAR", "CLOB", "TEXT"]) {
        LogicalType::Text
    } else if any(&["DATETIME", "TIMESTAMP"]) {
        LogicalType::Timestamp
    } else if any(&["DATE"]) {
        LogicalType::Date
    } else if any(&["REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL"]) {
        LogicalType::Number
    } else if any(&["BOOL"]) {
        LogicalType::Boolean
    } else if any(&["BLOB"]) {
        LogicalType::Other
    } else {
        LogicalType::Text
    }
}

/// A scan of some columns, each followed by the flag that says where it had a value.
pub(super) fn provider(
    path: PathBuf,
    table: &str,
    fields: &[&Field],
    order: Option<&str>,
    fetch: Option<u64>,
) -> Result<Arc<dyn TableProvider>, EngineError> {
    let columns: Vec<_> = fields.iter().map(|field| (field.name.as_str(), field.logical)).collect();
    let order = order.map(|by| format!(" ORDER BY {by}")).unwrap_or_default();
    let limit = fetch.map(|rows| format!(" LIMIT {}", rows.min(i64::MAX.unsigned_abs()))).unwrap_or_default();
    select(path, table, &columns, &format!("{order}{limit}"), None)
}

/// Rows at even distances of the row id where there is one and more rows than are wanted; else the first ones. Texts are
/// cut to so many characters before they are held.
pub(super) fn spread(
    path: PathBuf,
    table: &str,
    columns: &[(&str, LogicalType)],
    order: Option<&str>,
    most: usize,
    longest: usize,
) -> Result<Arc<dyn TableProvider>, EngineError> {
    let first = format!(" LIMIT {most}");
    // Of a table without a row id the order is its key's names, which are quoted.
    let Some(id) = order.filter(|by| matches!(*by, "rowid" | "_rowid_" | "oid")) else {
        return select(path, table, columns, &first, Some(longest));
    };
    let (from, last) = (quoted(table), most.saturating_sub(1).max(1));
    let beyond = format!("SELECT 1 FROM {from} LIMIT 1 OFFSET {most}");
    if open(&path)?.query_row(&beyond, [], |_| Ok(())).optional()?.is_none() {
        return select(path, table, columns, &first, Some(longest));
    }
    let (low, high) = (format!("(SELECT min({id}) FROM {from})"), format!("(SELECT max({id}) FROM {from})"));
    // No column is called by a control character, so none takes the place of the counter.
    let (walk, count, at) = (quoted("\u{1}walk"), quoted("\u{1}count"), quoted("\u{1}at"));
    let far = format!("CAST((1.0 * {high} - {low}) * ({walk}.{count} + 1) / {last} AS INTEGER)");
    let next = format!("(SELECT min({id}) FROM {from} WHERE {id} >= {low} + {far})");
    let step = format!("SELECT {walk}.{count} + 1, {next} FROM {walk} WHERE {walk}.{count} < {last}");
    let spread = format!(
        " WHERE {id} IN (WITH RECURSIVE {walk}({count}, {at}) AS (SELECT 0, {low} UNION ALL {step}) SELECT {walk}.{at} FROM {walk}) \
         ORDER BY {id} LIMIT {most}"
    );
    select(path, table, columns, &spread, Some(longest))
}

/// A scan of columns of a table, which of its rows, and how much of a text.
fn select(
    path: PathBuf,
    table: &str,
    named: &[(&str, LogicalType)],
    which: &str,
    longest: Option<usize>,
) -> Result<Arc<dyn TableProvider>, EngineError> {
    let columns: Vec<_> = named.iter().map(|(_, logical)| cells_of(*logical).map(|_| *logical)).collect::<Result<_, _>>()?;
    let schema = cells::schema(named.iter().map(|(name, logical)| (*name, arrow_type(*logical))));
    // A name with its table is never taken for a text, as a bare quoted name that is gone would be.
    let whole = |name: &str| format!("{}.{}", quoted(table), quoted(name));
    let cut = |name: String, longest: usize| {
        format!("CASE typeof({name}) WHEN 'text' THEN substr({name}, 1, {longest}) WHEN 'blob' THEN NULL ELSE {name} END")
    };
    let names: Vec<_> = named.iter().map(|(name, _)| longest.map_or(whole(name), |longest| cut(whole(name), longest))).collect();
    let query = format!("SELECT {} FROM {}{which}", names.join(", "), quoted(table));
    let rows = Rows { path, query, columns, schema: Arc::clone(&schema) };
    Ok(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(rows)])?))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn arrow_type(logical: LogicalType) -> DataType {
    match logical {
        LogicalType::Integer => DataType::Int64,
        LogicalType::Number => DataType::Float64,
        LogicalType::Boolean => DataType::Boolean,
        LogicalType::Date => DataType::Date32,
        LogicalType::Timestamp => read::timestamp_type(),
        LogicalType::Text | LogicalType::Decimal | LogicalType::Other => DataType::Utf8,
    }
}

/// The rows of a query, read on a thread of their own.
#[derive(Debug)]
struct Rows {
    path: PathBuf,
    query: String,
    columns: Vec<LogicalType>,
    schema: SchemaRef,
}

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let query =
            Query { path: self.path.clone(), query: self.query.clone(), columns: self.columns.clone(), schema: Arc::clone(&self.schema) };
        let running = Running::default();
        let handle = running.clone();
        let rows = sending::stream(Arc::clone(&self.schema), move |to| Ok(query.run(&handle, to)?));
        // The guard lives as long as the stream: whoever drops the stream stops the query.
        let guard = Stop(running);
        let guarded = rows.inspect(move |_| {
            let _ = &guard;
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), guarded))
    }
}

/// The handle of a query that runs, or whether it was stopped before it began.
#[derive(Clone, Default)]
struct Running(Arc<Mutex<(Option<InterruptHandle>, bool)>>);

impl Running {
    /// Keeps the handle; `false` when the query was stopped already.
    fn begin(&self, handle: InterruptHandle) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.0 = Some(handle);
        !state.1
    }

    fn stop(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 = true;
        if let Some(handle) = &state.0 {
            handle.interrupt();
        }
    }
}

struct Stop(Running);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.stop();
    }
}

struct Query {
    path: PathBuf,
    query: String,
    columns: Vec<LogicalType>,
    schema: SchemaRef,
}

impl Query {
    fn run(self, running: &Running, to: &Batches) -> Result<(), EngineError> {
        let connection = open(&self.path)?;
        if !running.begin(connection.get_interrupt_handle()) {
            return Ok(());
        }
        let mut statement = connection.prepare(&self.query)?;
        let mut rows = statement.query([])?;
        let mut cells = self.columns.iter().map(|logical| cells_of(*logical)).collect::<Result<Vec<_>, _>>()?;
        let mut filled = 0;
        while let Some(row) = rows.next()? {
            for (at, cells) in cells.iter_mut().enumerate() {
                push(cells, row, at)?;
            }
            filled += 1;
            if filled == BATCH && !self.send(&mut cells, to)? {
                return Ok(());
            }
            filled %= BATCH;
        }
        if filled > 0 {
            self.send(&mut cells, to)?;
        }
        Ok(())
    }

    /// Sends what is filled; `false` when nobody waits for it any more.
    fn send(&self, cells: &mut [Cells], to: &Batches) -> Result<bool, EngineError> {
        let batch = cells::batch(&self.schema, cells)?;
        Ok(to.blocking_send(Ok(batch)).is_ok())
    }
}

/// A column to be filled.
fn cells_of(logical: LogicalType) -> Result<Cells, EngineError> {
    match logical {
        LogicalType::Decimal | LogicalType::Other => Err(EngineError::unsupported("SQLite holds no exact decimals")),
        LogicalType::Text
        | LogicalType::Integer
        | LogicalType::Number
        | LogicalType::Boolean
        | LogicalType::Date
        | LogicalType::Timestamp => Ok(Cells::new(&arrow_type(logical))),
    }
}

/// Takes a value; one that does not fit its type is NULL, yet was there.
fn push(to: &mut Cells, row: &Row<'_>, at: usize) -> Result<(), EngineError> {
    let value = row.get_ref(at)?;
    to.present.append_value(!matches!(value, ValueRef::Null));
    match &mut to.values {
        Values::Text(cells) => push_text(cells, value),
        Values::Integer(cells) => cells.append_option(integer(value)),
        Values::Number(cells) => cells.append_option(number(value)),
        // No column of SQLite is read as one.
        Values::Decimal(cells, _) => cells.append_null(),
        Values::Boolean(cells) => cells.append_option(boolean(value)),
        Values::Date(cells) => cells.append_option(text(value).and_then(calendar::read_date)),
        Values::Timestamp(cells) => cells.append_option(text(value).and_then(calendar::read_timestamp)),
    }
    Ok(())
}

fn text(value: ValueRef<'_>) -> Option<&str> {
    match value {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok(),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => None,
    }
}

/// Numbers in a text column are written out: their text is exact.
fn push_text(cells: &mut StringBuilder, value: ValueRef<'_>) {
    match value {
        ValueRef::Integer(number) => cells.append_value(number.to_string()),
        ValueRef::Real(number) => cells.append_value(number.to_string()),
        ValueRef::Text(_) | ValueRef::Null | ValueRef::Blob(_) => cells.append_option(text(value)),
    }
}

fn integer(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Integer(number) => Some(number),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Text(_) | ValueRef::Blob(_) => None,
    }
}

fn number(value: ValueRef<'_>) -> Option<f64> {
    match value {
        ValueRef::Real(number) => Some(number),
        // 2^53 is the last bound up to which every whole number is exact in binary64.
        ValueRef::Integer(number) if number.unsigned_abs() <= 1 << 53 => Some(number as f64),
        ValueRef::Integer(_) | ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_) => None,
    }
}

fn boolean(value: ValueRef<'_>) -> Option<bool> {
    match value {
        ValueRef::Integer(0) => Some(false),
        ValueRef::Integer(1) => Some(true),
        ValueRef::Text(_) => read::read_boolean(text(value)?),
        ValueRef::Integer(_) | ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declared_types() {
        for (declared, expected) in [
            ("INTEGER", LogicalType::Integer),
            ("bigint", LogicalType::Integer),
            ("NVARCHAR(160)", LogicalType::Text),
            ("CLOB", LogicalType::Text),
            ("DATE", LogicalType::Date),
            ("DATETIME", LogicalType::Timestamp),
            ("TIMESTAMP", LogicalType::Timestamp),
            ("REAL", LogicalType::Number),
            ("DOUBLE PRECISION", LogicalType::Number),
            ("NUMERIC(10,2)", LogicalType::Number),
            ("DECIMAL(10,2)", LogicalType::Number),
            ("BOOLEAN", LogicalType::Boolean),
            ("BLOB", LogicalType::Other),
            ("", LogicalType::Text),
            ("UUID", LogicalType::Text),
        ] {
            assert_eq!(logical_of(declared), expected, "{declared}");
        }
    }

    #[test]
    fn a_taken_rowid_is_not_ordered_by() {
        assert_eq!(rowid(["a"].into_iter()).as_deref(), Some("rowid"));
        assert_eq!(rowid(["RowId", "oid"].into_iter()).as_deref(), Some("_rowid_"));
        assert_eq!(rowid(["rowid", "_rowid_", "oid"].into_iter()), None);
    }
}

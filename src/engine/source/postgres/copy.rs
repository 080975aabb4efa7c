//! The rows of a query, read by `COPY … TO STDOUT (FORMAT binary)`: the fastest way that the server offers, in the order
//! of the query, and no faster than it is read here.

use std::error::Error;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use deadpool_postgres::Object;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use postgres_protocol::escape::escape_identifier;
use tokio_postgres::NoTls;
use tokio_postgres::binary_copy::{BinaryCopyOutRow, BinaryCopyOutStream};
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{Database, Kind};
use crate::domain::dataset::LogicalType;
use crate::engine::source::cells::{self, Cells, Values};
use crate::engine::source::{BATCH, EngineError};
use crate::engine::{calendar, read};

/// Microseconds and days from 1970 to 2000, where PostgreSQL begins to count.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const EPOCH_DAYS: i32 = 10_957;

/// A column that is asked for: its name, what it holds, and what it is read as.
pub(super) type Selected = (String, Kind, LogicalType);

/// The column as it is asked for.
pub(super) fn selected(name: &str, kind: Kind, logical: LogicalType) -> Result<String, EngineError> {
    let column = escape_identifier(name);
    Ok(match (kind, logical) {
        (Kind::Integer, LogicalType::Integer) => format!("{column}::pg_catalog.int8"),
        (Kind::Float | Kind::Numeric { .. }, LogicalType::Number) => format!("{column}::pg_catalog.float8"),
        (Kind::Numeric { .. }, LogicalType::Decimal | LogicalType::Text) | (Kind::Text { .. } | Kind::AsText, LogicalType::Text) => {
            format!("{column}::pg_catalog.text")
        }
        (Kind::Boolean, LogicalType::Boolean)
        | (Kind::Date, LogicalType::Date)
        | (Kind::Timestamp | Kind::TimestampWithZone, LogicalType::Timestamp) => column,
        _ => return Err(EngineError::unsupported("the source does not hold this type in a form that can be read")),
    })
}

/// A scan that asks the query.
pub(super) fn provider(database: Database, query: String, columns: Vec<Selected>) -> Result<Arc<dyn TableProvider>, EngineError> {
    let schema = cells::schema(columns.iter().map(|(name, kind, logical)| (name.as_str(), held(*kind, *logical))));
    let held = columns.iter().map(|(_, kind, logical)| held(*kind, *logical)).collect();
    let rows = Rows { database, query, held, schema: Arc::clone(&schema) };
    Ok(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(rows)])?))
}

fn held(kind: Kind, logical: LogicalType) -> DataType {
    match (logical, kind) {
        (LogicalType::Integer, _) => DataType::Int64,
        (LogicalType::Number, _) => DataType::Float64,
        (LogicalType::Boolean, _) => DataType::Boolean,
        (LogicalType::Date, _) => DataType::Date32,
        (LogicalType::Timestamp, _) => read::timestamp_type(),
        (LogicalType::Decimal, Kind::Numeric { scale: Some(scale) }) => DataType::Decimal128(38, scale),
        (LogicalType::Text | LogicalType::Decimal | LogicalType::Other, _) => DataType::Utf8,
    }
}

#[derive(Debug)]
struct Rows {
    database: Database,
    query: String,
    held: Vec<DataType>,
    schema: SchemaRef,
}

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (database, query) = (self.database.clone(), self.query.clone());
        let (held, schema) = (self.held.clone(), Arc::clone(&self.schema));
        let opened = async move { Reading::open(&database, &query, held, schema).await };
        let batches = stream::once(opened).map_ok(Reading::batches).try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(
            Arc::clone(&self.schema),
            batches.map_err(|error| DataFusionError::External(Box::new(error))),
        ))
    }
}

/// A connection whose query still runs. Dropped before its end, the query is stopped and the connection is closed.
struct Lent {
    connection: Option<Object>,
    tls: Option<MakeRustlsConnect>,
}

impl Lent {
    /// Gives the connection back, when its transaction could be ended.
    async fn end(mut self) {
        if let Some(connection) = self.connection.take()
            && connection.batch_execute("COMMIT").await.is_err()
        {
            drop(Object::take(connection));
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        let (cancel, tls) = (connection.cancel_token(), self.tls.take());
        drop(Object::take(connection));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // Whether it is stopped by this or by the closed connection is all the same.
                drop(match tls {
                    Some(tls) => cancel.cancel_query(tls).await,
                    None => cancel.cancel_query(NoTls).await,
                });
            });
        }
    }
}

struct Reading {
    rows: std::pin::Pin<Box<BinaryCopyOutStream>>,
    cells: Vec<Cells>,
    schema: SchemaRef,
    lent: Option<Lent>,
}

impl Reading {
    async fn open(database: &Database, query: &str, held: Vec<DataType>, schema: SchemaRef) -> Result<Self, EngineError> {
        let connection = database.begin().await?;
        let lent = Lent { connection: Some(connection), tls: database.tls.clone() };
        let copy = format!("COPY ({query}) TO STDOUT (FORMAT binary)");
        let client = lent.connection.as_ref().ok_or_else(|| EngineError::internal("a connection is gone"))?;
        let sent = client.copy_out(&copy).await?;
        // Only the number of the types counts: values are read from their bytes.
        let types = vec![Type::BYTEA; held.len()];
        let cells = held.iter().map(Cells::new).collect();
        Ok(Self { rows: Box::pin(BinaryCopyOutStream::new(sent, &types)), cells, schema, lent: Some(lent) })
    }

    fn batches(self) -> impl Stream<Item = Result<RecordBatch, EngineError>> {
        stream::try_unfold(Some(self), async move |reading| {
            let Some(mut reading) = reading else { return Ok(None) };
            let mut filled = 0;
            while filled < BATCH {
                let Some(row) = reading.rows.next().await else {
                    if let Some(lent) = reading.lent.take() {
                        lent.end().await;
                    }
                    let last = if filled > 0 { Some((reading.finish()?, None)) } else { None };
                    return Ok(last);
                };
                reading.push(&row?)?;
                filled += 1;
            }
            Ok(Some((reading.finish()?, Some(reading))))
        })
    }

    fn push(&mut self, row: &BinaryCopyOutRow) -> Result<(), EngineError> {
        for (at, cells) in self.cells.iter_mut().enumerate() {
            let Raw(bytes) = row.try_get(at)?;
            push(cells, bytes);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<RecordBatch, EngineError> {
        cells::batch(&self.schema, &mut self.cells)
    }
}

/// A value's bytes as the server sends them; none for NULL.
struct Raw<'a>(Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// Takes a value; one that does not fit its type is NULL, yet was there.
fn push(to: &mut Cells, raw: Option<&[u8]>) {
    to.present.append_value(raw.is_some());
    match &mut to.values {
        Values::Text(cells) => cells.append_option(raw.and_then(|raw| std::str::from_utf8(raw).ok())),
        Values::Integer(cells) => cells.append_option(raw.and_then(eight).map(i64::from_be_bytes)),
        Values::Number(cells) => cells.append_option(raw.and_then(eight).map(f64::from_be_bytes)),
        Values::Decimal(cells, scale) => cells.append_option(raw.and_then(|raw| decimal(raw, *scale))),
        Values::Boolean(cells) => cells.append_option(raw.and_then(|raw| raw.first()).map(|byte| *byte != 0)),
        Values::Date(cells) => cells.append_option(raw.and_then(date)),
        Values::Timestamp(cells) => cells.append_option(raw.and_then(timestamp)),
    }
}

fn eight(raw: &[u8]) -> Option<[u8; 8]> {
    raw.try_into().ok()
}

/// Days since 1970; infinite ones are no dates.
fn date(raw: &[u8]) -> Option<i32> {
    let days = i32::from_be_bytes(raw.try_into().ok()?);
    if days == i32::MAX || days == i32::MIN { None } else { days.checked_add(EPOCH_DAYS) }
}

/// Microseconds since 1970; infinite ones, and those that the wire can't bear, are none.
fn timestamp(raw: &[u8]) -> Option<i64> {
    let micros = i64::from_be_bytes(eight(raw)?);
    if micros == i64::MAX || micros == i64::MIN {
        return None;
    }
    micros.checked_add(EPOCH_MICROS).filter(|micros| calendar::bearable(*micros))
}

/// `-12.50` in units of its last digit. A `numeric(p, s)` is always written with all its s digits; NaN is none.
fn decimal(raw: &[u8], scale: i8) -> Option<i128> {
    let text = std::str::from_utf8(raw).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() != usize::try_from(scale).ok()? {
        return None;
    }
    format!("{whole}{fraction}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_postgres_counts_from_2000_is_counted_from_1970() {
        assert_eq!(date(&0_i32.to_be_bytes()), Some(EPOCH_DAYS));
        assert_eq!(date(&i32::MAX.to_be_bytes()), None);
        assert_eq!(timestamp(&(-EPOCH_MICROS).to_be_bytes()), Some(0));
        assert_eq!(timestamp(&i64::MIN.to_be_bytes()), None);
        assert_eq!(EPOCH_MICROS, i64::from(EPOCH_DAYS) * 86_400_000_000);
    }

    #[test]
    fn decimals_keep_every_digit() {
        for (text, scale, expected) in
            [("-12.50", 2, Some(-1250)), ("0.05", 2, Some(5)), ("7", 0, Some(7)), ("-0.01", 2, Some(-1)), ("NaN", 2, None)]
        {
            assert_eq!(decimal(text.as_bytes(), scale), expected, "{text}");
        }
    }
}

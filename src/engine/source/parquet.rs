//! Parquet files: types from the first file's own schema; row groups that a condition rules out are not read.

use std::fs::File;
use std::future::Future;
use std::ops::Range;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use ::parquet::arrow::ProjectionMask;
use ::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector};
use ::parquet::arrow::async_reader::MetadataFetch;
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::ParquetMetaDataReader;
use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result as Answer;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::FileGroup;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::scalar::ScalarValue;
use futures::TryFutureExt;
use futures::future::BoxFuture;

use super::part::{At, Files, Part};
use super::{BATCH, EngineError, Fits, Form, Table, TableColumn};
use crate::domain::dataset::LogicalType;
use crate::engine::read::logical_of;

/// The files' one table, as the first of them and the folders' names tell it.
pub(super) async fn table(files: &Files) -> Result<Table, EngineError> {
    let first = files.first()?;
    let options = ArrowReaderOptions::new();
    let metadata = match &first.at {
        At::Local(path) => {
            let path = path.clone();
            super::blocking(move || {
                let file = File::open(path).map_err(|_| EngineError::damaged())?;
                ArrowReaderMetadata::load(&file, options).map_err(|_| EngineError::damaged())
            })
            .await?
        }
        At::Object(store) => {
            let fetch = Remote { store: Arc::clone(store), meta: first.meta.clone() };
            let footer = ParquetMetaDataReader::new().load_and_finish(fetch, first.meta.size).await.map_err(|_| EngineError::damaged())?;
            ArrowReaderMetadata::try_new(Arc::new(footer), options).map_err(|_| EngineError::damaged())?
        }
    };
    let schema = Arc::clone(metadata.schema());
    let column = |field: &Arc<Field>| TableColumn {
        name: field.name().clone(),
        logical: logical_of(field.data_type()),
        fits: fits(field.data_type()),
    };
    let columns = schema.fields().iter().map(column).chain(super::csv::keys(files)).collect();
    Ok(Table { name: files.name.clone(), columns, form: Form::Parquet(schema) })
}

/// A file in an object store, of which parts are fetched.
struct Remote {
    store: Arc<dyn ObjectStore>,
    meta: ObjectMeta,
}

impl MetadataFetch for Remote {
    fn fetch(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        let got = self.store.get_range(&self.meta.location, range);
        Box::pin(got.map_err(|error| ParquetError::External(Box::new(error))))
    }
}

/// An exact decimal may be catalogued as the number nearest to it, which other kinds of source hold.
fn fits(held: &DataType) -> Fits {
    match logical_of(held) {
        LogicalType::Decimal => Fits::OneOf(vec![LogicalType::Decimal, LogicalType::Number]),
        LogicalType::Text
        | LogicalType::Integer
        | LogicalType::Number
        | LogicalType::Boolean
        | LogicalType::Date
        | LogicalType::Timestamp
        | LogicalType::Other => Fits::Declared,
    }
}

/// Whether the file has columns and its first rows can be read.
pub(super) fn look_through(path: &Path) -> Result<bool, EngineError> {
    let file = File::open(path).map_err(|_| EngineError::damaged())?;
    let rows = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| EngineError::damaged())?;
    let columns = rows.schema().fields().len();
    for batch in rows.with_batch_size(BATCH).with_limit(BATCH).build().map_err(|_| EngineError::damaged())? {
        batch.map_err(|_| EngineError::damaged())?;
    }
    Ok(columns > 0)
}

/// Runs of rows at even distances; asked after each batch, with the bytes so far, whether to go on.
pub(super) fn spread(path: &Path, names: &[&str], most: usize, going_on: &dyn Fn(usize) -> bool) -> Result<Vec<RecordBatch>, EngineError> {
    let file = File::open(path).map_err(|_| EngineError::damaged())?;
    let rows = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|_| EngineError::damaged())?;
    let wanted = |(at, field): (usize, &Arc<Field>)| names.contains(&field.name().as_str()).then_some(at);
    let wanted: Vec<usize> = rows.schema().fields().iter().enumerate().filter_map(wanted).collect();
    let all = usize::try_from(rows.metadata().file_metadata().num_rows()).unwrap_or(0);
    let mask = ProjectionMask::roots(rows.parquet_schema(), wanted);
    let selected = rows.with_projection(mask).with_row_selection(RowSelection::from(runs(all, most))).with_batch_size(RUN);
    let (mut batches, mut bytes) = (Vec::new(), 0_usize);
    for batch in selected.build().map_err(|_| EngineError::damaged())? {
        let batch = batch.map_err(|_| EngineError::damaged())?;
        bytes = bytes.saturating_add(batch.get_array_memory_size());
        batches.push(batch);
        if !going_on(bytes) {
            break;
        }
    }
    Ok(batches)
}

/// Rows of a run.
const RUN: usize = 50;

/// Every row, or runs of rows from the first on at even distances.
fn runs(all: usize, most: usize) -> Vec<RowSelector> {
    if all <= most {
        return vec![RowSelector::select(all)];
    }
    let many = most.div_ceil(RUN).max(1);
    let gap = all.saturating_sub(many.saturating_mul(RUN)).checked_div(many).unwrap_or_default();
    let run = [RowSelector::select(RUN), RowSelector::skip(gap)];
    let taken = many.saturating_mul(RUN.saturating_add(gap));
    std::iter::repeat_n(run, many).flatten().chain([RowSelector::skip(all.saturating_sub(taken))]).collect()
}

/// A scan of the files in their order and that of their rows.
pub(super) fn provider(files: &Files, schema: &SchemaRef) -> Result<Arc<dyn TableProvider>, EngineError> {
    let keys: Vec<_> = files.keys.iter().map(|key| Arc::new(Field::new(key, DataType::Utf8, true))).collect();
    let table = TableSchema::builder(Arc::clone(schema)).with_table_partition_cols(keys).build();
    let file = |part: &Part| {
        let values = part.values.iter().map(|value| ScalarValue::Utf8(value.clone())).collect();
        PartitionedFile::from(part.meta.clone()).with_partition_values(values)
    };
    let store = files.store.clone();
    Ok(Arc::new(ParquetTable { files: files.parts.iter().map(file).collect(), store, table }))
}

#[derive(Debug)]
struct ParquetTable {
    files: Vec<PartitionedFile>,
    /// Where they lie; this machine's files when none is given.
    store: Option<ObjectStoreUrl>,
    table: TableSchema,
}

impl ParquetTable {
    fn plan(&self, state: &dyn Session, projection: Option<&Vec<usize>>, limit: Option<usize>) -> Answer<Arc<dyn ExecutionPlan>> {
        let runtime = state.runtime_env();
        let source = ParquetSource::new(self.table.clone());
        let (url, source) = match &self.store {
            None => {
                let local = ObjectStoreUrl::local_filesystem();
                let metadata = runtime.cache_manager.get_file_metadata_cache();
                let reader = CachedParquetFileReaderFactory::new(runtime.object_store(&local)?, metadata);
                (local, source.with_parquet_file_reader_factory(Arc::new(reader)))
            }
            // What is remembered of files is found by their path alone, which two buckets may share.
            Some(url) => (url.clone(), source),
        };
        let scan = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_group(FileGroup::new(self.files.clone()))
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_preserve_order(true)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}

impl TableProvider for ParquetTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.table.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn scan<'this, 'state, 'projection, 'filters, 'all>(
        &'this self,
        state: &'state dyn Session,
        projection: Option<&'projection Vec<usize>>,
        _filters: &'filters [Expr],
        limit: Option<usize>,
    ) -> Pin<Box<dyn Future<Output = Answer<Arc<dyn ExecutionPlan>>> + Send + 'all>>
    where
        'this: 'all,
        'state: 'all,
        'projection: 'all,
        'filters: 'all,
        Self: 'all,
    {
        Box::pin(std::future::ready(self.plan(state, projection, limit)))
    }
}

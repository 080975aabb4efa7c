//! Parquet files: types from the file's own schema; row groups that a condition rules out are not read.

use std::fs::File;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use ::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Result;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::object_store::ObjectMeta;
use datafusion::object_store::path::Path as StorePath;
use datafusion::physical_plan::ExecutionPlan;

use super::{BATCH, EngineError, Fits, Form, Table, TableColumn, stem};
use crate::engine::read::logical_of;

/// The file's one table.
pub(super) fn table(path: &Path) -> Result<Table, EngineError> {
    let file = File::open(path).map_err(|_| EngineError::damaged())?;
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).map_err(|_| EngineError::damaged())?;
    let schema = Arc::clone(metadata.schema());
    let column = |field: &Arc<datafusion::arrow::datatypes::Field>| TableColumn {
        name: field.name().clone(),
        logical: logical_of(field.data_type()),
        fits: Fits::Declared,
    };
    Ok(Table { name: stem(path), columns: schema.fields().iter().map(column).collect(), form: Form::Parquet(schema) })
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

/// A scan of the file in the order of its rows.
pub(super) fn provider(path: &Path, schema: &SchemaRef) -> Result<Arc<dyn TableProvider>, EngineError> {
    let file = std::fs::metadata(path).map_err(|_| EngineError::damaged())?;
    let file = ObjectMeta {
        location: StorePath::from_absolute_path(path).map_err(|_| EngineError::damaged())?,
        last_modified: file.modified().map_err(|_| EngineError::damaged())?.into(),
        size: file.len(),
        e_tag: None,
        version: None,
    };
    Ok(Arc::new(ParquetTable { file, schema: Arc::clone(schema) }))
}

#[derive(Debug)]
struct ParquetTable {
    file: ObjectMeta,
    schema: SchemaRef,
}

impl ParquetTable {
    fn plan(&self, state: &dyn Session, projection: Option<&Vec<usize>>, limit: Option<usize>) -> Result<Arc<dyn ExecutionPlan>> {
        let local = ObjectStoreUrl::local_filesystem();
        let runtime = state.runtime_env();
        let metadata = runtime.cache_manager.get_file_metadata_cache();
        let reader = CachedParquetFileReaderFactory::new(runtime.object_store(&local)?, metadata);
        let source = ParquetSource::new(Arc::clone(&self.schema)).with_parquet_file_reader_factory(Arc::new(reader));
        let scan = FileScanConfigBuilder::new(local, Arc::new(source))
            .with_file(PartitionedFile::from(self.file.clone()))
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .with_preserve_order(true)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}

impl TableProvider for ParquetTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
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
    ) -> Pin<Box<dyn Future<Output = Result<Arc<dyn ExecutionPlan>>> + Send + 'all>>
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

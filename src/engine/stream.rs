//! Released rows on their way out: only what the permit releases, with the hash of each row's subject.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions, UInt64Array};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::EngineError;
use super::plan::Layout;
use crate::domain::dataset::LogicalType;
use crate::domain::text::FieldName;
use crate::policy::release::{Column, ReleasePlan};

/// One released column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasedColumn {
    pub name: FieldName,
    pub logical: LogicalType,
    /// The Arrow type of its values.
    pub(super) held: DataType,
}

/// A schema of our own: the source's could carry comments, statistics or other traces.
pub(super) fn schema_of(columns: &[ReleasedColumn]) -> SchemaRef {
    let field = |column: &ReleasedColumn| Field::new(column.name.as_str(), column.held.clone(), true);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

/// Rows after every treatment; nothing but the engine makes one.
#[derive(Clone)]
pub struct Released {
    batch: RecordBatch,
    subjects: UInt64Array,
    /// Where a value could not be computed, for the columns that have such.
    misfits: Vec<(FieldName, BooleanBuffer)>,
}

impl std::fmt::Debug for Released {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Released({} rows)", self.rows())
    }
}

impl Released {
    /// How many rows.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Bytes that the rows hold in memory, at most.
    pub fn bytes(&self) -> usize {
        self.batch.get_array_memory_size()
    }

    /// The ledger's hash of each row's subject.
    pub fn subjects(&self) -> &[u64] {
        self.subjects.values()
    }

    /// Some of the rows; what lies beyond the end is left out.
    #[must_use]
    pub fn slice(&self, offset: usize, length: usize) -> Self {
        let offset = offset.min(self.rows());
        let length = length.min(self.rows().saturating_sub(offset));
        let misfits = self.misfits.iter().map(|(name, misfits)| (name.clone(), misfits.slice(offset, length)));
        Self { batch: self.batch.slice(offset, length), subjects: self.subjects.slice(offset, length), misfits: misfits.collect() }
    }

    /// Values of these rows that a treatment could not compute, by field; fields without any are left out.
    pub fn withheld(&self) -> BTreeMap<FieldName, u64> {
        let counted = self.misfits.iter().map(|(name, misfits)| (name.clone(), count(misfits)));
        counted.filter(|(_, count)| *count > 0).collect()
    }

    pub(super) fn batch(&self) -> &RecordBatch {
        &self.batch
    }

    #[cfg(test)]
    pub(super) fn for_test(batch: RecordBatch, subjects: UInt64Array) -> Self {
        Self { batch, subjects, misfits: Vec::new() }
    }
}

fn count(misfits: &BooleanBuffer) -> u64 {
    u64::try_from(misfits.count_set_bits()).unwrap_or(u64::MAX)
}

/// What the engine's task sends.
pub(super) enum Sent {
    Batch(RecordBatch),
    Failed(EngineError),
    /// Every row was sent. A channel that closes without this was cut.
    End,
}

/// The rows of one release. Dropping it cancels the work.
pub struct ReleasedStream {
    columns: Vec<ReleasedColumn>,
    schema: SchemaRef,
    layout: Layout,
    rows: Rows,
    over: bool,
}

/// Where the rows come from.
pub(super) enum Rows {
    /// A task that computes them.
    Computed(mpsc::Receiver<Sent>, AbortHandle),
    /// They are there.
    Kept(Option<RecordBatch>),
}

impl Rows {
    async fn next(&mut self) -> Option<Sent> {
        match self {
            Self::Computed(sent, _) => sent.recv().await,
            Self::Kept(rows) => Some(rows.take().map_or(Sent::End, Sent::Batch)),
        }
    }
}

impl std::fmt::Debug for ReleasedStream {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("ReleasedStream").field("columns", &self.columns).finish_non_exhaustive()
    }
}

impl ReleasedStream {
    pub(super) fn new(plan: &ReleasePlan, layout: Layout, rows: Rows) -> Self {
        let released = |(column, held): (&Column, &DataType)| ReleasedColumn {
            name: column.field.name.clone(),
            logical: column.released,
            held: held.clone(),
        };
        let columns: Vec<_> = plan.answer().zip(&layout.released).map(released).collect();
        let schema = schema_of(&columns);
        Self { columns, schema, layout, rows, over: false }
    }

    /// The released columns, in the order of the answer.
    pub fn columns(&self) -> &[ReleasedColumn] {
        &self.columns
    }

    /// The next rows, never none; `None` when all were handed out. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<Released, EngineError>> {
        while !self.over {
            let released = match self.rows.next().await {
                Some(Sent::Batch(batch)) if batch.num_rows() == 0 => continue,
                Some(Sent::Batch(batch)) => self.release(&batch),
                Some(Sent::Failed(error)) => Err(error),
                Some(Sent::End) => {
                    self.over = true;
                    return None;
                }
                None => Err(EngineError::internal("the release was cut short")),
            };
            self.over = released.is_err();
            return Some(released);
        }
        None
    }

    /// Parts the released columns from the subject's hash and the flags of what was withheld.
    fn release(&self, rows: &RecordBatch) -> Result<Released, EngineError> {
        let unplanned = || EngineError::internal("the rows do not have the columns planned");
        let (values, rest) = rows.columns().split_at_checked(self.columns.len()).ok_or_else(unplanned)?;
        let (subject, mut flags) = rest.split_first().ok_or_else(unplanned)?;
        let mut misfits = Vec::new();
        for ((value, flagged), column) in values.iter().zip(&self.layout.flagged).zip(&self.columns) {
            if !flagged {
                continue;
            }
            let (flag, others) = flags.split_first().ok_or_else(unplanned)?;
            flags = others;
            let flag = flag.as_boolean_opt().ok_or_else(unplanned)?;
            let Some(nulls) = value.logical_nulls() else { continue };
            let misfit = &!nulls.inner() & flag.values();
            if count(&misfit) > 0 {
                misfits.push((column.name.clone(), misfit));
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&self.schema), values.to_vec(), &options).map_err(|_| unplanned())?;
        let subjects = subject.as_primitive_opt::<UInt64Type>().ok_or_else(unplanned)?.clone();
        Ok(Released { batch, subjects, misfits })
    }
}

impl Drop for ReleasedStream {
    fn drop(&mut self) {
        if let Rows::Computed(_, task) = &self.rows {
            task.abort();
        }
    }
}

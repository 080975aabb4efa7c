//! Columns being filled value by value, each with the flag that says where the source had one, even one that does not fit.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, RecordBatch, StringBuilder,
    TimestampMicrosecondBuilder,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::{EngineError, flag};

/// The columns of these names and types, each followed by its flag.
pub(super) fn schema<'a>(columns: impl Iterator<Item = (&'a str, DataType)>) -> SchemaRef {
    let pairs = columns.flat_map(|(name, held)| [Field::new(name, held, true), Field::new(flag(name), DataType::Boolean, false)]);
    Arc::new(Schema::new(pairs.collect::<Vec<_>>()))
}

/// What is filled, as one batch; then it is empty again.
pub(super) fn batch(schema: &SchemaRef, cells: &mut [Cells]) -> Result<RecordBatch, EngineError> {
    let columns = cells.iter_mut().flat_map(Cells::finish).collect();
    let unplanned = |_| EngineError::internal("the rows do not have the columns planned");
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(unplanned)
}

/// A column being filled.
pub(super) struct Cells {
    pub(super) values: Values,
    pub(super) present: BooleanBuilder,
}

pub(super) enum Values {
    Text(StringBuilder),
    Integer(Int64Builder),
    Number(Float64Builder),
    /// With the digits behind its point.
    Decimal(Decimal128Builder, i8),
    Boolean(BooleanBuilder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
}

impl Cells {
    /// For values of an Arrow type; those without a column of their own are text.
    pub(super) fn new(held: &DataType) -> Self {
        let values = match held {
            DataType::Int64 => Values::Integer(Int64Builder::new()),
            DataType::Float64 => Values::Number(Float64Builder::new()),
            DataType::Decimal128(_, scale) => Values::Decimal(Decimal128Builder::new().with_data_type(held.clone()), *scale),
            DataType::Boolean => Values::Boolean(BooleanBuilder::new()),
            DataType::Date32 => Values::Date(Date32Builder::new()),
            DataType::Timestamp(..) => Values::Timestamp(TimestampMicrosecondBuilder::new().with_data_type(held.clone())),
            _ => Values::Text(StringBuilder::new()),
        };
        Self { values, present: BooleanBuilder::new() }
    }

    fn finish(&mut self) -> [ArrayRef; 2] {
        let values: ArrayRef = match &mut self.values {
            Values::Text(cells) => ArrayBuilder::finish(cells),
            Values::Integer(cells) => ArrayBuilder::finish(cells),
            Values::Number(cells) => ArrayBuilder::finish(cells),
            Values::Decimal(cells, _) => ArrayBuilder::finish(cells),
            Values::Boolean(cells) => ArrayBuilder::finish(cells),
            Values::Date(cells) => ArrayBuilder::finish(cells),
            Values::Timestamp(cells) => ArrayBuilder::finish(cells),
        };
        [values, ArrayBuilder::finish(&mut self.present)]
    }
}

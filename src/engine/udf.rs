//! Treatments as DataFusion scalar functions. Two functions are equal only when they are the same kernel, so that no
//! optimiser ever takes one column's treatment for another's.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility};

use super::admission::{self, Admission};
use super::treat::{Kernel, SubjectKey};
use super::{EngineError, read};
use crate::domain::dataset::LogicalType;

/// What a function does to its column.
pub(super) enum Work {
    Treat(Kernel),
    /// Reads a column as its logical type and does nothing else: for comparisons.
    Read(LogicalType),
    Subject(Box<SubjectKey>),
    /// Says of each subject's hash whether the row may go on.
    Admit(Arc<dyn Admission>),
}

impl Work {
    fn name(&self) -> &'static str {
        match self {
            Self::Treat(_) => "treat",
            Self::Read(_) => "read",
            Self::Subject(_) => "subject",
            Self::Admit(_) => "admit",
        }
    }

    fn apply(&self, column: &ArrayRef, subject: Option<&ArrayRef>) -> Result<ArrayRef, EngineError> {
        match self {
            Self::Treat(kernel) => kernel.apply(column, subject),
            Self::Read(logical) => read::read(column, *logical),
            Self::Subject(key) => key.apply(column),
            Self::Admit(admission) => admission::apply(admission.as_ref(), column),
        }
    }

    fn output(&self, input: &DataType) -> Result<DataType, EngineError> {
        match self {
            Self::Treat(kernel) => kernel.released_type(input),
            Self::Read(logical) => read::treated_type(input, *logical)
                .ok_or(EngineError::unsupported("the source does not hold this type in a form that can be compared")),
            Self::Subject(_) => Ok(DataType::UInt64),
            Self::Admit(_) => Ok(DataType::Boolean),
        }
    }
}

/// Calls a function on a column.
pub(super) fn call(work: Work, column: Expr) -> Expr {
    made(work, Volatility::Immutable, vec![column])
}

/// Calls a function on a column and the column of the rows' subjects.
pub(super) fn call_with_subject(work: Work, column: Expr, subject: Expr) -> Expr {
    made(work, Volatility::Immutable, vec![column, subject])
}

/// Calls a function that stays where it stands in the plan: what it answers may change while rows stream, or is asked
/// about further up and to be computed once.
pub(super) fn call_here(work: Work, column: Expr) -> Expr {
    made(work, Volatility::Volatile, vec![column])
}

fn made(work: Work, volatility: Volatility, columns: Vec<Expr>) -> Expr {
    let signature = Signature::any(columns.len(), volatility);
    ScalarUDF::new_from_impl(Function { work: Arc::new(work), signature }).call(columns)
}

/// Whether a physical function is one of ours.
pub(super) fn is_ours(function: &ScalarUDF) -> bool {
    let inner: &dyn Any = function.inner().as_ref();
    inner.is::<Function>()
}

struct Function {
    work: Arc<Work>,
    signature: Signature,
}

impl fmt::Debug for Function {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.work.name())
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.work, &other.work)
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.work).hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.work.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        let input = types.first().ok_or_else(|| DataFusionError::Plan("a treatment needs a column".to_owned()))?;
        self.work.output(input).map_err(|error| DataFusionError::External(Box::new(error)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let column = args.args.first().ok_or_else(|| DataFusionError::Plan("a treatment needs a column".to_owned()))?;
        let column = column.to_array(args.number_rows)?;
        let subject = args.args.get(1).map(|subject| subject.to_array(args.number_rows)).transpose()?;
        self.work.apply(&column, subject.as_ref()).map(ColumnarValue::Array).map_err(|error| DataFusionError::External(Box::new(error)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::treatment::Treatment;

    #[test]
    fn only_the_same_kernel_is_equal() {
        let treated = |length| {
            let kernel = Kernel::new(&Treatment::Truncate { length }, LogicalType::Text, LogicalType::Text, None, None).unwrap().unwrap();
            call(Work::Treat(kernel), datafusion::prelude::ident("name"))
        };
        let one = treated(1);
        assert_eq!(one, one.clone());
        assert_ne!(one, treated(2));
        assert_ne!(one, treated(1));
    }
}

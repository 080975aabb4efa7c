//! Which subjects may be in a release: asked of every row after the permit's condition and before any treatment.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::datatypes::UInt64Type;

use super::EngineError;
use super::treat::SubjectKey;
use crate::domain::dataset::LogicalType;

/// Says who may be in a release. What it answers may change while rows stream.
pub trait Admission: Send + Sync {
    /// For each row's subject, by the ledger's hash, whether the row may go on. One answer for each.
    fn admits(&self, subjects: &[u64]) -> Vec<bool>;
}

/// The admission of each row.
pub(super) fn apply(admission: &dyn Admission, subjects: &ArrayRef) -> Result<ArrayRef, EngineError> {
    let subjects = subjects.as_primitive_opt::<UInt64Type>().ok_or_else(|| EngineError::internal("a row has no subject"))?;
    let admitted = admission.admits(subjects.values());
    if admitted.len() == subjects.values().len() {
        Ok(Arc::new(BooleanArray::from(admitted)))
    } else {
        Err(EngineError::internal("not every row was asked about"))
    }
}

/// The ledger's hash of each key, as people write them; none for a text that is no key of that type.
pub fn subject_hashes(ledger: &[u8; 32], logical: LogicalType, keys: &[String]) -> Result<Vec<Option<u64>>, EngineError> {
    SubjectKey::new(ledger, logical).of_texts(keys)
}

/// The hash that a row without a key bears.
pub fn nobody(ledger: &[u8; 32], logical: LogicalType) -> u64 {
    SubjectKey::new(ledger, logical).nobody()
}

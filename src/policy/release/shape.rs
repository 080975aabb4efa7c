//! What the engine reads of a plan: whose rows, which columns, how treated. It gives no right to release anything.

use std::sync::Arc;

use crate::domain::condition::{Alternatives, Comparison};
use crate::domain::dataset::{Dataset, Source};

use super::Column;

/// The part of a plan that is carried out: by a release, or by a preview, each of which holds one of its own making.
/// A shape alone opens nothing: the engine releases under a [`super::ReleasePlan`] only.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    pub(in crate::policy) dataset: Arc<Dataset>,
    pub(in crate::policy) source: Arc<Source>,
    pub(in crate::policy) columns: Vec<Column>,
    pub(in crate::policy) selected: Vec<usize>,
    pub(in crate::policy) condition: Vec<Alternatives>,
    pub(in crate::policy) filter: Vec<Comparison>,
    pub(in crate::policy) order: Vec<SortKey>,
}

/// One key of an order: a column, by its place among [`Shape::columns`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortKey {
    pub at: usize,
    pub descending: bool,
    pub nulls_first: bool,
}

impl Shape {
    /// The dataset read.
    pub fn dataset(&self) -> &Arc<Dataset> {
        &self.dataset
    }
    /// Where its rows live.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }
    /// Every column, in the dataset's field order; filters may name any of them.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }
    /// Indexes into [`Self::columns`] that the answer holds, in the order asked for.
    pub fn selected(&self) -> &[usize] {
        &self.selected
    }
    /// The row condition, over raw fields: all of them must hold.
    pub fn condition(&self) -> &[Alternatives] {
        &self.condition
    }
    /// The filter, over treated values.
    pub fn filter(&self) -> &[Comparison] {
        &self.filter
    }
    /// The order asked for, over treated values.
    pub fn order(&self) -> &[SortKey] {
        &self.order
    }
}

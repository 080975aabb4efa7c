//! Compiles draft treatments of a dataset into a [`PreviewPlan`]: raw and treated side by side, for staff only.
//!
//! A preview plan is no release plan and can't become one: the engine makes of it a preview and nothing else.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::domain::Invalid;
use crate::domain::condition::Condition;
use crate::domain::dataset::{Dataset, Field, LogicalType, Source};
use crate::domain::hierarchy::KnownHierarchies;
use crate::domain::text::FieldName;
use crate::domain::treatment::Treatment;

use super::release::{Column, Shape, key_label};

/// What the engine may show to the staff, and nothing more. Only [`compile`] makes one.
#[derive(Debug, Clone)]
pub struct PreviewPlan {
    shape: Arc<Shape>,
    fields: Vec<PreviewedField>,
}

/// One field of a preview and where its values stand.
#[derive(Debug, Clone)]
pub struct PreviewedField {
    pub field: Field,
    /// As drafted; a field without one is withheld.
    pub treatment: Treatment,
    /// The released type; none where it is withheld or does not fit.
    pub released: Option<LogicalType>,
    /// Why the treatment does not fit the field; the others are shown all the same.
    pub trouble: Option<Invalid>,
    /// The place of the raw values among the plan's columns; none for types that can't be shown.
    pub raw: Option<usize>,
    /// The place of the treated values.
    pub treated: Option<usize>,
}

impl PreviewPlan {
    /// What the engine reads of this plan.
    pub fn shape(&self) -> &Arc<Shape> {
        &self.shape
    }
    /// The fields, in the dataset's order.
    pub fn fields(&self) -> &[PreviewedField] {
        &self.fields
    }
    /// The treatments that are carried out.
    pub fn treatments(&self) -> impl Iterator<Item = &Treatment> {
        self.shape.columns().iter().map(|column| &column.treatment)
    }
    /// The labels of the keys that the treatments need.
    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.shape.columns().iter().filter_map(|column| column.key.as_ref())
    }
}

/// Which fields a preview shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Those that a treatment is drafted for.
    Drafted,
    /// Every field of the dataset, also those that are withheld.
    Every,
}

/// Compiles drafted treatments. One that does not fit its field, or names a hierarchy that is not `known`, is told beside
/// that field.
///
/// # Errors
/// For a field that the dataset does not have, and for a row condition that can't be read.
pub fn compile(
    dataset: &Arc<Dataset>,
    source: &Arc<Source>,
    drafted: &BTreeMap<FieldName, Treatment>,
    condition: &Condition,
    known: &KnownHierarchies,
    shown: Shown,
) -> Result<PreviewPlan, Invalid> {
    for name in drafted.keys() {
        if dataset.field(name.as_str()).is_none() {
            return Err(Invalid::new(format!("fields.{name}"), "is not a field of the dataset"));
        }
    }
    let condition = condition.typed(|name| dataset.field(name.as_str()).map(|field| field.logical))?;
    let mut columns = Vec::new();
    let mut fields = Vec::new();
    for field in &dataset.fields {
        let draft = drafted.get(&field.name);
        if draft.is_some() || shown == Shown::Every {
            fields.push(previewed(dataset, field, draft.unwrap_or(&Treatment::Withhold), known, &mut columns));
        }
    }
    let selected = (0..columns.len()).collect();
    let (dataset, source) = (Arc::clone(dataset), Arc::clone(source));
    let shape = Shape { dataset, source, columns, selected, condition, filter: Vec::new(), order: Vec::new() };
    Ok(PreviewPlan { shape: Arc::new(shape), fields })
}

fn previewed(
    dataset: &Dataset,
    field: &Field,
    treatment: &Treatment,
    known: &KnownHierarchies,
    columns: &mut Vec<Column>,
) -> PreviewedField {
    let raw = column(dataset, field, &Treatment::Clear, columns).unwrap_or_default();
    let (treated, trouble) = match known.check(treatment).and_then(|()| column(dataset, field, treatment, columns)) {
        Ok(treated) => (treated, None),
        Err(error) => (None, Some(error.within(&format!("fields.{}", field.name)))),
    };
    let released = treated.and_then(|at| columns.get(at)).map(|column| column.released);
    PreviewedField { field: field.clone(), treatment: treatment.clone(), released, trouble, raw, treated }
}

/// Adds a column; answers its place, none where the treatment withholds.
fn column(dataset: &Dataset, field: &Field, treatment: &Treatment, columns: &mut Vec<Column>) -> Result<Option<usize>, Invalid> {
    let Some(released) = treatment.released_type(field.logical)? else { return Ok(None) };
    let key = key_label(treatment, field, dataset);
    columns.push(Column { field: field.clone(), treatment: treatment.clone(), released, key });
    Ok(Some(columns.len().saturating_sub(1)))
}

//! The same rows as they stand in the source and as the vendor would get them.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::person::Actor;
use crate::domain::text::{FieldName, Slug};
use crate::engine::Preview;
use crate::policy::preview::{PreviewPlan, PreviewedField, Shown};

use super::{NOTICE, PreviewAsk, sample, shortened};

/// Two tables of the same rows.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SideBySide {
    pub dataset: Slug,
    /// Every field of the dataset; a changed cell does not go out as it is.
    pub before: Table,
    /// The released fields; a changed cell is another than in the source.
    pub after: Table,
    /// Treatments that do not fit their field; such a field is left out of what the vendor would see.
    pub invalid: Vec<Invalid>,
    /// What to know of these values.
    pub notice: &'static str,
}

/// Rows under the names of their columns.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Table {
    pub columns: Vec<FieldName>,
    pub rows: Vec<Vec<Cell>>,
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Cell {
    /// None is NULL.
    pub text: Option<String>,
    pub changed: bool,
}

/// The first rows whole, as they stand and as the draft of a permit would release them.
pub async fn see_as_vendor(app: &App, by: &Actor, ask: PreviewAsk) -> Result<SideBySide, AppError> {
    let (plan, preview) = sample(app, by, &ask, Shown::Every).await?;
    let before: Vec<&PreviewedField> = plan.fields().iter().filter(|field| field.raw.is_some()).collect();
    let after: Vec<&PreviewedField> = plan.fields().iter().filter(|field| field.treated.is_some()).collect();
    Ok(SideBySide {
        dataset: ask.dataset,
        before: table(&before, &preview, |field| field.raw),
        after: table(&after, &preview, |field| field.treated),
        invalid: invalid(&plan),
        notice: NOTICE,
    })
}

fn invalid(plan: &PreviewPlan) -> Vec<Invalid> {
    plan.fields().iter().filter_map(|field| field.trouble.clone()).collect()
}

fn table(fields: &[&PreviewedField], preview: &Preview, shown: impl Fn(&PreviewedField) -> Option<usize>) -> Table {
    let cell = |field: &PreviewedField, row: usize| {
        let at = |place: Option<usize>| place.and_then(|at| preview.cells(at).get(row)?.as_deref());
        // What is withheld is changed, also where there is no value: that it is NULL is not told.
        let changed = field.treated.is_none() || at(field.raw) != at(field.treated);
        Cell { text: at(shown(field)).map(shortened), changed }
    };
    let row = |row: usize| fields.iter().map(|field| cell(field, row)).collect();
    Table { columns: fields.iter().map(|field| field.field.name.clone()).collect(), rows: (0..preview.rows()).map(row).collect() }
}

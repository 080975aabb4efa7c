//! Sample rows beside what is drafted: values before and after, and whole rows as the vendor would get them.

use std::collections::{BTreeMap, HashMap};

use crate::app::preview::{self, PreviewAsk, SideBySide};
use crate::app::{App, AppError};
use crate::domain::condition::Condition;
use crate::domain::dataset::Dataset;
use crate::domain::person::Actor;
use crate::domain::text::FieldName;
use crate::domain::treatment::Treatment;

use super::draft::Draft;

/// How many values stand in a row of the matrix.
const VALUES: u64 = 3;
/// How many rows are shown whole.
const WHOLE: u64 = 10;

/// A value before and after; none is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Sample values, field by field.
#[derive(Debug, Default)]
pub struct Samples {
    pub fields: HashMap<String, Vec<Sample>>,
    /// What to know of them, or why there are none.
    pub notice: String,
}

/// Tries what is drafted on the first rows. Where that can't be done, the page says why and goes on without.
pub async fn of_draft(app: &App, by: &Actor, dataset: &Dataset, draft: &Draft) -> Samples {
    // A field whose treatment can't be read yet shows what is in the source.
    let treatment = |field: &FieldName| draft.fields.get(field).cloned().unwrap_or(Treatment::Withhold);
    let fields: BTreeMap<FieldName, Treatment> = dataset.fields.iter().map(|field| (field.name.clone(), treatment(&field.name))).collect();
    let ask = PreviewAsk { dataset: dataset.name.clone(), fields, condition: draft.condition.clone(), rows: Some(VALUES) };
    match preview::preview(app, by, ask).await {
        Ok(previews) if previews.rows == 0 => {
            Samples { notice: "No row fits, so there is nothing to show.".to_owned(), ..Samples::default() }
        }
        Ok(previews) => {
            let of_field = |field: preview::FieldPreview| {
                let samples = field.samples.into_iter().map(|sample| Sample { before: sample.before, after: sample.after });
                (field.name.to_string(), samples.collect())
            };
            Samples { fields: previews.fields.into_iter().map(of_field).collect(), notice: previews.notice.to_owned() }
        }
        Err(error) => Samples { notice: format!("Sample values can't be shown just now. {error}"), ..Samples::default() },
    }
}

/// Whole rows side by side.
pub async fn whole_rows(
    app: &App,
    by: &Actor,
    dataset: &Dataset,
    fields: BTreeMap<FieldName, Treatment>,
    condition: Condition,
) -> Result<SideBySide, AppError> {
    preview::see_as_vendor(app, by, PreviewAsk { dataset: dataset.name.clone(), fields, condition, rows: Some(WHOLE) }).await
}

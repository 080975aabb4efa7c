//! Sample rows before and after treatment, for those who write and approve permits; who looked is in the history.
//!
//! Pseudonyms of a preview are made with a key that is thrown away: with the agreement's own, a preview would be a
//! dictionary of the pseudonyms that the vendor holds.

mod matrix;
mod side_by_side;

pub use matrix::{Matrix, MatrixField, Standing, matrix};
pub use side_by_side::{Cell, SideBySide, Table, see_as_vendor};

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Invalid;
use crate::domain::condition::Condition;
use crate::domain::dataset::{Dataset, FieldClass, LogicalType, Source};
use crate::domain::hierarchy::KnownHierarchies;
use crate::domain::id::{PersonId, SourceId};
use crate::domain::person::Actor;
use crate::domain::text::{FieldName, Slug};
use crate::domain::time::Date;
use crate::domain::treatment::Treatment;
use crate::engine::{Access, MOST_PREVIEWED, Preview, Secrets};
use crate::history::{Act, Body};
use crate::keys;
use crate::policy;
use crate::policy::preview::{PreviewPlan, Shown};
use crate::policy::words;
use crate::store::{datasets, history, sources};

use super::{App, AppError, append, catalogue, hierarchies};

/// Rows of a preview when nobody says.
pub const DEFAULT_ROWS: u64 = 5;
/// The most characters of a value that is shown.
const MOST_CHARACTERS: usize = 200;
/// How long a source may take: a row condition that nothing fits would read all of it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What everyone who sees a preview is told.
const NOTICE: &str = "Pseudonyms here are made with a key that is thrown away: what the vendor gets looks alike and is another one. \
Long values are cut.";

/// The act under which the history knows that somebody saw samples.
const VIEW: &str = "view_samples";

/// Treatments to be tried on a dataset.
#[derive(Debug, Clone)]
pub struct PreviewAsk {
    pub dataset: Slug,
    /// One field, or the whole draft of a permit.
    pub fields: BTreeMap<FieldName, Treatment>,
    /// Rows are taken from those that the permit would release.
    pub condition: Condition,
    /// 1 to 20; 5 when nobody says.
    pub rows: Option<u64>,
}

/// Each drafted field with sample values raw and as treated.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FieldPreviews {
    pub dataset: Slug,
    /// How many rows were read; fewer than asked for where no more fit.
    pub rows: usize,
    pub fields: Vec<FieldPreview>,
    /// What to know of these values.
    pub notice: &'static str,
}

/// One field of a preview.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FieldPreview {
    pub name: FieldName,
    #[serde(rename = "type")]
    pub logical: LogicalType,
    pub class: FieldClass,
    pub treatment: Treatment,
    /// The treatment in words.
    pub words: String,
    /// The released type; none where the field is withheld or the treatment does not fit.
    pub released_type: Option<LogicalType>,
    pub samples: Vec<Sample>,
    /// Why the treatment does not fit this field.
    pub invalid: Option<Invalid>,
    pub warnings: Vec<&'static str>,
}

/// A value raw and as treated; none is NULL, or nothing that is released.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sample {
    pub before: Option<String>,
    pub after: Option<String>,
}

/// Tries drafted treatments on the first rows of a dataset. A treatment that does not fit is told beside its field.
pub async fn preview(app: &App, by: &Actor, ask: PreviewAsk) -> Result<FieldPreviews, AppError> {
    if ask.fields.is_empty() {
        return Err(Invalid::new("fields", "must name at least one field and its treatment").into());
    }
    let (plan, preview) = sample(app, by, &ask, Shown::Drafted).await?;
    let fields = plan.fields().iter().map(|field| {
        let at = |place: Option<usize>, row: usize| place.and_then(|at| preview.cells(at).get(row)?.as_deref()).map(shortened);
        let samples = (0..preview.rows()).map(|row| Sample { before: at(field.raw, row), after: at(field.treated, row) });
        FieldPreview {
            name: field.field.name.clone(),
            logical: field.field.logical,
            class: field.field.class,
            treatment: field.treatment.clone(),
            words: words::treatment(&field.treatment),
            released_type: field.released,
            samples: samples.collect(),
            invalid: field.trouble.clone(),
            warnings: policy::matrix::warnings(&field.field, &field.treatment),
        }
    });
    Ok(FieldPreviews { dataset: ask.dataset, rows: preview.rows(), fields: fields.collect(), notice: NOTICE })
}

/// Reads the samples. That they are seen is on record before they are read.
async fn sample(app: &App, by: &Actor, ask: &PreviewAsk, shown: Shown) -> Result<(PreviewPlan, Preview), AppError> {
    let rows = ask.rows.unwrap_or(DEFAULT_ROWS);
    if rows == 0 || rows > MOST_PREVIEWED {
        return Err(Invalid::new("rows", format!("must be 1 to {MOST_PREVIEWED}")).into());
    }
    let (dataset, source, access, known) = catalogued(app, ask).await?;
    known.check_size()?;
    let plan = policy::preview::compile(&dataset, &source, &ask.fields, &ask.condition, &known, shown)?;
    let hierarchies = hierarchies::needed(app, plan.treatments()).await?;
    record_view(app, by, &dataset).await?;
    let treatment = plan.keys().map(|label| (label.clone(), keys::random())).collect();
    let secrets = Secrets { treatment, hierarchies, ledger: keys::random(), source: access.secret };
    let reading = tokio::time::timeout(PATIENCE, app.engine.preview(&plan, secrets, rows));
    let preview = match reading.await {
        Ok(read) => read.map_err(|error| AppError::of_engine(error, dataset.name.as_str()))?,
        Err(_) => {
            let sentence = "The source took too long to give these rows; try a row condition that fits more of them.";
            return Err(AppError::Unavailable(sentence.to_owned()));
        }
    };
    Ok((plan, preview))
}

type Catalogued = (Arc<Dataset>, Arc<Source>, Access, KnownHierarchies);

async fn catalogued(app: &App, ask: &PreviewAsk) -> Result<Catalogued, AppError> {
    let keyring = Arc::clone(&app.keyring);
    let (name, drafted) = (ask.dataset.clone(), ask.fields.clone());
    app.store
        .read(move |tx| {
            let dataset = datasets::find_by_name(tx, &name)?.ok_or(AppError::NotFound("dataset"))?;
            let source = sources::find(tx, &dataset.source)?;
            let access = catalogue::access(tx, &keyring, &source)?;
            let known = hierarchies::known(tx, drafted.values())?;
            Ok((Arc::new(dataset), Arc::new(source), access, known))
        })
        .await
}

/// The beginning of a value; shown to people, who need no more of it.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Who saw samples of which dataset or source today, as far as this process knows: so that most previews write nothing.
#[derive(Default)]
pub struct Viewed {
    known: std::sync::Mutex<Known>,
    /// Held while an entry is written, so that two previews at once write one.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    day: Option<Date>,
    /// Of whom, and the id of which dataset or source.
    seen: HashSet<(PersonId, String)>,
}

impl Viewed {
    fn knows(&self, day: Date, person: &PersonId, of: &str) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.day == Some(day) && known.seen.contains(&(person.clone(), of.to_owned()))
    }

    fn learn(&self, day: Date, person: PersonId, of: String) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.day != Some(day) {
            *known = Known { day: Some(day), seen: HashSet::new() };
        }
        known.seen.insert((person, of));
    }
}

/// Records that a person sees samples of a dataset: once a person, dataset and UTC day, also across restarts.
async fn record_view(app: &App, by: &Actor, dataset: &Dataset) -> Result<(), AppError> {
    let person = by.person().ok_or(AppError::Unauthenticated)?.clone();
    let day = app.clock.now().date();
    if app.viewed.knows(day, &person, dataset.id.as_str()) {
        return Ok(());
    }
    let _writing = app.viewed.writing.lock().await;
    if app.viewed.knows(day, &person, dataset.id.as_str()) {
        return Ok(());
    }
    let (by, who, name, id) = (by.clone(), person.clone(), dataset.name.clone(), dataset.id.clone());
    app.store
        .record(move |tx| {
            if history::has_act(tx, &who, VIEW, &name, day.start())? {
                return Ok(());
            }
            append(tx, &Body::Act(Act::new("dataset", &id, VIEW, &by).fact("dataset", &name)), None)
        })
        .await?;
    app.viewed.learn(day, person, dataset.id.to_string());
    Ok(())
}

/// Records that a person sees samples of a source that is being catalogued: once a person, source and UTC day, as far as
/// this process knows; after a restart it is recorded once more.
pub async fn record_source_view(app: &App, by: &Actor, source: &SourceId) -> Result<(), AppError> {
    let person = by.person().ok_or(AppError::Unauthenticated)?.clone();
    let day = app.clock.now().date();
    let _writing = app.viewed.writing.lock().await;
    if app.viewed.knows(day, &person, source.as_str()) {
        return Ok(());
    }
    let (by, id) = (by.clone(), source.clone());
    app.store.record(move |tx| append(tx, &Body::Act(Act::new("source", &id, VIEW, &by)), None)).await?;
    app.viewed.learn(day, person, source.to_string());
    Ok(())
}

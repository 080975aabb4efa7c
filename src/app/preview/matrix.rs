//! The fields of a dataset under an agreement: what is signed, what each permit does with them, what could be done.

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::{App, AppError};
use crate::domain::agreement::VersionStatus;
use crate::domain::dataset::{FieldClass, LogicalType};
use crate::domain::hierarchy::HierarchyVersion;
use crate::domain::id::AgreementId;
use crate::domain::permit::{Revision, RevisionStatus};
use crate::domain::text::{FieldName, Line, Slug};
use crate::domain::treatment::Treatment;
use crate::policy::matrix::{self, Choice};
use crate::policy::words;
use crate::store::{agreements, datasets, hierarchies, permits, vocabulary};

/// A dataset's fields as a permit's matrix shows them.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Matrix {
    pub agreement: AgreementId,
    pub dataset: Slug,
    /// The version whose categories count: the newest that is not given up.
    pub agreement_version: Option<i32>,
    pub fields: Vec<MatrixField>,
    /// The hierarchies that treatments can name, by name with the newest version first; not all where there are very many.
    pub hierarchies: Vec<HierarchyVersion>,
    /// What an approver should know of every permit on this dataset.
    pub notices: Vec<&'static str>,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MatrixField {
    pub name: FieldName,
    #[serde(rename = "type")]
    pub logical: LogicalType,
    pub class: FieldClass,
    pub category: Slug,
    pub category_title: String,
    pub description: Option<Line>,
    /// Whether the agreement names this category: else no permit under it may release the field.
    pub signed: bool,
    /// Whether it says whose row it is.
    pub subject: bool,
    /// What the agreement's permits on this dataset do with it; a permit that is not here withholds it.
    pub current: Vec<Standing>,
    /// The treatments that fit its type, with parameters to begin with.
    pub choices: Vec<Choice>,
}

/// The treatment of a field by a permit.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Standing {
    pub permit: Slug,
    pub revision: i32,
    pub status: RevisionStatus,
    pub treatment: Treatment,
    pub words: String,
    pub warnings: Vec<&'static str>,
}

/// The most hierarchies that are offered.
const MOST_HIERARCHIES: i64 = 500;

/// The matrix of a dataset under an agreement. It reads no rows.
pub async fn matrix(app: &App, agreement: AgreementId, dataset: Slug) -> Result<Matrix, AppError> {
    app.store
        .read(move |tx| {
            let agreement = agreements::find(tx, &agreement)?;
            let dataset = datasets::find_by_name(tx, &dataset)?.ok_or(AppError::NotFound("dataset"))?;
            let versions = agreements::versions(tx, &agreement.id)?;
            let version = versions.iter().rev().find(|version| !matches!(version.status, VersionStatus::Terminated { .. }));
            let standing = standing(permits::revisions_by_agreement(tx, &agreement.id)?, &dataset.name);
            let vocabulary = vocabulary::load(tx)?;
            let hierarchies = hierarchies::list(tx, None, MOST_HIERARCHIES)?;
            let fields = dataset.fields.iter().map(|field| {
                let treated = standing.iter().filter_map(|revision| Some((revision, revision.terms.fields.get(&field.name)?)));
                let current = treated.map(|(revision, treatment)| Standing {
                    permit: revision.permit.clone(),
                    revision: revision.number,
                    status: revision.status,
                    treatment: treatment.clone(),
                    words: words::treatment(treatment),
                    warnings: matrix::warnings(field, treatment),
                });
                MatrixField {
                    name: field.name.clone(),
                    logical: field.logical,
                    class: field.class,
                    category: field.category.clone(),
                    category_title: words::category(&vocabulary, &field.category),
                    description: field.description.clone(),
                    signed: version.is_some_and(|version| version.terms.data_categories.contains(&field.category)),
                    subject: field.name == dataset.subject.field,
                    current: current.collect(),
                    choices: matrix::with_hierarchies(matrix::choices(field), &hierarchies),
                }
            });
            Ok(Matrix {
                fields: fields.collect::<Vec<_>>(),
                hierarchies,
                agreement: agreement.id,
                dataset: dataset.name,
                agreement_version: version.map(|version| version.number),
                notices: vec![matrix::LINKABLE],
            })
        })
        .await
}

/// What each permit on a dataset says: what is proposed, else what is in force. The revisions come by permit and number.
fn standing(revisions: Vec<Revision>, dataset: &Slug) -> Vec<Revision> {
    let mut standing: Vec<Revision> = Vec::new();
    let lives = |revision: &Revision| matches!(revision.status, RevisionStatus::Proposed | RevisionStatus::InForce);
    for revision in revisions.into_iter().filter(|revision| lives(revision) && revision.terms.dataset == *dataset) {
        match standing.last_mut() {
            Some(last) if last.permit == revision.permit => *last = revision,
            Some(_) | None => standing.push(revision),
        }
    }
    standing
}

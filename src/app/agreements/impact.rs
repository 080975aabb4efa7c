//! What a version would change if it were approved and signed: for the officer who reads it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use crate::app::AppError;
use crate::domain::Invalid;
use crate::domain::agreement::{Agreement, AgreementVersion, VersionStatus};
use crate::domain::dataset::Dataset;
use crate::domain::id::{AgreementId, PersonId};
use crate::domain::permit::{Permit, PermitTerms, Revision, RevisionStatus};
use crate::domain::person::Role;
use crate::domain::text::{FieldName, Name, Slug};
use crate::domain::vocabulary::Vocabulary;
use crate::policy::diff::{self, Diff};
use crate::policy::{self, Denied};
use crate::store::{Tx, agreements, datasets, evidence, people, permits, vendors, vocabulary};

use super::App;
use super::view::Around;

/// What a version changes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Impact {
    pub number: i32,
    /// The version it is compared with: the newest signed one before it; none for the first.
    pub compared_with: Option<i32>,
    pub terms: Diff,
    pub permits: Vec<PermitImpact>,
    /// Fields that hold direct identifiers and would go out as they are: the officer names each to approve.
    #[schema(value_type = Vec<FieldName>)]
    pub confirm_clear: BTreeSet<FieldName>,
    /// What still stands between the version and being approved and signed.
    pub missing: Vec<Invalid>,
    pub warnings: Vec<Invalid>,
    /// Everyone who wrote in the version or its permits; none of them approves it.
    #[schema(value_type = Vec<PersonId>)]
    pub authors: BTreeSet<PersonId>,
    /// The privacy officers who may approve it.
    pub approvers: Vec<Officer>,
}

/// A privacy officer who may approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Officer {
    pub id: PersonId,
    pub name: Name,
}

/// What becomes of a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PermitFate {
    /// It is new with this version.
    New,
    /// Its terms change with this version.
    Changed,
    /// It goes on as it is.
    TakenAlong,
    /// It does not lie within this version: its gate closes when the version begins.
    LeftBehind,
}

/// One permit under the version.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PermitImpact {
    pub permit: Slug,
    /// The revision that would be in force.
    pub revision: i32,
    pub fate: PermitFate,
    pub changes: Diff,
    /// Fields that hold direct identifiers and would go out as they are, also those that do already.
    #[schema(value_type = Vec<FieldName>)]
    pub clear_identifiers: BTreeSet<FieldName>,
    /// Why it does not lie within the version.
    pub outside: Option<String>,
}

/// What a version would change, whatever its state.
pub async fn impact(app: &App, id: AgreementId, number: i32) -> Result<Impact, AppError> {
    app.store.read(move |tx| of(tx, &id, number)).await
}

fn of(tx: &mut Tx, id: &AgreementId, number: i32) -> Result<Impact, AppError> {
    let agreement = agreements::find(tx, id)?;
    let versions = agreements::versions(tx, id)?;
    let version = versions.iter().find(|one| one.number == number).ok_or(AppError::NotFound("agreement version"))?;
    let signed = |one: &&AgreementVersion| {
        one.number < number && matches!(one.status, VersionStatus::Signed { .. } | VersionStatus::Superseded { .. })
    };
    let before = versions.iter().rev().find(signed);
    let papers = evidence::list_by_vendor(tx, &agreement.vendor)?;
    let names = papers.iter().map(|paper| (paper.id.clone(), paper.facts.name.to_string())).collect();
    let today = tx.now().date();
    let holding = papers.iter().filter(|paper| paper.holds_on(today)).map(|paper| paper.id.clone()).collect();
    let around = Around { transfers: policy::agreement::transfers(&vendors::find(tx, &agreement.vendor)?), holding };
    let vocabulary = vocabulary::load(tx)?;
    let (permits, authors, confirm_clear) = permits_under(tx, &agreement, version, &vocabulary)?;
    let missing = match policy::agreement::check_complete(&agreement, version, permits.len(), &around.of(version, today)) {
        Err(Denied::Missing(missing)) => missing,
        Ok(()) | Err(Denied::State(_) | Denied::Person(_) | Denied::Invalid(_)) => Vec::new(),
    };
    let officers = people::list_by_role(tx, Role::PrivacyOfficer)?.into_iter().filter(|person| !authors.contains(&person.id));
    let approvers = officers.map(|person| Officer { id: person.id, name: person.name }).collect();
    let nothing = crate::domain::agreement::AgreementTerms::default();
    Ok(Impact {
        number,
        compared_with: before.map(|before| before.number),
        terms: diff::terms(before.map_or(&nothing, |before| &before.terms), &version.terms, &names, &vocabulary),
        permits,
        confirm_clear,
        missing,
        warnings: version.terms.warnings(),
        authors,
        approvers,
    })
}

type Under = (Vec<PermitImpact>, BTreeSet<PersonId>, BTreeSet<FieldName>);

/// The permits that live, each with what becomes of it; the authors; and what an approval must name.
fn permits_under(tx: &mut Tx, agreement: &Agreement, version: &AgreementVersion, vocabulary: &Vocabulary) -> Result<Under, AppError> {
    let datasets: BTreeMap<Slug, Dataset> =
        datasets::list_by_agreement(tx, &agreement.id)?.into_iter().map(|dataset| (dataset.name.clone(), dataset)).collect();
    let mut revisions: BTreeMap<Slug, Vec<Revision>> = BTreeMap::new();
    for revision in permits::revisions_by_agreement(tx, &agreement.id)? {
        revisions.entry(revision.permit.clone()).or_default().push(revision);
    }
    let (mut found, mut authors, mut confirm) = (Vec::new(), version.authors.clone(), BTreeSet::new());
    for permit in permits::list_by_agreement(tx, &agreement.id)?.iter().filter(|permit| permit.ended_at.is_none()) {
        let Some(revisions) = revisions.get(&permit.key) else { continue };
        let standing = revisions.iter().rev().find(|one| one.status == RevisionStatus::InForce);
        let drafted = |one: &&Revision| one.status == RevisionStatus::Proposed && one.agreement_version == version.number;
        let proposed = revisions.iter().rev().find(drafted);
        let Some(next) = proposed.or(standing) else { continue };
        let impact = one((agreement, version), permit, standing, next, datasets.get(&next.terms.dataset), vocabulary);
        if proposed.is_some() {
            authors.extend(next.authors.iter().cloned());
            confirm.extend(impact.clear_identifiers.iter().cloned());
        }
        found.push(impact);
    }
    Ok((found, authors, confirm))
}

fn one(
    (agreement, version): (&Agreement, &AgreementVersion),
    permit: &Permit,
    standing: Option<&Revision>,
    next: &Revision,
    dataset: Option<&Dataset>,
    vocabulary: &Vocabulary,
) -> PermitImpact {
    let within = |terms: &PermitTerms| match dataset {
        Some(dataset) => {
            policy::permit::check_within(agreement.kind, version, terms, dataset, vocabulary).err().map(|denied| denied.to_string())
        }
        None => Some("The dataset is not catalogued.".to_owned()),
    };
    let outside = within(&next.terms);
    let changes =
        standing.map_or_else(|| diff::added(&next.terms, vocabulary), |standing| diff::permits(&standing.terms, &next.terms, vocabulary));
    let fate = match standing {
        _ if outside.is_some() => PermitFate::LeftBehind,
        None => PermitFate::New,
        Some(standing) if standing.number == next.number => PermitFate::TakenAlong,
        Some(_) => PermitFate::Changed,
    };
    let clear_identifiers = dataset.map(|dataset| next.terms.clear_identifiers(dataset)).unwrap_or_default();
    PermitImpact { permit: permit.key.clone(), revision: next.number, fate, changes, clear_identifiers, outside }
}

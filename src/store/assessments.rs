//! Due-diligence rounds; one open round for each vendor and kind.

use diesel::prelude::*;

use crate::domain::Instant;
use crate::domain::assessment::{Assessment, AssessmentKind};
use crate::domain::id::{AssessmentId, VendorId};
use crate::domain::vendor::Lifecycle;

use super::Tx;
use super::column::{from_json, json, known, parse};
use super::error::StoreError;
use super::schema::{assessments, vendors};

const NOUN: &str = "assessment";

#[derive(Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = assessments, treat_none_as_default_value = false, treat_none_as_null = true)]
struct AssessmentRow {
    id: String,
    vendor: String,
    kind: String,
    template: String,
    status: String,
    open: bool,
    decided_at: Option<i64>,
    questionnaire: Option<String>,
    answers: String,
    score: Option<String>,
    opened_by: String,
    opened_at: i64,
    version: i64,
    state: String,
}

impl AssessmentRow {
    fn of(assessment: &Assessment, version: i64) -> Result<Self, StoreError> {
        Ok(Self {
            id: assessment.id.to_string(),
            vendor: assessment.vendor.to_string(),
            kind: assessment.kind.key().to_owned(),
            template: assessment.template.to_string(),
            status: json(NOUN, &assessment.status)?,
            open: assessment.status.is_open(),
            decided_at: assessment.status.decision().map(|decision| decision.at.micros()),
            questionnaire: assessment.questionnaire.as_ref().map(|template| json(NOUN, template)).transpose()?,
            answers: json(NOUN, &assessment.answers)?,
            score: assessment.score.as_ref().map(|score| json(NOUN, score)).transpose()?,
            opened_by: assessment.opened_by.to_string(),
            opened_at: assessment.opened_at.micros(),
            version,
            state: assessment.status.key().to_owned(),
        })
    }

    fn read(self) -> Result<Assessment, StoreError> {
        Ok(Assessment {
            id: parse(NOUN, self.id)?,
            vendor: parse(NOUN, self.vendor)?,
            kind: known(NOUN, AssessmentKind::from_key(&self.kind))?,
            template: parse(NOUN, self.template)?,
            status: from_json(NOUN, &self.status)?,
            questionnaire: self.questionnaire.map(|text| from_json(NOUN, &text)).transpose()?,
            answers: from_json(NOUN, &self.answers)?,
            score: self.score.map(|text| from_json(NOUN, &text)).transpose()?,
            opened_by: parse(NOUN, self.opened_by)?,
            opened_at: Instant::from_micros(self.opened_at),
            version: self.version,
        })
    }
}

/// Keeps a new round; `Taken` when one of its kind is open.
pub fn insert(tx: &mut Tx, assessment: &Assessment) -> Result<(), StoreError> {
    diesel::insert_into(assessments::table)
        .values(AssessmentRow::of(assessment, assessment.version)?)
        .execute(tx.conn())
        .map_err(|error| StoreError::taken(error, "assessment"))?;
    note_review(tx, assessment)
}

/// The round of that id.
pub fn find(tx: &mut Tx, id: &AssessmentId) -> Result<Assessment, StoreError> {
    let row = assessments::table.find(id.as_str()).select(AssessmentRow::as_select()).first(tx.conn()).optional()?;
    row.ok_or(StoreError::NotFound(NOUN))?.read()
}

/// Saves what was read as `assessment.version`; answers the new version.
pub fn save(tx: &mut Tx, assessment: &Assessment) -> Result<i64, StoreError> {
    let next = assessment.version.saturating_add(1);
    let read = assessments::table.find(assessment.id.as_str()).filter(assessments::version.eq(assessment.version));
    let saved = diesel::update(read)
        .set(AssessmentRow::of(assessment, next)?)
        .execute(tx.conn())
        .map_err(|error| StoreError::taken(error, "assessment"))?;
    if saved != 1 {
        return Err(StoreError::Stale);
    }
    note_review(tx, assessment)?;
    Ok(next)
}

/// A decided security round says when the vendor's next review falls due; a rejection leaves none. The vendor's own
/// version stays: nobody edits this.
fn note_review(tx: &mut Tx, assessment: &Assessment) -> Result<(), StoreError> {
    let Some(decision) = assessment.status.decision() else { return Ok(()) };
    if assessment.kind == AssessmentKind::Security {
        let living = vendors::table.find(assessment.vendor.as_str()).filter(vendors::lifecycle.ne(Lifecycle::Retired.key()));
        diesel::update(living).set(vendors::review_until.eq(decision.valid_until.map(Instant::micros))).execute(tx.conn())?;
    }
    Ok(())
}

/// A vendor's rounds, newest first.
pub fn list_by_vendor(tx: &mut Tx, vendor: &VendorId) -> Result<Vec<Assessment>, StoreError> {
    let rows = assessments::table
        .filter(assessments::vendor.eq(vendor.as_str()))
        .select(AssessmentRow::as_select())
        .order(assessments::id.desc())
        .load(tx.conn())?;
    rows.into_iter().map(AssessmentRow::read).collect()
}

/// The round of a kind that still runs.
pub fn open_of_kind(tx: &mut Tx, vendor: &VendorId, kind: AssessmentKind) -> Result<Option<Assessment>, StoreError> {
    let row = assessments::table
        .filter(assessments::vendor.eq(vendor.as_str()))
        .filter(assessments::kind.eq(kind.key()))
        .filter(assessments::open.eq(true))
        .select(AssessmentRow::as_select())
        .first(tx.conn())
        .optional()?;
    row.map(AssessmentRow::read).transpose()
}

/// The round of a kind that was decided last, whatever the verdict.
pub fn latest_decided(tx: &mut Tx, vendor: &VendorId, kind: AssessmentKind) -> Result<Option<Assessment>, StoreError> {
    let row = assessments::table
        .filter(assessments::vendor.eq(vendor.as_str()))
        .filter(assessments::kind.eq(kind.key()))
        .filter(assessments::decided_at.is_not_null())
        .select(AssessmentRow::as_select())
        .order((assessments::decided_at.desc(), assessments::id.desc()))
        .first(tx.conn())
        .optional()?;
    row.map(AssessmentRow::read).transpose()
}

/// The round of the same vendor and kind that was decided last before a round: before its own decision, or before now.
pub fn decided_before(tx: &mut Tx, round: &Assessment) -> Result<Option<Assessment>, StoreError> {
    let at = round.status.decision().map_or_else(|| tx.now(), |decision| decision.at);
    let row = assessments::table
        .filter(assessments::vendor.eq(round.vendor.as_str()))
        .filter(assessments::kind.eq(round.kind.key()))
        .filter(assessments::decided_at.le(at.micros()))
        .filter(assessments::id.lt(round.id.as_str()))
        .select(AssessmentRow::as_select())
        .order((assessments::decided_at.desc(), assessments::id.desc()))
        .first(tx.conn())
        .optional()?;
    row.map(AssessmentRow::read).transpose()
}

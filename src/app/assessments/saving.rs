//! Answers saved a few at a time while they are typed: each change is based on the answer that was read.

use std::collections::BTreeSet;

use crate::app::{App, AppError, append};
use crate::domain::assessment::Assessment;
use crate::domain::id::AssessmentId;
use crate::domain::person::Actor;
use crate::domain::text::Slug;
use crate::history::Body;
use crate::policy;
use crate::store::assessments;

use super::{check_files, entry};

pub use crate::policy::assessment::{Change, Changes};

/// What became of changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Saved {
    /// The round as it stands now.
    pub round: Assessment,
    /// Questions that somebody else answered otherwise meanwhile; their answers stand.
    pub overtaken: BTreeSet<Slug>,
}

/// Saves changes to answers. Where nothing changes, nothing is written and the history gets no entry.
pub async fn save(app: &App, by: &Actor, id: AssessmentId, changes: Changes) -> Result<Saved, AppError> {
    let by = by.clone();
    app.store
        .record(move |tx| {
            let before = assessments::find(tx, &id)?;
            let (answers, overtaken) = policy::assessment::merge(&before.answers, &changes);
            if answers == before.answers && policy::assessment::is_answerable(&before) {
                return Ok(Saved { round: before, overtaken });
            }
            check_files(tx, &before.vendor, &answers)?;
            let from = before.status.key();
            let mut round = policy::assessment::answer(before, answers)?;
            round.version = assessments::save(tx, &round)?;
            append(tx, &Body::Act(entry(&round, "answer", &by).moved(from, round.status.key())), None)?;
            Ok(Saved { round, overtaken })
        })
        .await
}

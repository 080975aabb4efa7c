//! Permits: the list, one permit with its revisions, and the matrix in which they are written.

pub mod acts;
pub mod draft;
pub mod matrix;
pub mod revision;
pub mod samples;
pub mod show;
pub mod tokens;
pub mod treatments;

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest};
use askama::Template;

use crate::app::catalogue;
use crate::app::lists::{PermitFilter, PermitStage};
use crate::app::permits::{self, PermitLine, PermitList};
use crate::app::vocabulary;
use crate::domain::permit::{Permit, Revision, RevisionStatus};
use crate::domain::text::Slug;
use crate::domain::vocabulary::Vocabulary;
use crate::http::api::Tidegate;
use crate::http::guard::Read;

use super::agreements::{Answer, asked, next_part};
use super::answer::render;
use super::error::Wire;
use super::form::Typed;
use super::guard::Visitor;
use super::page::{Frame, Section};
use super::parts::Choice;
use super::words::{self, Badge, Tone};

/// How many rows a list shows at once.
const ROWS: usize = 50;

#[derive(Template)]
#[template(path = "permits/list.html")]
struct ListPage {
    frame: Frame,
    asked: Typed,
    datasets: Vec<Choice>,
    purposes: Vec<Choice>,
    stages: Vec<Choice>,
    list: PermitList,
    vocabulary: Vocabulary,
    next: String,
    count: String,
    narrowed: bool,
}

fn stages() -> Vec<Choice> {
    let name = |stage| match stage {
        PermitStage::InForce => "In force",
        PermitStage::Waiting => "A revision waits",
        PermitStage::Paused => "Paused",
        PermitStage::Ended => "Ended",
    };
    PermitStage::ALL.into_iter().map(|stage| Choice::new(stage.key(), name(stage))).collect()
}

/// The revision that a line is about: what counts now, else what waits.
fn counting(line: &PermitLine) -> Option<&Revision> {
    line.in_force.as_ref().or(line.proposed.as_ref())
}

impl ListPage {
    fn badges(&self, line: &PermitLine) -> Vec<Badge> {
        badges(&line.permit, line.agreement_ended_at.is_some(), line.in_force.as_ref(), line.proposed.as_ref())
    }

    /// Dataset, purpose, and how many fields go out.
    fn about(&self, line: &PermitLine) -> (String, String, usize) {
        let Some(revision) = counting(line) else { return (String::new(), String::new(), 0) };
        let purpose = crate::policy::words::purpose(&self.vocabulary, &revision.terms.purpose);
        (revision.terms.dataset.to_string(), purpose, revision.terms.released().count())
    }
}

/// Where a permit stands: what counts now, and what waits beside it.
pub(super) fn badges(permit: &Permit, agreement_ended: bool, in_force: Option<&Revision>, waits: Option<&Revision>) -> Vec<Badge> {
    if agreement_ended && permit.ended_at.is_none() {
        return vec![Badge::new(Tone::Stopped, "Ended with its agreement")];
    }
    // A permit of which nothing counts and nothing waits was turned down.
    let status = in_force.or(waits).map_or(RevisionStatus::Rejected, |revision| revision.status);
    let mut badges = vec![words::permit(permit, status)];
    let beside = in_force.is_some() && permit.ended_at.is_none();
    badges.extend(waits.filter(|_| beside).map(waiting));
    badges
}

/// What waits beside what is in force.
pub(super) fn waiting(revision: &Revision) -> Badge {
    match revision.status {
        RevisionStatus::InForce => Badge::new(Tone::Progress, format!("Revision {} begins later", revision.number)),
        RevisionStatus::Proposed | RevisionStatus::Superseded | RevisionStatus::Rejected => {
            Badge::new(Tone::SecondPerson, format!("Revision {} waits", revision.number))
        }
    }
}

/// The list.
pub async fn list(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let asked = asked(&request);
    let slug = |name: &str| asked.value(name).parse::<Slug>().ok();
    let filter = PermitFilter {
        dataset: slug("dataset"),
        purpose: slug("purpose"),
        stage: PermitStage::from_key(asked.value("state")),
        search: Some(asked.value("q").to_owned()).filter(|text| !text.is_empty()),
    };
    let narrowed = filter != PermitFilter::default();
    let list = by.want(&request, permits::overview(&app, filter, slug("after"), ROWS).await)?;
    let datasets = by.want(&request, catalogue::list(&app).await)?;
    let vocabulary = by.want(&request, vocabulary::load(&app).await)?;
    let page = ListPage {
        frame: by.frame(&request, "Permits", Section::Permits),
        next: next_part("/permits", &asked, &["q", "dataset", "purpose", "state"], list.next.as_ref()),
        count: words::count(list.total, "permit", "permits"),
        datasets: datasets.iter().map(|dataset| Choice::new(dataset.name.as_str(), dataset.name.as_str())).collect(),
        purposes: words::purposes(vocabulary.purposes()),
        vocabulary,
        stages: stages(),
        list,
        asked,
        narrowed,
    };
    Ok(render(&request, StatusCode::OK, &page))
}

/// The key of the permit that the path names.
pub(super) fn key_of<P>(request: &HttpRequest, by: &Visitor<P>) -> Result<Slug, Error> {
    request.match_info().query("key").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

/// The number of the revision that the path names.
pub(super) fn number_of<P>(request: &HttpRequest, by: &Visitor<P>) -> Result<i32, Error> {
    request.match_info().query("number").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

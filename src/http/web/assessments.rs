//! A round of due diligence: its questions, its state, and its next act for whoever looks.

pub mod acts;
pub mod answering;
pub mod deciding;
pub mod list;
pub mod questions;
pub mod score;

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::app::assessments::{self, Dossier};
use crate::domain::assessment::AssessmentStatus as S;
use crate::domain::id::AssessmentId;
use crate::http::api::Tidegate;
use crate::http::guard::Read;
use crate::policy::access::Permission;
use crate::policy::assessment::is_answerable;

use super::answer::render;
use super::error::Wire;
use super::form::Typed;
use super::guard::Visitor;
use super::page::{Frame, Section};
use super::parts::{Crumb, Fact, Progress, Step, Tab};
use super::words::{self, Badge};
use questions::DomainView;

type Answer = Result<HttpResponse, Error>;

/// What stands at the top of every page of a round.
pub struct Head {
    pub id: AssessmentId,
    pub crumbs: Vec<Crumb>,
    pub badge: Badge,
    pub tabs: Vec<Tab>,
    pub facts: Vec<Fact>,
    pub steps: Vec<Step>,
    pub acts: Vec<Act>,
    /// Where the round stands, and who does what next.
    pub said: String,
}

/// Something that can be done next: a form that is sent at once, or a page that asks first.
pub struct Act {
    pub label: &'static str,
    pub to: String,
    pub is_form: bool,
    pub primary: bool,
}

/// The pages of a round.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum View {
    Questions,
    Score,
    Comparison,
    Decision,
}

/// The round that a path names, with what is around it.
pub async fn found<P>(request: &HttpRequest, app: &App, by: &Visitor<P>) -> Result<Dossier, Error> {
    let id = id_of(request, by)?;
    by.want(request, assessments::dossier(app, id).await)
}

/// The round that a path names.
pub fn id_of<P>(request: &HttpRequest, by: &Visitor<P>) -> Result<AssessmentId, Error> {
    request.match_info().query("id").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

/// What a round is called.
pub fn title(dossier: &Dossier) -> String {
    format!("{} assessment of {}", words::assessment_kind(dossier.round.kind), dossier.vendor.profile.legal_name)
}

/// The top of a page of a round, for whoever looks at it.
pub fn head<P>(dossier: &Dossier, by: &Visitor<P>, view: View, frame: &Frame) -> Head {
    let round = &dossier.round;
    Head {
        id: round.id.clone(),
        crumbs: vec![
            Crumb { href: "/assessments".to_owned(), label: "Assessments".to_owned() },
            Crumb { href: format!("/vendors/{}", round.vendor), label: dossier.vendor.profile.legal_name.to_string() },
        ],
        badge: words::assessment(&round.status, frame.now),
        tabs: tabs(dossier, view),
        facts: facts(dossier),
        steps: steps(&round.status),
        acts: acts(dossier, by),
        said: said(dossier, by),
    }
}

fn tabs(dossier: &Dossier, view: View) -> Vec<Tab> {
    let id = &dossier.round.id;
    let tab = |of: View, path: &str, label: &str| Tab {
        href: format!("/assessments/{id}{path}"),
        label: label.to_owned(),
        current: of == view,
        count: None,
    };
    let mut tabs = vec![tab(View::Questions, "", "Questionnaire")];
    if dossier.round.questionnaire.is_some() {
        tabs.push(tab(View::Score, "/score", "Score"));
    }
    if dossier.has_previous {
        tabs.push(tab(View::Comparison, "/comparison", "Compared with the last"));
    }
    tabs.push(tab(View::Decision, "/decision", "Decision"));
    tabs
}

fn facts(dossier: &Dossier) -> Vec<Fact> {
    let (round, profile) = (&dossier.round, &dossier.vendor.profile);
    let named = |id: &str| dossier.names.get(id).cloned().unwrap_or_else(|| "somebody who is gone".to_owned());
    let mut facts = vec![
        Fact::new("Vendor", profile.legal_name.as_str()).at(format!("/vendors/{}", round.vendor)),
        Fact::new("Tier", words::tier(&profile.tier)),
        Fact::new("Owner of the vendor", named(profile.owner.as_str())),
        Fact::new("Opened by", named(round.opened_by.as_str())),
        Fact::new("Opened", words::instant(&round.opened_at)),
        Fact::new("Questionnaire", format!("{}, version {}", dossier.questionnaire.title, dossier.questionnaire.version)),
        Fact::new("Evidence", words::count(dossier.papers.len() as u64, "paper", "papers"))
            .at(format!("/vendors/{}/evidence", round.vendor)),
    ];
    match &round.status {
        S::Submitted { by, at } => facts.push(Fact::new("Submitted", format!("{} by {}", words::instant(at), named(by.as_str())))),
        S::InReview { by, at } => facts.push(Fact::new("In review since", format!("{} by {}", words::instant(at), named(by.as_str())))),
        S::Decided(made) => facts.push(Fact::new("Decided", format!("{} by {}", words::instant(&made.at), named(made.by.as_str())))),
        S::Cancelled { at } => facts.push(Fact::new("Cancelled", words::instant(at))),
        S::Draft | S::Sent | S::InProgress => {}
    }
    facts
}

/// Where the round stands on its way; a cancelled one has left it.
fn steps(status: &S) -> Vec<Step> {
    let at = match status {
        S::Draft => 0,
        S::Sent | S::InProgress => 1,
        S::Submitted { .. } => 2,
        S::InReview { .. } => 3,
        S::Decided(_) => 4,
        S::Cancelled { .. } => return Vec::new(),
    };
    let progress = |step: i32| match step.cmp(&at) {
        std::cmp::Ordering::Less => Progress::Done,
        std::cmp::Ordering::Equal => Progress::Current,
        std::cmp::Ordering::Greater => Progress::Later,
    };
    let labels = ["Send the questions", "Answer", "Take into review", "Decide"];
    (0..).zip(labels).map(|(step, label)| Step { label: label.to_owned(), progress: progress(step), href: String::new() }).collect()
}

fn acts<P>(dossier: &Dossier, by: &Visitor<P>) -> Vec<Act> {
    let round = &dossier.round;
    let (assesses, decides) = (by.may(Permission::Assess), by.may(Permission::Decide));
    let to = |path: &str| format!("/assessments/{}{path}", round.id);
    let form = |label, to| Act { label, to, is_form: true, primary: true };
    let page = |label, to, primary| Act { label, to, is_form: false, primary };
    match &round.status {
        S::Draft if assesses => vec![page("Cancel", to("/cancel"), false), form("Send the questions", to("/send"))],
        S::Sent | S::InProgress if assesses => {
            vec![page("Cancel", to("/cancel"), false), page("Submit for review", to("/submit"), true)]
        }
        S::Submitted { .. } if decides => vec![form("Take into review", to("/review"))],
        S::Submitted { .. } if assesses => vec![page("Cancel", to("/cancel"), false)],
        S::InReview { .. } if decides => {
            let may = crate::policy::assessment::check_decider(round, &dossier.vendor, &by.actor()).is_ok();
            let decide = may.then(|| page("Decide", to("/decision"), true));
            std::iter::once(page("Cancel", to("/review/cancel"), false)).chain(decide).collect()
        }
        S::Draft | S::Sent | S::InProgress | S::Submitted { .. } | S::InReview { .. } | S::Decided(_) | S::Cancelled { .. } => Vec::new(),
    }
}

/// Where the round stands, and who does what next, in a sentence for whoever looks.
fn said<P>(dossier: &Dossier, by: &Visitor<P>) -> String {
    let round = &dossier.round;
    let (assesses, decides) = (by.may(Permission::Assess), by.may(Permission::Decide));
    let text = match &round.status {
        S::Draft if assesses => "These questions would be sent. Sending fixes them: a newer questionnaire does not change this round.",
        S::Draft => "These questions are not sent yet. A vendor manager sends them.",
        S::Sent | S::InProgress if assesses => {
            "Answer what you know; each answer is saved as you go. Submitting locks the answers and computes the score."
        }
        S::Sent | S::InProgress => "The answers are being collected. A vendor manager submits them; then a privacy officer reviews them.",
        S::Submitted { .. } if decides => "The answers are locked. Take the round into review, read it, and decide.",
        S::Submitted { .. } => "The answers are locked and wait for a privacy officer.",
        S::InReview { .. } => match crate::policy::assessment::check_decider(round, &dossier.vendor, &by.actor()) {
            Ok(()) => "Read the answers, the score and the evidence, then decide.",
            Err(_) if decides => "Another privacy officer must decide: you own this vendor or opened this round.",
            Err(_) => "A privacy officer is reading the answers and decides.",
        },
        S::Decided(_) => "This round is decided and is never edited. What changes later goes into the next round.",
        S::Cancelled { .. } => "This round was cancelled. What was answered stays on record.",
    };
    text.to_owned()
}

#[derive(Template)]
#[template(path = "assessments/show.html")]
struct ShowPage {
    frame: Frame,
    head: Head,
    typed: Typed,
    labels: Vec<(String, String)>,
    domains: Vec<DomainView>,
    answered: usize,
    asked: usize,
    editable: bool,
    overtaken: bool,
}

impl ShowPage {
    /// Labels as the error summary takes them.
    fn labels(&self) -> Vec<(&str, &str)> {
        self.labels.iter().map(|(name, label)| (name.as_str(), label.as_str())).collect()
    }
}

/// A round with its questions.
pub async fn show(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let dossier = found(&request, &app, &by).await?;
    let domains = questions::domains(&dossier, None, &std::collections::BTreeSet::new());
    Ok(show_page(&request, &by, &dossier, StatusCode::OK, (Typed::default(), domains)))
}

/// The page of a round with questions as they are, or as they were typed.
pub fn show_page<P>(
    request: &HttpRequest,
    by: &Visitor<P>,
    dossier: &Dossier,
    status: StatusCode,
    (typed, domains): (Typed, Vec<DomainView>),
) -> HttpResponse {
    let frame = by.frame(request, title(dossier), Section::Assessments);
    let questions = domains.iter().flat_map(|domain| &domain.questions);
    let page = ShowPage {
        head: head(dossier, by, View::Questions, &frame),
        frame,
        labels: questions.map(|question| (format!("a.{}", question.id), format!("“{}”", question.text))).collect(),
        answered: domains.iter().map(|domain| domain.answered).sum(),
        asked: domains.iter().map(|domain| domain.asked).sum(),
        editable: is_answerable(&dossier.round) && by.may(Permission::Assess),
        overtaken: domains.iter().flat_map(|domain| &domain.questions).any(|question| question.other.is_some()),
        typed,
        domains,
    };
    render(request, status, &page)
}

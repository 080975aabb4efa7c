//! The terms of a version: as a form while it is a draft, as words once it is not; what is missing stands beside its field.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest};
use askama::Template;

use crate::app::agreements::{self, AgreementSheet};
use crate::app::{App, AppError, gates};
use crate::domain::Invalid;
use crate::domain::agreement::{AgreementTerms, AgreementVersion, VersionStatus};
use crate::domain::evidence::Evidence;
use crate::domain::vocabulary::{Category, Term};
use crate::http::api::Tidegate;
use crate::http::guard::{ManageAgreements, Read};
use crate::http::web::answer::render;
use crate::http::web::error::Wire;
use crate::http::web::form::Typed;
use crate::http::web::guard::{Sent, Visitor};
use crate::http::web::lead::see_other_saying;
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::{Choice, DiffRow, Fact, GateLine, alone, complaint};
use crate::http::web::{shown, words};
use crate::policy::access::Permission;
use crate::policy::diff;

use super::clauses::{self, Shape};
use super::head::{Head, Open, head};
use super::{Answer, asked, complaints, id_of, number_of};

/// Something that is missing before a draft can be handed in.
pub struct Gap {
    /// The field of the form.
    pub field: String,
    /// Where it is put right.
    pub href: String,
    /// As a sentence that names the field.
    pub said: String,
    /// As a sentence beside the field.
    pub beside: String,
}

/// A clause in words.
pub struct Clause {
    /// The letter of Art. 28(3), where it has one.
    pub letter: &'static str,
    pub label: String,
    pub values: Vec<String>,
}

/// What there is to choose from.
pub struct Choices {
    pub purposes: Vec<Choice>,
    pub categories: Vec<Choice>,
    pub evidence: Vec<Choice>,
    pub sub_processors: Vec<Choice>,
    pub ends: Vec<Choice>,
    pub mechanisms: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "agreements/show.html")]
struct ShowPage {
    frame: Frame,
    head: Head,
    shape: Shape,
    typed: Typed,
    /// The counter that a change is based on.
    read: i64,
    /// Whether the terms can be changed here and now.
    editable: bool,
    choices: Choices,
    gaps: Vec<Gap>,
    warnings: Vec<String>,
    clauses: Vec<Clause>,
    facts: Vec<Fact>,
    gates: Vec<GateLine>,
    /// What an officer said last.
    comment: String,
    document: String,
    signatures: Vec<Fact>,
    left_behind: Vec<String>,
    /// What differs from what is saved now, where somebody else saved meanwhile.
    others: Option<Vec<DiffRow>>,
}

impl ShowPage {
    fn gap(&self, field: &str) -> Option<&Gap> {
        self.gaps.iter().find(|gap| gap.field == field)
    }

    /// The letters are those of Art. 28(3); other kinds have none.
    fn letter_of(&self, letter: &'static str) -> &'static str {
        if self.shape.is_processor() { letter } else { "" }
    }

    fn upload_label(&self) -> &'static str {
        if self.document.is_empty() { "The document to be signed" } else { "Another document" }
    }

    fn digest_start(&self) -> &str {
        self.document.get(..12).unwrap_or_default()
    }
}

/// The letter of Art. 28(3) that a field belongs to.
fn letter(field: &str) -> &'static str {
    match field.split('.').next().unwrap_or_default() {
        "instructions" => "a",
        "confidentiality_attested_on" => "b",
        "security_evidence" => "c",
        "sub_processors" => "d",
        "assistance" => "e",
        "breach_notice" => "f",
        "at_the_end" => "g",
        "audit" => "h",
        _ => "",
    }
}

/// The names of a vendor's papers.
pub fn papers(papers: &[Evidence]) -> diff::Papers {
    papers.iter().map(|paper| (paper.id.clone(), paper.facts.name.to_string())).collect()
}

/// The terms in words: what they say that no terms at all would not.
fn in_words(sheet: &AgreementSheet, terms: &AgreementTerms) -> Vec<Clause> {
    let mut clauses: Vec<Clause> = Vec::new();
    for said in diff::terms(&AgreementTerms::default(), terms, &papers(&sheet.papers), &sheet.vocabulary).differences {
        let Some(value) = said.after else { continue };
        let letter = if sheet.view.agreement.kind == crate::domain::agreement::AgreementKind::Processor { letter(&said.field) } else { "" };
        match clauses.last_mut() {
            Some(last) if last.label == said.label => last.values.push(value),
            Some(_) | None => clauses.push(Clause { letter, label: said.label, values: vec![value] }),
        }
    }
    clauses
}

fn choices(sheet: &AgreementSheet, typed: &Typed, frame: &Frame) -> Choices {
    let today = frame.now.date();
    let held = |paper: &&Evidence| paper.holds_on(today) || typed.has("security_evidence", paper.id.as_str());
    let paper = |paper: &Evidence| {
        let until = match paper.facts.expires {
            Some(end) if end < today => format!("Expired on {}: it does not count.", words::date(&end)),
            Some(end) => format!("Holds until {}.", words::date(&end)),
            None => "Has no end.".to_owned(),
        };
        Choice::new(paper.id.as_str(), paper.facts.name.as_str()).hinted(until)
    };
    let special = |special: bool| if special { "Special category (Art. 9)." } else { "" };
    // A retired term stays to be seen and unticked where these terms have it.
    let listed = |field: &str, term: &Term| term.is_offered() || typed.has(field, term.key.as_str());
    let category = |one: &Category| Choice::new(one.term.key.as_str(), one.term.title.as_str()).hinted(special(one.special));
    Choices {
        purposes: words::purposes(sheet.vocabulary.purposes().iter().filter(|one| listed("purposes", &one.term))),
        categories: sheet.vocabulary.categories().iter().filter(|one| listed("data_categories", &one.term)).map(category).collect(),
        evidence: sheet.papers.iter().filter(held).map(paper).collect(),
        sub_processors: clauses::sub_processor_ways(),
        ends: clauses::ends(),
        mechanisms: clauses::mechanisms(),
    }
}

/// What is missing, beside its field: that it must be given needs no saying twice.
fn beside(reason: &str) -> String {
    match reason.strip_prefix("must be given") {
        Some(rest) => alone(&format!("missing{rest}")),
        None => alone(&format!("missing: it {reason}")),
    }
}

fn gaps(missing: &[Invalid], base: &str) -> Vec<Gap> {
    let gap = |missing: &Invalid| {
        let field = clauses::field_of(&missing.field).to_owned();
        let href = if field == "permits" { format!("{base}/permits") } else { format!("#f-{field}") };
        let told = Invalid::new(field.clone(), missing.reason.clone());
        Gap { field, href, said: complaint(clauses::LABELS, &told), beside: beside(&told.reason) }
    };
    missing.iter().map(gap).collect()
}

fn facts(sheet: &AgreementSheet, version: &AgreementVersion, frame: &Frame) -> Vec<Fact> {
    let name = |id: &str| sheet.people.get(id).cloned().unwrap_or_else(|| id.to_owned());
    let authors: Vec<String> = version.authors.iter().map(|id| name(id.as_str())).collect();
    let mut facts = vec![Fact::new("Written by", authors.join(", ")), Fact::new("Begun", words::instant(&version.created_at))];
    facts.extend(version.approver.iter().map(|id| Fact::new("Approved by", name(id.as_str()))));
    if let VersionStatus::Signed { from, until } = &version.status {
        facts.push(Fact::new(if *from <= frame.now { "In force since" } else { "In force from" }, words::date(&from.date())));
        facts.push(Fact::new("Ends", until.map_or_else(|| "when it is ended".to_owned(), |end| words::until(&end, &frame.now))));
    }
    facts.extend(sheet.view.agreement.ended_at.map(|at| Fact::new("Ended", words::instant(&at))));
    facts
}

/// The version that is asked for, or the one that pages show when nobody names one.
pub(super) fn version_of<'a, P>(
    request: &HttpRequest,
    by: &Visitor<P>,
    sheet: &'a AgreementSheet,
    wanted: Option<i32>,
) -> Result<&'a AgreementVersion, Error> {
    let version = match wanted {
        Some(number) => sheet.view.versions.iter().find(|version| version.number == number),
        None => agreements::foremost_version(&sheet.view),
    };
    version.ok_or_else(|| by.wire(request, Wire::NotFound))
}

/// What is shown of the form: typed values, and the version that somebody else saved meanwhile.
struct Shown {
    status: StatusCode,
    typed: Option<Typed>,
    others: Option<Vec<DiffRow>>,
}

async fn page<P>(request: &HttpRequest, app: &App, by: &Visitor<P>, sheet: AgreementSheet, number: Option<i32>, what: Shown) -> Answer {
    let version = version_of(request, by, &sheet, number)?;
    let id = sheet.view.agreement.id.clone();
    let gates = by.want(request, gates::of_agreement(app, id).await)?;
    let frame = by.frame(request, sheet.view.agreement.reference.to_string(), Section::Agreements);
    let head = head(&frame, &by.actor(), &sheet, version, Open::Terms);
    let is_draft = version.status == VersionStatus::Draft && sheet.view.agreement.ended_at.is_none();
    let typed = what.typed.unwrap_or_else(|| clauses::filled(&version.terms));
    let sign = |signature: &crate::domain::agreement::Signature| {
        let party = if signature.party == crate::domain::agreement::Party::House { "Our side" } else { "The vendor" };
        Fact::new(party, format!("{}, {}", signature.name, words::instant(&signature.at)))
    };
    let page = ShowPage {
        shape: Shape::of(sheet.view.agreement.kind, sheet.transfers, &version.terms),
        read: version.version,
        editable: is_draft && frame.may(Permission::ManageAgreements),
        choices: choices(&sheet, &typed, &frame),
        gaps: if is_draft { gaps(&sheet.view.missing, &head.base) } else { Vec::new() },
        warnings: version.terms.warnings().iter().map(|one| complaint(clauses::LABELS, &of_form(one))).collect(),
        clauses: in_words(&sheet, &version.terms),
        facts: facts(&sheet, version, &frame),
        gates: shown::gates(&gates),
        comment: version.comment.as_ref().map(ToString::to_string).unwrap_or_default(),
        document: version.document.as_ref().map(ToString::to_string).unwrap_or_default(),
        signatures: version.signatures.iter().map(sign).collect(),
        left_behind: sheet.view.left_behind.iter().map(ToString::to_string).collect(),
        others: what.others,
        typed,
        frame,
        head,
    };
    Ok(render(request, what.status, &page))
}

fn of_form(error: &Invalid) -> Invalid {
    Invalid::new(clauses::field_of(&error.field), error.reason.clone())
}

/// One agreement.
pub async fn show(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let sheet = by.want(&request, agreements::sheet(&app, id_of(&request, &by)?).await)?;
    let asked = asked(&request);
    let number = match asked.value("version") {
        "" => None,
        text => Some(text.parse().map_err(|_| by.wire(&request, Wire::NotFound))?),
    };
    page(&request, &app, &by, sheet, number, Shown { status: StatusCode::OK, typed: None, others: None }).await
}

/// The same page again, with what is wrong.
pub(super) async fn again<P>(request: &HttpRequest, app: &App, by: &Visitor<P>, status: StatusCode, errors: Vec<Invalid>) -> Answer {
    let (id, number) = (id_of(request, by)?, number_of(request, by)?);
    let sheet = by.want(request, agreements::sheet(app, id).await)?;
    let version = version_of(request, by, &sheet, Some(number))?;
    let typed = clauses::filled(&version.terms).refused(errors.iter().map(of_form));
    page(request, app, by, sheet, Some(number), Shown { status, typed: Some(typed), others: None }).await
}

/// Saves the terms of a draft.
pub async fn save(request: HttpRequest, app: Tidegate, sent: Sent<ManageAgreements>) -> Answer {
    let Sent { by, typed } = sent;
    let (id, number) = (id_of(&request, &by)?, number_of(&request, &by)?);
    let sheet = by.want(&request, agreements::sheet(&app, id.clone()).await)?;
    let version = version_of(&request, &by, &sheet, Some(number))?;
    let shape = Shape::of(sheet.view.agreement.kind, sheet.transfers, &version.terms);
    let read = typed.value("read").parse::<i64>().unwrap_or(0);
    let terms = match clauses::read(shape, &version.terms, &typed, &sheet.vocabulary) {
        Ok(terms) => terms,
        Err(errors) => {
            let what = Shown { status: StatusCode::UNPROCESSABLE_ENTITY, typed: Some(typed.refused(errors)), others: None };
            return page(&request, &app, &by, sheet, Some(number), what).await;
        }
    };
    match agreements::edit(&app, &by.actor(), id, number, read, terms.clone()).await {
        Ok(_) => Ok(see_other_saying(&request, format!("/agreements/{}?version={number}", sheet.view.agreement.id), "The draft is saved.")),
        Err(AppError::Stale) => {
            // What was typed stays, now based on the version that it is compared with.
            let differs = diff::terms(&version.terms, &terms, &papers(&sheet.papers), &sheet.vocabulary);
            let what = Shown { status: StatusCode::CONFLICT, typed: Some(typed), others: Some(shown::diff(&differs)) };
            page(&request, &app, &by, sheet, Some(number), what).await
        }
        Err(error) => match complaints(error) {
            Ok(errors) => {
                let typed = typed.refused(errors.iter().map(of_form));
                let what = Shown { status: StatusCode::UNPROCESSABLE_ENTITY, typed: Some(typed), others: None };
                page(&request, &app, &by, sheet, Some(number), what).await
            }
            Err(error) => Err(by.refuse(&request, error)),
        },
    }
}

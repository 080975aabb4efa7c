//! The matrix: what happens to each field, with sample values beside it, and what saving would do said before it is done.

mod desk;
mod rows;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::permits::{self, Revising};
use crate::app::preview::SideBySide;
use crate::app::{App, AppError, catalogue};
use crate::domain::Invalid;
use crate::domain::dataset::Dataset;
use crate::domain::permit::PermitTerms;
use crate::domain::text::{Reason, Slug};
use crate::domain::vocabulary::Vocabulary;
use crate::http::api::Tidegate;
use crate::http::guard::{ManageAgreements, SeeSamples};
use crate::http::web::agreements::clauses::capital;
use crate::http::web::agreements::{Answer, asked, complaints, id_of};
use crate::http::web::answer::{fragment, render, wants_part};
use crate::http::web::error::Wire;
use crate::http::web::form::Typed;
use crate::http::web::guard::{Saved, Sent, Visitor, wanted};
use crate::http::web::lead::{see_other, see_other_saying};
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::{Choice, Crumb, complaint};
use crate::http::web::words;
use crate::policy::access::Permission;

use super::draft::{self, Draft};
use super::samples::{self, Samples};
use super::{key_of, number_of};

use desk::{Desk, Whose, load};
use rows::{ClauseView, Foreseen, RowView, bulk, clauses, foresee, rows};

type By = Visitor<ManageAgreements>;
type Form = Sent<ManageAgreements>;

/// A complaint with the place it leads to.
pub struct Complaint {
    pub href: String,
    pub said: String,
}

/// The page, and the part of it that is refreshed while it is filled in.
#[derive(Template)]
#[template(path = "permits/matrix.html")]
struct MatrixPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    desk: Desk,
    typed: Typed,
    complaints: Vec<Complaint>,
    rows: Vec<RowView>,
    clauses: Vec<ClauseView>,
    /// The condition as one sentence.
    condition: String,
    foreseen: Foreseen,
    notice: String,
    /// What somebody else did meanwhile.
    meanwhile: String,
    /// What a bulk change did.
    done: String,
    purposes: Vec<Choice>,
    bases: Vec<Choice>,
    instructions: Vec<Choice>,
    field_names: Vec<Choice>,
    bulk_kinds: Vec<Choice>,
    sees: bool,
}

#[derive(Template)]
#[template(path = "permits/refresh.html")]
struct Refresh {
    rows: Vec<RowView>,
    condition: String,
    foreseen: Foreseen,
    notice: String,
}

#[derive(Template)]
#[template(path = "permits/dataset.html")]
struct DatasetPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    typed: Typed,
    action: String,
    datasets: Vec<Choice>,
}

#[derive(Template)]
#[template(path = "permits/as_vendor.html")]
pub(super) struct AsVendorPage {
    pub frame: Frame,
    pub crumbs: Vec<Crumb>,
    pub sides: SideBySide,
    pub invalid: Vec<String>,
}

/// How the page is shown.
#[derive(Default)]
struct Shown {
    status: StatusCode,
    /// Errors of every field; else those of the matrix alone, as nobody has pressed "Save" yet.
    all_errors: bool,
    samples: Samples,
    meanwhile: String,
    done: String,
}

fn is_of_matrix(error: &Invalid) -> bool {
    ["treatment.", "param.", "condition."].iter().any(|beginning| error.field.starts_with(beginning))
}

fn said(error: &Invalid) -> Complaint {
    let label = draft::label(&error.field);
    Complaint { href: format!("#f-{}", error.field), said: complaint(&[(error.field.as_str(), label.as_str())], error) }
}

fn page(request: &HttpRequest, by: &By, desk: Desk, draft: &Draft, typed: Typed, shown: Shown) -> HttpResponse {
    let frame = by.frame(request, desk.title(), Section::Permits);
    let all = draft.errors.iter().chain(&typed.errors).filter(|error| shown.all_errors || is_of_matrix(error)).cloned();
    let mut errors: Vec<Invalid> = Vec::new();
    for error in all {
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    let crumbs = desk.crumbs();
    let rows = rows(&desk, &typed, &errors, &shown.samples);
    let field = |field: &crate::domain::dataset::Field| Choice::new(field.name.as_str(), field.name.as_str());
    let instruction = |text: &crate::domain::text::Prose| Choice::new(text.as_str(), shortened(text.as_str()));
    let basis = |basis: crate::domain::permit::LegalBasis| Choice::new(basis.key(), capital(crate::policy::words::legal_basis(basis)));
    let page = MatrixPage {
        complaints: if shown.all_errors { errors.iter().map(said).collect() } else { Vec::new() },
        clauses: clauses(&typed, &errors),
        condition: capital(&crate::policy::words::condition(&draft.condition)),
        foreseen: foresee(&desk, draft),
        notice: shown.samples.notice,
        meanwhile: shown.meanwhile,
        done: shown.done,
        purposes: desk.purposes(),
        bases: draft::BASES.into_iter().map(basis).collect(),
        instructions: desk.version.terms.instructions.iter().map(instruction).collect(),
        field_names: desk.dataset.fields.iter().map(field).collect(),
        bulk_kinds: rows::every_kind(),
        sees: frame.may(Permission::SeeSamples),
        typed: Typed::new(typed.pairs().to_vec()).refused(errors),
        rows,
        crumbs,
        desk,
        frame,
    };
    render(request, shown.status, &page)
}

/// The beginning of an instruction, as a choice shows it.
fn shortened(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

fn read(desk: &Desk, typed: &Typed) -> Draft {
    draft::read(typed, &desk.dataset, &desk.version.terms.instructions, &desk.vocabulary)
}

/// The form for a new permit; first for its dataset, where none is named.
pub async fn new(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let agreement = id_of(&request, &by)?;
    let asked = asked(&request);
    if asked.value("dataset").is_empty() {
        return dataset_page(&request, &app, &by).await;
    }
    let dataset = asked.value("dataset").parse::<Slug>().map_err(|_| by.wire(&request, Wire::NotFound))?;
    let desk = load(&request, &app, &by, Whose::New(agreement, dataset)).await?;
    let typed = desk.begins();
    let draft = read(&desk, &typed);
    Ok(page(&request, &by, desk, &draft, typed, Shown::default()))
}

async fn dataset_page(request: &HttpRequest, app: &App, by: &By) -> Answer {
    let agreement = id_of(request, by)?;
    let view = by.want(request, crate::app::agreements::find(app, agreement.clone()).await)?;
    by.want(request, permits::written_under(app, agreement.clone(), false).await)?;
    let datasets = by.want(request, catalogue::list(app).await)?;
    let choice = |dataset: &Dataset| {
        let fields = words::count(dataset.fields.len(), "field", "fields");
        Choice::new(dataset.name.as_str(), dataset.name.as_str()).hinted(fields)
    };
    let base = format!("/agreements/{agreement}");
    let page = DatasetPage {
        frame: by.frame(request, "Write a permit", Section::Permits),
        crumbs: vec![
            Crumb { href: base.clone(), label: view.agreement.reference.to_string() },
            Crumb { href: format!("{base}/permits"), label: "Permits".to_owned() },
        ],
        typed: Typed::default(),
        action: format!("{base}/permits/new"),
        datasets: datasets.iter().map(choice).collect(),
    };
    Ok(render(request, StatusCode::OK, &page))
}

/// The form for the next revision of a permit.
pub async fn revise(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let desk = load(&request, &app, &by, Whose::Revise(key_of(&request, &by)?)).await?;
    if let Some(number) = desk.rewritable() {
        return Ok(see_other(format!("/permits/{}/revisions/{number}/edit", desk.key)));
    }
    let typed = desk.begins();
    let draft = read(&desk, &typed);
    Ok(page(&request, &by, desk, &draft, typed, Shown::default()))
}

/// The form for a revision that nobody has decided yet.
pub async fn edit(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let desk = load(&request, &app, &by, Whose::Rewrite(key_of(&request, &by)?, number_of(&request, &by)?)).await?;
    let typed = desk.begins();
    let draft = read(&desk, &typed);
    Ok(page(&request, &by, desk, &draft, typed, Shown::default()))
}

/// What the form is for, as its hidden fields say.
fn whose(request: &HttpRequest, by: &By, typed: &Typed) -> Result<Whose, actix_web::Error> {
    let wrong = || by.wire(request, Wire::NotFound);
    let permit = typed.value("permit");
    if permit.is_empty() {
        return Ok(Whose::New(id_of(request, by)?, typed.value("dataset").parse().map_err(|_| wrong())?));
    }
    let key = permit.parse().map_err(|_| wrong())?;
    match typed.value("number") {
        "" => Ok(Whose::Revise(key)),
        number => Ok(Whose::Rewrite(key, number.parse().map_err(|_| wrong())?)),
    }
}

/// The matrix while it is filled in: refreshed with samples, with a bulk change, or with another row of the condition.
pub async fn refresh(request: HttpRequest, app: Tidegate, sent: Saved<ManageAgreements>) -> Answer {
    let Saved { by, mut typed } = sent;
    let whose = whose(&request, &by, &typed)?;
    let desk = load(&request, &app, &by, whose).await?;
    let act = typed.value("do").to_owned();
    let done = if act == "bulk" { bulk(&desk.dataset, &mut typed) } else { String::new() };
    let draft = read(&desk, &typed);
    let samples = if by.may(Permission::SeeSamples) {
        samples::of_draft(&app, &by.actor(), &desk.dataset, &draft).await
    } else {
        Samples { notice: "Sample values are for those who write and approve permits.".to_owned(), ..Samples::default() }
    };
    if wants_part(request.headers()) && act.is_empty() {
        let errors: Vec<Invalid> = draft.errors.iter().filter(|error| is_of_matrix(error)).cloned().collect();
        let part = Refresh {
            rows: rows(&desk, &typed, &errors, &samples),
            condition: capital(&crate::policy::words::condition(&draft.condition)),
            foreseen: foresee(&desk, &draft),
            notice: samples.notice,
        };
        return Ok(fragment(&request, StatusCode::OK, &part));
    }
    Ok(page(&request, &by, desk, &draft, typed, Shown { samples, done, ..Shown::default() }))
}

/// The same rows as they stand and as the vendor would get them.
pub async fn as_vendor(request: HttpRequest, app: Tidegate, sent: Saved<SeeSamples>) -> Answer {
    let Saved { by, typed } = sent;
    let dataset = typed.value("dataset").parse::<Slug>().map_err(|_| by.wire(&request, Wire::NotFound))?;
    let dataset = by.want(&request, catalogue::find(&app, dataset).await)?;
    let draft = draft::read(&typed, &dataset, &[], &Vocabulary::shipped());
    let sides = samples::whole_rows(&app, &by.actor(), &dataset, draft.fields, draft.condition).await;
    let sides = by.want(&request, sides)?;
    let invalid = draft.errors.iter().filter(|error| is_of_matrix(error)).map(|error| said(error).said).collect();
    let frame = by.frame(&request, "See as vendor", Section::Permits);
    Ok(render(&request, StatusCode::OK, &AsVendorPage { frame, crumbs: Vec::new(), sides, invalid }))
}

/// A form that is refused, as it was typed.
async fn refused(
    request: &HttpRequest,
    app: &App,
    by: &By,
    desk: Desk,
    typed: Typed,
    status: StatusCode,
    meanwhile: String,
) -> HttpResponse {
    let draft = read(&desk, &typed);
    let samples = samples::of_draft(app, &by.actor(), &desk.dataset, &draft).await;
    page(request, by, desk, &draft, typed, Shown { status, all_errors: true, samples, meanwhile, done: String::new() })
}

/// What a use case said of terms: beside the fields, or as a page of its own.
async fn answered(request: &HttpRequest, app: &App, by: &By, desk: Desk, typed: Typed, error: AppError) -> Answer {
    if error == AppError::Stale {
        let (typed, meanwhile) = desk.rebased(typed);
        return Ok(refused(request, app, by, desk, typed, StatusCode::CONFLICT, meanwhile).await);
    }
    if matches!(error, AppError::Taken(_)) {
        let typed = typed.refused([Invalid::new("key", "is taken by another permit: choose another")]);
        return Ok(refused(request, app, by, desk, typed, StatusCode::CONFLICT, String::new()).await);
    }
    match complaints(error) {
        Ok(errors) => {
            let placed: Vec<Invalid> = errors.into_iter().map(|error| draft::placed(&typed, error)).collect();
            let typed = typed.refused(placed);
            Ok(refused(request, app, by, desk, typed, StatusCode::UNPROCESSABLE_ENTITY, String::new()).await)
        }
        Err(error) => Err(by.refuse(request, error)),
    }
}

/// The terms of a form, or the form again.
fn terms(desk: &Desk, typed: &Typed, further: Vec<Invalid>) -> Result<PermitTerms, Vec<Invalid>> {
    match read(desk, typed).terms {
        Some(terms) if further.is_empty() => Ok(terms),
        Some(_) | None => Err(further),
    }
}

/// Writes a new permit.
pub async fn write(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let Sent { by, typed } = sent;
    let agreement = id_of(&request, &by)?;
    let dataset = typed.value("dataset").parse::<Slug>().map_err(|_| by.wire(&request, Wire::NotFound))?;
    let desk = load(&request, &app, &by, Whose::New(agreement.clone(), dataset)).await?;
    let mut errors = Vec::new();
    let key = wanted::<Slug>(&typed, "key", &mut errors);
    match (key, terms(&desk, &typed, errors)) {
        (Some(key), Ok(terms)) => match permits::write(&app, &by.actor(), agreement, key.clone(), terms).await {
            Ok(_) => Ok(see_other_saying(&request, format!("/permits/{key}"), "The permit is written.")),
            Err(error) => answered(&request, &app, &by, desk, typed, error).await,
        },
        (None, Ok(_)) => Err(by.wire(&request, Wire::Unreadable)),
        (_, Err(errors)) => {
            Ok(refused(&request, &app, &by, desk, typed.refused(errors), StatusCode::UNPROCESSABLE_ENTITY, String::new()).await)
        }
    }
}

/// Saves the next revision: a narrowing is in force at once, a widening waits.
pub async fn save_revision(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let Sent { by, typed } = sent;
    let key = key_of(&request, &by)?;
    let desk = load(&request, &app, &by, Whose::Revise(key.clone())).await?;
    let mut errors = Vec::new();
    let reason = wanted::<Reason>(&typed, "reason", &mut errors);
    let based_on = typed.value("based_on").parse::<i32>().unwrap_or(0);
    match (reason, terms(&desk, &typed, errors)) {
        (Some(reason), Ok(terms)) => match permits::revise(&app, &by.actor(), key.clone(), Revising { based_on, terms, reason }).await {
            Ok(view) => {
                let waits = view.revisions.last().is_some_and(|last| last.status == crate::domain::permit::RevisionStatus::Proposed);
                let said =
                    if waits { "The revision is saved and waits for a privacy officer." } else { "The revision is saved and in force." };
                Ok(see_other_saying(&request, format!("/permits/{key}"), said))
            }
            Err(error) => answered(&request, &app, &by, desk, typed, error).await,
        },
        (None, Ok(_)) => Err(by.wire(&request, Wire::Unreadable)),
        (_, Err(errors)) => {
            Ok(refused(&request, &app, &by, desk, typed.refused(errors), StatusCode::UNPROCESSABLE_ENTITY, String::new()).await)
        }
    }
}

/// Saves a revision that nobody has decided yet.
pub async fn rewrite(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let Sent { by, typed } = sent;
    let (key, number) = (key_of(&request, &by)?, number_of(&request, &by)?);
    let desk = load(&request, &app, &by, Whose::Rewrite(key.clone(), number)).await?;
    let read = typed.value("read").parse::<i64>().unwrap_or(0);
    match terms(&desk, &typed, Vec::new()) {
        Ok(terms) => match permits::rewrite(&app, &by.actor(), key.clone(), number, read, terms).await {
            Ok(_) => Ok(see_other_saying(&request, format!("/permits/{key}"), "The revision is saved.")),
            Err(error) => answered(&request, &app, &by, desk, typed, error).await,
        },
        Err(errors) => Ok(refused(&request, &app, &by, desk, typed.refused(errors), StatusCode::UNPROCESSABLE_ENTITY, String::new()).await),
    }
}

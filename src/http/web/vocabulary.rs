//! The vocabulary as a page: every purpose and category, found by its words; officers add their own, retire and restore.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::vocabulary::{self, Adding};
use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::text::{Line, Name, Slug};
use crate::domain::vocabulary::{Term, TermKind, Vocabulary};
use crate::http::api::Tidegate;
use crate::http::guard::{ManageVocabulary, Read};
use crate::policy::Denied;
use crate::policy::access::Permission;

use super::answer::render;
use super::datasets::asked;
use super::error::Wire;
use super::form::Typed;
use super::guard::{Sent, Visitor, given, wanted};
use super::lead::see_other_saying;
use super::page::{Frame, Section};
use super::parts::Choice;
use super::words;

type Answer = Result<HttpResponse, Error>;
type Form = Sent<ManageVocabulary>;

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[
    ("kind", "What it is"),
    ("key", "Key"),
    ("title", "Title"),
    ("description", "What it covers"),
    ("direct_marketing", "Direct marketing"),
    ("sale", "Sale or sharing"),
    ("special", "Special category"),
];

/// A term in one line.
struct TermLine {
    term: Term,
    /// What the law asks for beyond the usual; empty for most.
    law: String,
    /// Where it is retired and restored.
    base: String,
}

#[derive(Template)]
#[template(path = "settings/vocabulary.html")]
struct VocabularyPage {
    frame: Frame,
    typed: Typed,
    search: String,
    kinds: Vec<Choice>,
    lists: [(&'static str, Vec<TermLine>); 2],
    count: String,
    may: bool,
}

fn purpose_law(direct_marketing: bool, sale: bool) -> String {
    let said = [(direct_marketing, "direct marketing: an objection is absolute"), (sale, "sale or sharing: an opt-out counts")];
    said.into_iter().filter_map(|(holds, words)| holds.then_some(words)).collect::<Vec<_>>().join("; ")
}

/// The terms whose words hold what is looked for.
fn lists(all: &Vocabulary, search: &str) -> [(&'static str, Vec<TermLine>); 2] {
    let wanted = search.to_lowercase();
    let found = |term: &Term| {
        let description = term.description.as_ref().map(Line::as_str).unwrap_or_default();
        [term.key.as_str(), term.title.as_str(), description].iter().any(|text| text.to_lowercase().contains(&wanted))
    };
    let line = |term: &Term, law: String, path: &str| TermLine {
        law,
        base: format!("/settings/vocabulary/{path}/{}", term.key),
        term: term.clone(),
    };
    let purposes = all.purposes().iter().filter(|one| found(&one.term));
    let categories = all.categories().iter().filter(|one| found(&one.term));
    let special = |special: bool| if special { "special category (Art. 9)".to_owned() } else { String::new() };
    [
        ("Purposes", purposes.map(|one| line(&one.term, purpose_law(one.direct_marketing, one.sale), "purposes")).collect()),
        ("Data categories", categories.map(|one| line(&one.term, special(one.special), "categories")).collect()),
    ]
}

async fn show<P>(request: &HttpRequest, app: &App, by: &Visitor<P>, status: StatusCode, typed: Typed) -> Answer {
    let all = by.want(request, vocabulary::load(app).await)?;
    let search = asked(request).value("q").to_owned();
    let lists = lists(&all, &search);
    let page = VocabularyPage {
        count: words::count(lists.iter().map(|(_, lines)| lines.len()).sum::<usize>(), "term", "terms"),
        lists,
        search,
        typed,
        kinds: vec![
            Choice::new(TermKind::Purpose.key(), "A purpose").hinted("What data may be used for."),
            Choice::new(TermKind::Category.key(), "A data category").hinted("What kind of personal data a field holds."),
        ],
        may: by.may(Permission::ManageVocabulary),
        frame: by.frame(request, "Vocabulary", Section::Vocabulary),
    };
    Ok(render(request, status, &page))
}

/// The vocabulary.
pub async fn page(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    show(&request, &app, &by, StatusCode::OK, Typed::default().with("kind", TermKind::Purpose.key())).await
}

/// What was typed: a purpose with its two flags, or a category with its one.
enum Typing {
    Purpose { direct_marketing: bool, sale: bool },
    Category { special: bool },
}

fn read(typed: &Typed, errors: &mut Vec<Invalid>) -> Option<(Adding, Typing)> {
    let ticked = |name: &str| typed.has(name, "yes");
    let (direct_marketing, sale, special) = (ticked("direct_marketing"), ticked("sale"), ticked("special"));
    let kind = [TermKind::Purpose, TermKind::Category].into_iter().find(|kind| kind.key() == typed.value("kind"));
    let key = wanted::<Slug>(typed, "key", errors);
    let title = wanted::<Name>(typed, "title", errors);
    let description = given::<Line>(typed, "description", errors);
    let what = match kind {
        Some(TermKind::Purpose) => Typing::Purpose { direct_marketing, sale },
        Some(TermKind::Category) => Typing::Category { special },
        None => {
            errors.push(Invalid::new("kind", "must be chosen"));
            return None;
        }
    };
    // A box that says nothing of this kind was meant for something: dropping it would leave people less protected.
    let astray = match kind {
        Some(TermKind::Purpose) => vec![("special", special, "a category")],
        Some(TermKind::Category) | None => vec![("direct_marketing", direct_marketing, "a purpose"), ("sale", sale, "a purpose")],
    };
    for (name, _, of) in astray.into_iter().filter(|(_, ticked, _)| *ticked) {
        errors.push(Invalid::new(name, format!("must not be ticked: it says something of {of} only")));
    }
    let adding = Adding { key: key?, title: title?, description };
    errors.is_empty().then_some((adding, what))
}

/// Adds a term.
pub async fn add(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let Form { by, typed } = sent;
    let mut errors = Vec::new();
    let Some((adding, what)) = read(&typed, &mut errors) else {
        return show(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    let added = match what {
        Typing::Purpose { direct_marketing, sale } => {
            vocabulary::add_purpose(&app, &by.actor(), adding, direct_marketing, sale).await.map(|purpose| purpose.term)
        }
        Typing::Category { special } => vocabulary::add_category(&app, &by.actor(), adding, special).await.map(|category| category.term),
    };
    match added {
        Ok(term) => Ok(see_other_saying(&request, "/settings/vocabulary", &format!("“{}” is added and offered from now on.", term.title))),
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            show(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused([error])).await
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}

async fn turn(request: &HttpRequest, app: &App, sent: &Form, kind: TermKind, retires: bool) -> Answer {
    let by = &sent.by;
    let key = request.match_info().query("key").parse::<Slug>().map_err(|_| by.wire(request, Wire::NotFound))?;
    let said = if retires {
        let term = by.want(request, vocabulary::retire(app, &by.actor(), kind, key).await)?;
        format!("“{}” is retired: it is not offered any more, and stays valid where it is used.", term.title)
    } else {
        let term = by.want(request, vocabulary::restore(app, &by.actor(), kind, key).await)?;
        format!("“{}” is offered again.", term.title)
    };
    Ok(see_other_saying(request, "/settings/vocabulary", &said))
}

/// Retires a purpose.
pub async fn retire_purpose(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    turn(&request, &app, &sent, TermKind::Purpose, true).await
}

/// Restores a purpose.
pub async fn restore_purpose(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    turn(&request, &app, &sent, TermKind::Purpose, false).await
}

/// Retires a category.
pub async fn retire_category(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    turn(&request, &app, &sent, TermKind::Category, true).await
}

/// Restores a category.
pub async fn restore_category(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    turn(&request, &app, &sent, TermKind::Category, false).await
}

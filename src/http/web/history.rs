//! The sharing history for reviewers: filters stand in the URL, and what is shown is what the CSV holds.

pub mod asked;
mod entry;
mod facets;
mod rows;
mod words;

use std::sync::Arc;

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::history::{self, Offers};
use crate::app::lists::{HistoryFilter, HistoryPage};
use crate::http::api::{Tidegate, history as api};
use crate::http::guard::ReadHistory;

use super::answer::{Way, guard, render};
use super::error::Wire;
use super::form::Typed;
use super::guard::Visitor;
use super::page::{Frame, Section};
use super::parts::{Choice, HistoryLineView, Tab};
use super::timeline;
use super::words as said;

use asked::Asked;
use facets::Facet;
use rows::Row;

type By = Visitor<ReadHistory>;
type Answer = Result<HttpResponse, Error>;

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[
    ("vendor", "Vendor"),
    ("kind", "Kind"),
    ("outcome", "Outcome"),
    ("gate", "Gate"),
    ("dataset", "Dataset"),
    ("purpose", "Purpose"),
    ("permit", "Permit"),
    ("person", "Person"),
    ("from", "From"),
    ("to", "Up to"),
];

/// Entries on one page.
const ON_PAGE: usize = 50;

#[derive(Template)]
#[template(path = "history/list.html")]
struct ListPage {
    frame: Frame,
    typed: Typed,
    offered: Offered,
    tabs: Vec<Tab>,
    facets: Vec<Facet>,
    lines: Vec<HistoryLineView>,
    rows: Vec<Row>,
    table: bool,
    /// Whether anything narrows the list.
    narrowed: bool,
    /// Whether fields are filled in that are folded away otherwise.
    unfolded: bool,
    next: String,
    /// The first page, where this is a later one.
    newest: String,
    count: String,
    csv: String,
}

/// What the filters offer.
struct Offered {
    vendors: Vec<String>,
    kinds: Vec<Choice>,
    outcomes: Vec<Choice>,
    gates: Vec<Choice>,
    datasets: Vec<Choice>,
    purposes: Vec<Choice>,
    people: Vec<Choice>,
}

impl Offered {
    fn of(offers: &Offers) -> Self {
        Self {
            vendors: offers.vendors.iter().map(|(_, name)| name.clone()).collect(),
            kinds: words::kinds(),
            outcomes: words::outcomes(),
            gates: words::gates(),
            datasets: offers.datasets.iter().map(|name| Choice::new(name, name)).collect(),
            purposes: said::purposes(offers.vocabulary.purposes()),
            people: words::people(&offers.people),
        }
    }
}

/// Entries that fit the filter, newest first: as a timeline or as a table.
pub async fn list(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let (asked, offers) = asked_of(&request, &app, &by).await?;
    if !asked.typed.errors.is_empty() {
        return Ok(refused(&request, &by, asked, &offers));
    }
    let found = history::facets(&app, asked.filter.clone()).await;
    let found = by.want(&request, found)?;
    let page = HistoryPage { before: asked.before, limit: ON_PAGE.saturating_add(1) };
    let mut lines = by.want(&request, history::lines(&app, asked.filter.clone(), page).await)?;
    let more = lines.len() > ON_PAGE;
    lines.truncate(ON_PAGE);
    let next = if more { lines.last().map(|line| asked.before(line.position)).unwrap_or_default() } else { String::new() };
    let mut page = empty_page(&request, &by, asked, &offers);
    page.facets = facets::of(&page.typed, &found);
    page.count = words::count(lines.len(), found.counted, found.more);
    page.next = next;
    if page.table {
        page.rows = lines.into_iter().map(rows::row).collect();
    } else {
        page.lines = lines.into_iter().map(timeline::line).collect();
    }
    Ok(render(&request, StatusCode::OK, &page))
}

/// Every entry that fits the filter, as the list shows them and as many as there are.
pub async fn csv(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let (asked, offers) = asked_of(&request, &app, &by).await?;
    if !asked.typed.errors.is_empty() {
        return Ok(refused(&request, &by, asked, &offers));
    }
    let mut answer = HttpResponse::Ok();
    guard(&mut answer, Way::of(&request).tls);
    answer
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8; header=present"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"history.csv\""));
    // Nobody would get the rows of a HEAD, so they are not read.
    let only_head = request.method() == Method::HEAD;
    Ok(if only_head { answer.finish() } else { answer.streaming(api::as_csv(Arc::clone(app.get_ref()), asked.filter, None)) })
}

/// One entry.
pub async fn show(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let position = request.match_info().query("position").parse::<i64>().ok().filter(|position| *position >= 0);
    let position = position.ok_or_else(|| by.wire(&request, Wire::NotFound))?;
    let reading = by.want(&request, history::read(&app, position).await)?;
    let title = format!("Entry {}", said::number(position));
    Ok(render(&request, StatusCode::OK, &entry::EntryPage::of(by.frame(&request, title, Section::History), reading)))
}

async fn asked_of(request: &HttpRequest, app: &Tidegate, by: &By) -> Result<(Asked, Offers), Error> {
    let typed = asked::typed(request.query_string());
    let offers = by.want(request, history::offers(app, typed.value("vendor")).await)?;
    Ok((Asked::of(typed, &offers.sought), offers))
}

/// The page whose filters can't be taken: what was typed stays, and nothing is shown that was not asked for.
fn refused(request: &HttpRequest, by: &By, asked: Asked, offers: &Offers) -> HttpResponse {
    render(request, StatusCode::UNPROCESSABLE_ENTITY, &empty_page(request, by, asked, offers))
}

fn empty_page(request: &HttpRequest, by: &By, asked: Asked, offers: &Offers) -> ListPage {
    ListPage {
        frame: by.frame(request, "History", Section::History),
        offered: Offered::of(offers),
        tabs: asked.tabs(),
        facets: Vec::new(),
        lines: Vec::new(),
        rows: Vec::new(),
        table: asked.table,
        narrowed: asked.filter != HistoryFilter::default(),
        unfolded: asked.is_unfolded(),
        next: String::new(),
        newest: if asked.before.is_some() { asked::link("/history", &asked.typed, &[("before", "")]) } else { String::new() },
        count: String::new(),
        csv: asked::link("/history.csv", &asked.typed, &[("before", ""), ("view", "")]),
        typed: asked.typed,
    }
}

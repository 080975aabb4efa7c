//! The list of vendors: what it is narrowed to stands in the URL, and its CSV holds exactly what the URL asks for.

use std::pin::Pin;
use std::sync::Arc;

use actix_web::http::header::{CONTENT_DISPOSITION, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use futures::{Stream, stream};

use crate::app::lists::VendorSort;
use crate::app::vendors::{self, CsvPage, VendorLine, VendorListFilter, VendorListQuery};
use crate::app::{App, AppError, people};
use crate::domain::Invalid;
use crate::domain::time::Instant;
use crate::domain::vendor::{Lifecycle, Tier};
use crate::http::api::Tidegate;
use crate::http::guard::Read;
use crate::http::web::answer::{Way, guard, wants_part};
use crate::http::web::form::Typed;
use crate::http::web::guard::Visitor;
use crate::http::web::page::{Frame, Section, fragment, render};
use crate::http::web::parts::Choice;
use crate::http::web::words::{self, Badge};
use crate::policy::access::Permission;
use crate::policy::vendor::{ReviewClock, ReviewState};

use super::Answer;

type By = Visitor<Read>;

const ROWS: usize = 50;
/// What the URL may say, in the order in which it says it.
const KEYS: [&str; 6] = ["q", "lifecycle", "tier", "owner", "review", "sort"];
/// htmx shows this address in place of the one it asked.
const PUSH_URL: HeaderName = HeaderName::from_static("hx-push-url");

#[derive(Template)]
#[template(path = "vendors/list.html", blocks = ["rows"])]
struct ListPage {
    frame: Frame,
    asked: Typed,
    lifecycles: Vec<Choice>,
    tiers: Vec<Choice>,
    owners: Vec<Choice>,
    reviews: Vec<Choice>,
    sorts: Vec<Choice>,
    rows: Vec<Row>,
    counted: String,
    /// Whether anything narrows the list.
    narrowed: bool,
    next: String,
    first: String,
    csv: String,
    may_register: bool,
}

/// A vendor in one line of the list.
struct Row {
    href: String,
    name: String,
    country: &'static str,
    tier: &'static str,
    role: &'static str,
    state: Badge,
    review: Badge,
    review_at: Option<Instant>,
    agreement: Badge,
    owner: String,
    last_pull: Option<Instant>,
}

impl Row {
    fn of(line: VendorLine) -> Self {
        Self {
            href: format!("/vendors/{}", line.id),
            name: line.legal_name.to_string(),
            country: words::country(&line.country),
            tier: words::tier(&line.tier),
            role: words::vendor_role(&line.role),
            state: Badge::from(line.lifecycle),
            review: words::review_clock(line.review),
            review_at: at(line.review),
            agreement: words::agreement_state(line.agreement),
            owner: line.owner.name.unwrap_or_else(|| "somebody who left".to_owned()),
            last_pull: line.last_pull,
        }
    }
}

const fn at(review: ReviewClock) -> Option<Instant> {
    match review {
        ReviewClock::Current { until } | ReviewClock::DueSoon { until } => Some(until),
        ReviewClock::Overdue { since } => Some(since),
        ReviewClock::NotScheduled => None,
    }
}

/// The list that a URL asks for.
struct Asked {
    typed: Typed,
    filter: VendorListFilter,
    sort: VendorSort,
}

impl Asked {
    fn read(request: &HttpRequest) -> Result<Self, Invalid> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
        let typed = Typed::new(pairs);
        let filter = VendorListFilter {
            lifecycle: known(&typed, "lifecycle", Lifecycle::from_key)?,
            tier: known(&typed, "tier", Tier::from_key)?,
            owner: known(&typed, "owner", |id| id.parse().ok())?,
            search: Some(typed.value("q").to_owned()).filter(|text| !text.is_empty()),
            review: known(&typed, "review", ReviewState::from_key)?,
            country: None,
        };
        let sort = known(&typed, "sort", sort_of)?.unwrap_or(VendorSort::Name);
        Ok(Self { typed, filter, sort })
    }

    /// The address of this list, from a place on, without what says nothing.
    fn address(&self, path: &str, after: Option<&str>) -> String {
        let given = KEYS.iter().map(|key| (*key, self.typed.value(key))).chain(after.map(|cursor| ("after", cursor)));
        let query = serde_urlencoded::to_string(given.filter(|(_, value)| !value.is_empty()).collect::<Vec<_>>()).unwrap_or_default();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

/// One of a list of keys; nothing where nothing was asked.
fn known<T>(typed: &Typed, name: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Invalid> {
    match typed.value(name) {
        "" => Ok(None),
        text => read(text).map(Some).ok_or_else(|| Invalid::new(name, "must be one that the list offers")),
    }
}

const SORTS: [(VendorSort, &str, &str); 4] = [
    (VendorSort::Name, "name", "Name"),
    (VendorSort::Newest, "newest", "Newest first"),
    (VendorSort::Tier, "tier", "Most critical first"),
    (VendorSort::Review, "review", "Review due first"),
];

fn sort_of(key: &str) -> Option<VendorSort> {
    SORTS.iter().find(|(_, name, _)| *name == key).map(|(sort, ..)| *sort)
}

/// The list, or its rows where htmx asks for them.
pub async fn list(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let asked = by.want(&request, Asked::read(&request).map_err(AppError::from))?;
    let after = Some(asked.typed.value("after").to_owned()).filter(|cursor| !cursor.is_empty());
    let query = VendorListQuery { filter: asked.filter.clone(), sort: asked.sort, after: after.clone(), limit: ROWS };
    let found = by.want(&request, vendors::overview(&app, query).await)?;
    let people = by.want(&request, people::list(&app).await)?;
    let page = ListPage {
        frame: by.frame(&request, "Vendors", Section::Vendors),
        lifecycles: Lifecycle::ALL.into_iter().map(|state| Choice::new(state.key(), Badge::from(state).word)).collect(),
        tiers: tiers().map(|tier| Choice::new(tier.key(), words::tier(&tier))).collect(),
        owners: people.into_iter().map(|person| Choice::new(person.id.to_string(), person.name.to_string())).collect(),
        reviews: ReviewState::ALL.into_iter().map(|state| Choice::new(state.key(), words::review_state(state).word)).collect(),
        sorts: SORTS.iter().skip(1).map(|(_, key, label)| Choice::new(*key, *label)).collect(),
        counted: words::count(found.total, "vendor", "vendors"),
        narrowed: asked.filter != VendorListFilter::default(),
        next: found.next.map(|next| asked.address("/vendors", Some(&next))).unwrap_or_default(),
        first: after.map(|_| asked.address("/vendors", None)).unwrap_or_default(),
        csv: asked.address("/vendors.csv", None),
        may_register: by.may(Permission::ManageVendors),
        rows: found.rows.into_iter().map(Row::of).collect(),
        asked: asked.typed.clone(),
    };
    if !wants_part(request.headers()) {
        return Ok(render(&request, StatusCode::OK, &page));
    }
    let mut part = fragment(&request, StatusCode::OK, &page.as_rows());
    if let Ok(shown) = HeaderValue::from_str(&asked.address("/vendors", None)) {
        part.headers_mut().insert(PUSH_URL, shown);
    }
    Ok(part)
}

/// Tiers, the most critical first.
pub(super) fn tiers() -> impl Iterator<Item = Tier> {
    [Tier::Critical, Tier::Important, Tier::Standard, Tier::Low].into_iter()
}

/// Exactly the vendors of the list as CSV, in its order.
pub async fn csv(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    let asked = by.want(&request, Asked::read(&request).map_err(AppError::from))?;
    // The first part is read before anything is said, so that an error is an answer of its own.
    let first = by.want(&request, vendors::overview_csv(&app, asked.filter.clone(), asked.sort, None).await)?;
    let mut answer = HttpResponse::Ok();
    guard(&mut answer, Way::of(&request).tls);
    answer
        .content_type("text/csv; charset=utf-8; header=present")
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"vendors.csv\""));
    if request.method() == Method::HEAD {
        return Ok(answer.finish());
    }
    Ok(answer.streaming(parts(Arc::clone(app.get_ref()), asked, first)))
}

type Parts = Pin<Box<dyn Stream<Item = Result<actix_web::web::Bytes, std::io::Error>>>>;

/// The parts one after the other: what is held does not grow with the list.
fn parts(app: Arc<App>, asked: Asked, first: CsvPage) -> Parts {
    Box::pin(stream::unfold((app, asked, Some(Ok(first))), |(app, asked, now)| async move {
        let page: CsvPage = match now? {
            Ok(page) => page,
            Err(error) => {
                let error: AppError = error;
                tracing::error!(%error, "the list of vendors could not be read on");
                return Some((Err(std::io::Error::other("the list could not be read on")), (app, asked, None)));
            }
        };
        let next = match page.next {
            Some(cursor) => Some(vendors::overview_csv(&app, asked.filter.clone(), asked.sort, Some(cursor)).await),
            None => None,
        };
        Some((Ok(page.text.into()), (app, asked, next)))
    }))
}

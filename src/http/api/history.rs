//! The sharing history for those who read it.

use std::pin::Pin;
use std::sync::Arc;

use actix_web::http::header::{ACCEPT, CACHE_CONTROL};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures::{Stream, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::app::lists::{EntryRow, HistoryFilter, HistoryPage, KINDS, OUTCOMES};
use crate::app::{App, AppError, history};
use crate::domain::gate::Gate;
use crate::domain::{Date, Instant};
use crate::http::error::{HttpError, Problem};
use crate::http::guard::{Allowed, ReadHistory};
use crate::http::input::{Query, segment};

use super::{Answer, List, Tidegate, limit, shown, word};

/// What the history is filtered by; all given must hold.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Id of a vendor.
    vendor: Option<String>,
    /// Name of a dataset.
    dataset: Option<String>,
    /// Key of a purpose.
    purpose: Option<String>,
    /// `policy`, `act`, `release`, `opened`, `closed` or `refusal`.
    kind: Option<String>,
    /// `released`, `opened`, `cut`, `refused`, or the verb of an act.
    outcome: Option<String>,
    /// The gate that closed.
    gate: Option<String>,
    /// Id of the person who acted.
    person: Option<String>,
    /// Key of a permit.
    permit: Option<String>,
    /// Id of a release.
    release: Option<String>,
    /// From this instant or day on.
    from: Option<String>,
    /// Before this instant, or up to this day itself.
    to: Option<String>,
    /// 1 to 500, 50 when not given; CSV has no limit.
    limit: Option<usize>,
    /// The `next` of the list before.
    cursor: Option<String>,
}

/// An entry as readers see it.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// Its place in the history, from 0, without gaps.
    position: i64,
    at: Instant,
    kind: String,
    /// Hash of the leaf (RFC 6962 §2.1).
    leaf_hash: String,
    /// What was recorded, as JSON.
    #[schema(value_type = Object)]
    leaf: Value,
    /// The reason or filter values that stand beside the leaf, unless erased.
    beside: Option<String>,
}

/// An entry with the policy it refers to.
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryWithPolicy {
    #[serde(flatten)]
    entry: EntryView,
    /// The kept bytes, exactly as they were hashed.
    canonical: String,
    policy: Option<EntryView>,
}

impl EntryView {
    fn of(row: EntryRow) -> Result<Self, AppError> {
        let leaf = serde_json::from_slice(&row.bytes).map_err(|_| AppError::Internal("a stored entry can't be read".to_owned()))?;
        Ok(Self { position: row.position, at: row.at, kind: row.kind, leaf_hash: row.hash, leaf, beside: row.beside })
    }
}

/// Entries, newest first; as CSV with `Accept: text/csv`, then all that the filter finds.
#[utoipa::path(get, path = "/api/v1/history", tag = "history", security(("staff" = [])), params(HistoryQuery), responses((status = 200, body = List<EntryView>), (status = "4XX", body = Problem)))]
pub async fn list(request: HttpRequest, app: Tidegate, _by: Allowed<ReadHistory>, query: Query<HistoryQuery>) -> Answer {
    let query = query.0;
    let limit = limit(&request, query.limit)?;
    let before = cursor(&request, query.cursor.as_deref())?;
    let filter = filter(&request, query)?;
    let csv = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/csv"));
    if csv {
        let mut answer = HttpResponse::Ok();
        answer.insert_header((CACHE_CONTROL, "no-store")).content_type("text/csv; charset=utf-8; header=present");
        // Nobody would get the rows of a HEAD, so they are not read.
        let only_head = request.method() == Method::HEAD;
        return Ok(if only_head { answer.finish() } else { answer.streaming(as_csv(Arc::clone(app.get_ref()), filter, before)) });
    }
    let page = HistoryPage { before, limit: limit.saturating_add(1) };
    let found = history::list(&app, filter, page).await;
    let items = found.and_then(|rows| rows.into_iter().map(EntryView::of).collect::<Result<Vec<_>, _>>());
    shown(&request, items.map(|items| List::cut(items, limit, |entry| entry.position.to_string())))
}

/// One entry with its kept bytes and the policy it refers to.
#[utoipa::path(get, path = "/api/v1/history/{position}", tag = "history", security(("staff" = [])), params(("position" = i64, Path)), responses((status = 200, body = EntryWithPolicy), (status = "4XX", body = Problem)))]
pub async fn find(request: HttpRequest, app: Tidegate, _by: Allowed<ReadHistory>) -> Answer {
    let position = segment(&request, "position", "entry")?;
    let found = history::find(&app, position).await.and_then(|(row, policy)| {
        let canonical = String::from_utf8(row.bytes.clone()).map_err(|_| AppError::Internal("a stored entry is not text".to_owned()))?;
        Ok(EntryWithPolicy { entry: EntryView::of(row)?, canonical, policy: policy.map(EntryView::of).transpose()? })
    });
    shown(&request, found)
}

fn cursor(request: &HttpRequest, text: Option<&str>) -> Result<Option<i64>, HttpError> {
    super::known(request, "cursor", text, |text| text.parse::<i64>().ok().filter(|position| *position >= 0))
}

fn filter(request: &HttpRequest, query: HistoryQuery) -> Result<HistoryFilter, HttpError> {
    Ok(HistoryFilter {
        vendor: query.vendor,
        dataset: query.dataset,
        purpose: query.purpose,
        kind: word(request, "kind", query.kind, KINDS)?,
        outcome: word(request, "outcome", query.outcome, OUTCOMES)?,
        gate: word(request, "gate", query.gate, &Gate::ALL.map(Gate::key))?,
        person: query.person,
        permit: query.permit,
        client: None,
        release: query.release,
        from: time(request, "from", query.from.as_deref(), Date::start)?,
        to: time(request, "to", query.to.as_deref(), Date::end)?,
    })
}

/// An instant, or a day read as one of its ends.
fn time(request: &HttpRequest, name: &str, text: Option<&str>, end: impl Fn(Date) -> Instant) -> Result<Option<Instant>, HttpError> {
    let Some(text) = text else { return Ok(None) };
    match (text.parse::<Date>(), text.parse::<Instant>()) {
        (Ok(day), _) => Ok(Some(end(day))),
        (_, Ok(instant)) => Ok(Some(instant)),
        _ => {
            let detail = format!("{name} must be a day as in 2026-07-01 or a time as in 2026-07-01T08:00:00Z.");
            Err(HttpError::wire(request, StatusCode::BAD_REQUEST, "query", detail))
        }
    }
}

const HEADER: &str = "position,at,kind,outcome,vendor,client,permit,dataset,purpose,gate,person,release,rows,subjects,leaf_hash\r\n";
const ROWS_AT_ONCE: usize = 1_000;

pub(in crate::http) type Lines = Pin<Box<dyn Stream<Item = Result<Bytes, std::io::Error>>>>;

/// Streams every entry of the filter, page by page, so memory does not grow with the history.
pub(in crate::http) fn as_csv(app: Arc<App>, filter: HistoryFilter, before: Option<i64>) -> Lines {
    enum Next {
        Header(Option<i64>),
        Rows(Option<i64>),
        Over,
    }
    Box::pin(stream::unfold((app, filter, Next::Header(before)), |(app, filter, next)| async move {
        match next {
            Next::Header(before) => Some((Ok(Bytes::from_static(HEADER.as_bytes())), (app, filter, Next::Rows(before)))),
            Next::Over => None,
            Next::Rows(before) => {
                let page = HistoryPage { before, limit: ROWS_AT_ONCE };
                match history::list(&app, filter.clone(), page).await {
                    Ok(rows) if rows.is_empty() => None,
                    Ok(rows) => {
                        let last = rows.last().map(|row| row.position);
                        let next = if rows.len() < ROWS_AT_ONCE { Next::Over } else { Next::Rows(last) };
                        let text: String = rows.iter().map(csv_line).collect();
                        Some((Ok(Bytes::from(text)), (app, filter, next)))
                    }
                    Err(error) => {
                        tracing::error!(%error, "the history could not be read on");
                        Some((Err(std::io::Error::other("the history could not be read on")), (app, filter, Next::Over)))
                    }
                }
            }
        }
    }))
}

/// Every column is an id, a key, a number or a time: nothing that needs quotes.
fn csv_line(row: &EntryRow) -> String {
    let leaf: Value = serde_json::from_slice(&row.bytes).unwrap_or(Value::Null);
    let number = |name: &str| leaf.get(name).map(ToString::to_string).unwrap_or_default();
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    format!(
        "{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\r\n",
        row.position,
        row.at,
        row.kind,
        text(&row.outcome),
        text(&row.vendor),
        text(&row.client),
        text(&row.permit),
        text(&row.dataset),
        text(&row.purpose),
        text(&row.gate),
        text(&row.person),
        text(&row.release),
        number("rows"),
        number("subjects"),
        row.hash
    )
}

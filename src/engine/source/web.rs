//! JSON over HTTP as a source: page after page, each a document with an array of objects in it.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use http::Uri;
use serde_json::value::RawValue;

use super::{EngineError, Form, SAMPLE, Table, json};
use crate::domain::secret::PlainSecret;
use crate::domain::source::{HttpJsonAt, Paging, Sends};
use crate::engine::fetch::{Ask, Client, FetchError, Fetched};

/// The largest page that is read.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// The most pages of one release: a cursor that leads round in a circle ends too.
const MOST_PAGES: usize = 100_000;
/// How long a page may take, from asking to its last byte.
const PAGE_TIME: Duration = Duration::from_secs(60);
/// How often a page is asked for that the server could not give just now.
const ATTEMPTS: u32 = 5;
/// The longest that a server's `Retry-After` is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// An address that can be asked.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Web {
    at: HttpJsonAt,
    header: Option<(String, PlainSecret)>,
    client: Client,
}

/// A page as it came, and where the next one is.
struct Page {
    document: Box<RawValue>,
    next: Option<String>,
}

impl Web {
    /// Prepares to ask.
    pub(in crate::engine) fn new(at: &HttpJsonAt, secret: Option<&PlainSecret>, client: Client) -> Result<Self, EngineError> {
        let missing = || EngineError::Unavailable("the secret was not given yet".to_owned());
        let header = match &at.sends {
            Sends::Nothing => None,
            Sends::Bearer => {
                let secret = secret.ok_or_else(missing)?;
                Some(("authorization".to_owned(), PlainSecret::new(format!("Bearer {}", secret.reveal()))))
            }
            Sends::Header { name } => Some((name.to_string(), secret.ok_or_else(missing)?.clone())),
        };
        Ok(Self { at: at.clone(), header, client })
    }

    /// The one table, named as the last part of the address's path; types are told from the rows of the first page.
    pub(super) async fn table(&self) -> Result<Table, EngineError> {
        let page = self.page(self.at.url.as_str()).await?;
        let rows = self.rows(&page.document)?;
        // Reading megabytes of JSON would hold up everything else on this thread.
        let columns = tokio::task::block_in_place(|| {
            let mut sampled = json::Sampled::default();
            rows.iter().take(SAMPLE).try_for_each(|row| sampled.look(row.get().as_bytes())).map(|()| sampled.columns())
        })?;
        if columns.is_empty() {
            return Err(EngineError::Unavailable("the first page has no rows to tell fields from".to_owned()));
        }
        let path = self.at.url.as_str().split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
        let name = path.splitn(4, '/').nth(3).and_then(|path| path.rsplit('/').next()).filter(|name| !name.is_empty());
        Ok(Table { name: name.unwrap_or("rows").to_owned(), columns, form: Form::Web })
    }

    fn rows<'a>(&self, document: &'a RawValue) -> Result<Vec<&'a RawValue>, EngineError> {
        let pointer = self.at.rows.as_ref().map_or("", |rows| rows.as_str());
        let no_rows = || EngineError::Unavailable("the answer has no array of rows where the source says".to_owned());
        let array = json::at(document, pointer).ok_or_else(no_rows)?;
        serde_json::from_str(array.get()).map_err(|_| no_rows())
    }

    /// Asks for a page, again and again while the server says that it could later.
    async fn page(&self, url: &str) -> Result<Page, EngineError> {
        let mut pause = Duration::from_millis(250);
        for attempt in 1..=ATTEMPTS {
            let asked = tokio::time::timeout(PAGE_TIME, self.ask(url)).await;
            let wait = match asked {
                Ok(Ok(Asked::Page(page))) => return Ok(page),
                Ok(Ok(Asked::Later(wait))) => wait.unwrap_or(pause),
                Ok(Err(error)) => return Err(error),
                Err(_) => pause,
            };
            if attempt < ATTEMPTS {
                tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
                pause = pause.saturating_mul(2);
            }
        }
        Err(EngineError::Unavailable("the server did not answer in time, however often it was asked".to_owned()))
    }

    async fn ask(&self, url: &str) -> Result<Asked, EngineError> {
        let mut headers = vec![("accept".to_owned(), b"application/json".to_vec())];
        headers.extend(self.header.iter().map(|(name, secret)| (name.clone(), secret.reveal().as_bytes().to_vec())));
        let ask = Ask { method: "GET".to_owned(), url: url.to_owned(), headers };
        let fetched = match self.client.0.fetch(ask).await {
            Ok(fetched) => fetched,
            Err(FetchError::Unreachable | FetchError::TimedOut) => return Ok(Asked::Later(None)),
            Err(error @ FetchError::NotAllowed(_)) => return Err(EngineError::Unavailable(error.to_string())),
        };
        match fetched.status {
            200 => {}
            429 | 500..=599 => {
                let seconds = fetched.header("retry-after").and_then(|seconds| seconds.trim().parse().ok());
                return Ok(Asked::Later(seconds.map(Duration::from_secs)));
            }
            401 | 403 => return Err(EngineError::Unavailable("the server refuses the secret".to_owned())),
            300..=399 => return Err(EngineError::Unavailable("the server sends elsewhere, and that is not followed".to_owned())),
            404 | 410 => return Err(EngineError::Unavailable("the server has nothing at this address".to_owned())),
            _ => return Err(EngineError::Unavailable("the server did not answer with rows".to_owned())),
        }
        let link = fetched.header("link").and_then(next_link).map(str::to_owned);
        let Some(body) = whole(fetched).await? else { return Ok(Asked::Later(None)) };
        let no_json = |_| EngineError::Unavailable("the answer is no JSON document".to_owned());
        let document: Box<RawValue> = tokio::task::block_in_place(|| serde_json::from_slice(&body)).map_err(no_json)?;
        let next = self.next(url, &document, link)?;
        Ok(Asked::Page(Page { document, next }))
    }

    fn next(&self, url: &str, document: &RawValue, link: Option<String>) -> Result<Option<String>, EngineError> {
        let text = |at: &str| json::at(document, at).and_then(scalar).filter(|text| !text.is_empty());
        let next = match &self.at.paging {
            Paging::None => None,
            Paging::LinkHeader => link,
            Paging::NextUrl { at } => text(at.as_str()),
            Paging::Cursor { at, parameter } => {
                return Ok(text(at.as_str()).map(|cursor| with_parameter(self.at.url.as_str(), parameter.as_str(), &cursor)));
            }
        };
        next.map(|next| resolved(url, &next)).transpose()
    }
}

enum Asked {
    Page(Page),
    /// Not now; perhaps after the time that the server named.
    Later(Option<Duration>),
}

/// The whole body, held to its bound; none where it broke off.
async fn whole(fetched: Fetched) -> Result<Option<Bytes>, EngineError> {
    let (mut body, mut pieces) = (BytesMut::new(), fetched.body);
    while let Some(piece) = pieces.next().await {
        let Ok(piece) = piece else { return Ok(None) };
        if body.len().saturating_add(piece.len()) > MOST_BYTES {
            return Err(EngineError::Unavailable(format!("a page has more than {} MiB: ask for smaller ones", MOST_BYTES >> 20)));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Some(body.freeze()))
}

/// A text or a number as text; nothing for null, truth values and what is nested.
fn scalar(raw: &RawValue) -> Option<String> {
    let written = raw.get();
    match written.as_bytes().first()? {
        b'"' => serde_json::from_str(written).ok(),
        b'0'..=b'9' => Some(written.to_owned()),
        _ => None,
    }
}

/// The address with `rel="next"` in a `Link` header (RFC 8288, 3).
fn next_link(header: &str) -> Option<&str> {
    header.split('<').skip(1).find_map(|link| {
        let (address, parameters) = link.split_once('>')?;
        let next = parameters.split(';').filter_map(|parameter| parameter.trim().trim_end_matches(',').trim().split_once('=')).any(
            |(name, value)| {
                let relations = value.trim().trim_matches('"');
                name.trim().eq_ignore_ascii_case("rel")
                    && relations.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"))
            },
        );
        next.then_some(address)
    })
}

/// The address with one parameter more in its query, or with another value of it.
fn with_parameter(url: &str, name: &str, value: &str) -> String {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let kept = query.split('&').filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(name)).map(str::to_owned);
    let added = serde_urlencoded::to_string([(name, value)]).unwrap_or_default();
    format!("{path}?{}", kept.chain([added]).collect::<Vec<_>>().join("&"))
}

/// The next page's address, whole or by its path; it stays with the server that the secret is for.
fn resolved(url: &str, next: &str) -> Result<String, EngineError> {
    let elsewhere = || EngineError::Unavailable("the next page lies at another server, and that is not followed".to_owned());
    let from: Uri = url.parse().map_err(|_| elsewhere())?;
    let root = || Some(format!("{}://{}", from.scheme_str()?, from.authority()?));
    let whole = if next.starts_with("//") {
        return Err(elsewhere());
    } else if next.contains("://") {
        next.to_owned()
    } else if let Some(query) = next.strip_prefix('?') {
        format!("{}?{query}", url.split('?').next().unwrap_or_default())
    } else if next.starts_with('/') {
        format!("{}{next}", root().ok_or_else(elsewhere)?)
    } else {
        let folder = url.split('?').next().and_then(|path| path.rsplit_once('/')).map_or("", |(folder, _)| folder);
        format!("{folder}/{next}")
    };
    let to: Uri = whole.parse().map_err(|_| elsewhere())?;
    let same = from.scheme_str() == to.scheme_str() && from.authority() == to.authority();
    if same { Ok(whole) } else { Err(elsewhere()) }
}

/// A scan of some columns, as text, each followed by the flag that says where it had a value.
pub(super) fn provider(web: Web, columns: &[&str]) -> Result<Arc<dyn TableProvider>, EngineError> {
    let schema = json::schema(columns);
    let names = columns.iter().map(|name| (*name).to_owned()).collect();
    let pages = Pages { web, names, schema: Arc::clone(&schema) };
    Ok(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(pages)])?))
}

#[derive(Debug)]
struct Pages {
    web: Web,
    names: Vec<String>,
    schema: SchemaRef,
}

impl PartitionStream for Pages {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches = batches(self.web.clone(), self.names.clone()).map_err(|error| DataFusionError::External(Box::new(error)));
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

/// A batch for each page.
fn batches(web: Web, names: Vec<String>) -> impl Stream<Item = Result<RecordBatch, EngineError>> {
    let first = Some(web.at.url.to_string());
    stream::try_unfold((first, 0_usize), move |(url, pages)| {
        let (web, names) = (web.clone(), names.clone());
        async move {
            let Some(url) = url else { return Ok(None) };
            if pages >= MOST_PAGES {
                return Err(EngineError::Unavailable(format!("there are more than {MOST_PAGES} pages")));
            }
            let Page { document, next } = web.page(&url).await?;
            if next.as_ref() == Some(&url) {
                return Err(EngineError::Unavailable("a page names itself as the next one".to_owned()));
            }
            let batch = tokio::task::block_in_place(|| {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let mut rows = json::Rows::new(&names);
                web.rows(&document)?.into_iter().try_for_each(|row| rows.push(row.get().as_bytes()))?;
                rows.finish()
            })?;
            Ok(Some((batch, (next, pages.saturating_add(1)))))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        for (header, expected) in [
            (r#"<https://a.example/?page=2>; rel="next", <https://a.example/?page=9>; rel="last""#, Some("https://a.example/?page=2")),
            (r#"<https://a.example/?page=1>; rel="prev first", </x,y>; title="t"; rel=next"#, Some("/x,y")),
            (r#"<https://a.example/>; rel="nextish""#, None),
            ("", None),
        ] {
            assert_eq!(next_link(header), expected, "{header}");
        }
    }

    #[test]
    fn pages_stay_with_their_server() {
        let at = "https://a.example:8443/v1/customers?page=1";
        for (next, expected) in [
            ("?page=2", Some("https://a.example:8443/v1/customers?page=2")),
            ("/v1/customers?page=2", Some("https://a.example:8443/v1/customers?page=2")),
            ("customers?page=2", Some("https://a.example:8443/v1/customers?page=2")),
            ("https://a.example:8443/x", Some("https://a.example:8443/x")),
            ("https://b.example/x", None),
            ("http://a.example:8443/x", None),
            ("https://a.example:8443@b.example/x", None),
            ("//b.example/x", None),
        ] {
            assert_eq!(resolved(at, next).ok().as_deref(), expected, "{next}");
        }
    }

    #[test]
    fn a_cursor_takes_the_place_of_the_one_before() {
        assert_eq!(with_parameter("https://a/x?n=2&cursor=a", "cursor", "b c&d"), "https://a/x?n=2&cursor=b+c%26d");
        assert_eq!(with_parameter("https://a/x", "cursor", "1"), "https://a/x?cursor=1");
    }
}

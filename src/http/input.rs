//! Bodies, queries and files from the wire: sizes bounded, unknown members refused, errors that name the field.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpRequest, web};
use futures::{Stream, StreamExt};
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::app::AppError;
use crate::domain::Invalid;

use super::error::HttpError;
use super::guard::{app_of, let_in};

/// The most bytes of a JSON body.
const MOST_JSON: usize = 1024 * 1024;
/// The most characters of an error that names a member, which may be of any length.
const MOST_NAMED: usize = 500;

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, HttpError>>>>;

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = HttpError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let_in(&request).await?;
            check_kind(&request)?;
            let bytes = read(&request, payload, MOST_JSON).await?;
            parse(&request, &bytes).map(Self)
        })
    }
}

/// A JSON body where there is one: an empty one is none.
pub struct Perhaps<T>(pub Option<T>);

impl<T: DeserializeOwned + 'static> FromRequest for Perhaps<T> {
    type Error = HttpError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let_in(&request).await?;
            let bytes = read(&request, payload, MOST_JSON).await?;
            if bytes.is_empty() {
                return Ok(Self(None));
            }
            check_kind(&request)?;
            parse(&request, &bytes).map(|value| Self(Some(value)))
        })
    }
}

fn check_kind(request: &HttpRequest) -> Result<(), HttpError> {
    let kind = content_type(request);
    if kind == "application/json" || kind.ends_with("+json") {
        return Ok(());
    }
    Err(HttpError::wire(request, StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", "Send the body as application/json."))
}

fn parse<T: DeserializeOwned>(request: &HttpRequest, bytes: &[u8]) -> Result<T, HttpError> {
    // Serde would read a list's items as a struct's members, by their order.
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(HttpError::wire(request, StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The body must be a JSON object."));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let field = if path == "." { String::new() } else { shortened(&path) };
        match inner.classify() {
            serde_json::error::Category::Data => HttpError::staff(request, Invalid::new(field, shortened(&data_reason(&inner))).into()),
            // What has no form in memory is a fault of syntax to serde_json, also where the body is good JSON.
            serde_json::error::Category::Syntax if is_json(bytes) => {
                let reason = "can't be read: its type is wrong, its number too large, its text broken or its nesting too deep";
                HttpError::staff(request, Invalid::new(field, reason).into())
            }
            serde_json::error::Category::Syntax | serde_json::error::Category::Eof | serde_json::error::Category::Io => {
                let place = format!("The body is not JSON: see line {}, column {}.", inner.line(), inner.column());
                HttpError::wire(request, StatusCode::BAD_REQUEST, "malformed", place)
            }
        }
    })?;
    reader.end().map_err(|_| HttpError::wire(request, StatusCode::BAD_REQUEST, "malformed", "The body holds more than one JSON value."))?;
    Ok(value)
}

/// `IgnoredAny` steps over texts without reading them, so UTF-8 is asked for by itself.
fn is_json(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// Serde's sentence without its place and without the value: a value never comes back in an error.
fn data_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    match text.split_once(": ") {
        Some(("invalid type" | "invalid value", rest)) => match rest.rsplit_once(", expected ") {
            Some((_, expected)) => format!("must be {}", in_json(expected)),
            None => "has the wrong type".to_owned(),
        },
        _ if text.starts_with("unknown variant") => match text.rsplit_once(", expected ") {
            Some((_, expected)) => format!("must be {expected}"),
            None => "is none of the known words".to_owned(),
        },
        _ => match text.split_once(" field ") {
            Some(("missing", name)) => format!("must have the field {name}"),
            Some(("unknown", name)) => format!("has an unknown field {name}"),
            Some(("duplicate", name)) => format!("has twice the field {name}"),
            _ => text.to_owned(),
        },
    }
}

/// What serde expected, in the words of JSON: the names of our types say nothing to a caller.
fn in_json(expected: &str) -> &str {
    let objects = ["struct ", "internally tagged enum ", "adjacently tagged enum "];
    match expected {
        "a map" => "an object",
        "a sequence" => "an array",
        "string or map" => "one of the known words",
        _ if expected.starts_with("enum ") => "one of the known words",
        _ if objects.iter().any(|name| expected.starts_with(name)) => "an object",
        _ => expected,
    }
}

/// A query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Query<T> {
    type Error = HttpError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let_in(&request).await?;
            query(request.query_string()).map(Self).map_err(|reason| HttpError::wire(&request, StatusCode::BAD_REQUEST, "query", reason))
        })
    }
}

fn query<T: DeserializeOwned>(raw: &str) -> Result<T, String> {
    let cant = |error: serde_urlencoded::de::Error| format!("The query can't be read: {}.", shortened(&error.to_string()));
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(raw).map_err(cant)?;
    // PostgreSQL takes no U+0000 in a text, and nothing that is searched for holds a control character.
    if pairs.iter().any(|(name, value)| name.chars().chain(value.chars()).any(char::is_control)) {
        return Err("The query must not contain control characters.".to_owned());
    }
    serde_urlencoded::from_str(raw).map_err(cant)
}

/// The beginning of a text that may hold a name of any length.
fn shortened(text: &str) -> String {
    text.chars().take(MOST_NAMED).collect()
}

/// A file as the raw body.
pub struct Upload(pub Vec<u8>);

impl FromRequest for Upload {
    type Error = HttpError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let_in(&request).await?;
            check_unwrapped(&request)?;
            let most = app_of(&request)?.settings.most_upload_bytes;
            read(&request, payload, most).await.map(Self)
        })
    }
}

/// A file as the raw body, piece by piece as it comes.
pub struct Streamed(web::Payload);

impl Streamed {
    /// The pieces. The use case that takes them counts them.
    pub fn pieces(self) -> impl Stream<Item = Result<web::Bytes, AppError>> + Unpin {
        self.0.map(|piece| piece.map_err(|_| Invalid::new("file", "broke off: send it again").into()))
    }
}

impl FromRequest for Streamed {
    type Error = HttpError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let_in(&request).await?;
            check_unwrapped(&request)?;
            let unreadable = |_| HttpError::wire(&request, StatusCode::BAD_REQUEST, "malformed", "The body can't be read.");
            web::Payload::from_request(&request, &mut payload).await.map(Self).map_err(unreadable)
        })
    }
}

/// Refuses a file in a form: its wrapping would be kept, and hashed, as if it were the file.
fn check_unwrapped(request: &HttpRequest) -> Result<(), HttpError> {
    let kind = content_type(request);
    if kind.starts_with("multipart/") || kind == "application/x-www-form-urlencoded" {
        let detail = "Send the file itself as the body: curl -H 'Content-Type: application/octet-stream' --data-binary @FILE.";
        return Err(HttpError::wire(request, StatusCode::UNSUPPORTED_MEDIA_TYPE, "content-type", detail));
    }
    Ok(())
}

/// An `application/x-www-form-urlencoded` body as pairs; a parameter given twice is refused (RFC 6749 §3.2).
pub async fn form(request: &HttpRequest, payload: Payload) -> Result<Vec<(String, String)>, AppError> {
    if content_type(request) != "application/x-www-form-urlencoded" {
        return Err(Invalid::new("content-type", "must be application/x-www-form-urlencoded").into());
    }
    let bytes = read(request, payload, 64 * 1024).await.map_err(|_| Invalid::new("body", "is too large"))?;
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(&bytes).map_err(|_| Invalid::new("body", "is not a form"))?;
    // A set: comparing each with each would let a stranger buy seconds of work for 64 KiB.
    let mut names = BTreeSet::new();
    if pairs.iter().all(|(name, _)| names.insert(name.as_str())) {
        Ok(pairs)
    } else {
        Err(Invalid::new("body", "must not give a parameter twice").into())
    }
}

/// The media type of the body, without its parameters, in lower case.
pub fn content_type(request: &HttpRequest) -> String {
    let raw = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    raw.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

pub async fn read(request: &HttpRequest, payload: Payload, most: usize) -> Result<Vec<u8>, HttpError> {
    let too_large =
        || HttpError::wire(request, StatusCode::PAYLOAD_TOO_LARGE, "too-large", format!("The body is larger than {most} bytes."));
    let mut payload = web::Payload::from_request(request, &mut { payload })
        .await
        .map_err(|_| HttpError::wire(request, StatusCode::BAD_REQUEST, "malformed", "The body can't be read."))?;
    let mut bytes = Vec::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| HttpError::wire(request, StatusCode::BAD_REQUEST, "malformed", "The body broke off."))?;
        if bytes.len().saturating_add(chunk.len()) > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// A part of a path read as a domain type; one that can't be is simply not there.
pub fn segment<T: std::str::FromStr>(request: &HttpRequest, name: &str, noun: &'static str) -> Result<T, HttpError> {
    request.match_info().query(name).parse().map_err(|_| HttpError::staff(request, AppError::NotFound(noun)))
}

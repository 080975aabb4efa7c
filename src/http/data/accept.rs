//! What a machine accepts (RFC 9110 §12.5): the best form and coding of those there are, or a sentence on what would do.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};

use crate::engine::encode::{Coding, Format};
use crate::http::error::HttpError;

/// The forms of rows with the media types they are asked for by, ours first.
const FORMATS: [(Format, &[&str]); 5] = [
    (Format::Json, &["application/json"]),
    (Format::Ndjson, &["application/x-ndjson", "application/ndjson", "application/jsonl"]),
    (Format::Csv, &["text/csv"]),
    (Format::Arrow, &[ARROW]),
    (Format::Parquet, &["application/vnd.apache.parquet"]),
];

/// The media type of Arrow IPC streams.
pub const ARROW: &str = "application/vnd.apache.arrow.stream";

/// The forms of a schema.
const SCHEMAS: [(SchemaForm, &[&str]); 2] =
    [(SchemaForm::Json, &["application/schema+json", "application/json"]), (SchemaForm::Arrow, &[ARROW])];

/// The codings with their names, the denser first.
const CODINGS: [(Coding, &[&str]); 3] = [(Coding::Zstd, &["zstd"]), (Coding::Gzip, &["gzip", "x-gzip"]), (Coding::Identity, &["identity"])];

/// How a schema is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaForm {
    Json,
    Arrow,
}

/// A member of a header's list: a name in lower case and its quality in thousandths.
struct Member {
    name: String,
    quality: u16,
}

/// The format asked for, JSON where anything will do.
pub fn format(request: &HttpRequest) -> Result<Format, HttpError> {
    let said = "Accept one of application/json, application/x-ndjson, text/csv, application/vnd.apache.arrow.stream and \
        application/vnd.apache.parquet.";
    best_type(request, &FORMATS).ok_or_else(|| not_acceptable(request, said))
}

/// The form of a schema asked for, JSON Schema where anything will do.
pub fn schema_form(request: &HttpRequest) -> Result<SchemaForm, HttpError> {
    let said = "Accept one of application/schema+json, application/json and application/vnd.apache.arrow.stream.";
    best_type(request, &SCHEMAS).ok_or_else(|| not_acceptable(request, said))
}

/// The coding asked for. What is not text goes as it is: it is dense already.
pub fn coding(request: &HttpRequest, format: Format) -> Result<Coding, HttpError> {
    // Neither a missing header nor an empty one asks for any coding.
    let Some(members) = members(request, ACCEPT_ENCODING) else { return Ok(Coding::Identity) };
    let offered = CODINGS.iter().filter(|(coding, _)| format.is_text() || *coding == Coding::Identity);
    let rated = offered.map(|(coding, names)| (quality_of(&members, names, *coding == Coding::Identity), *coding));
    let mut best: Option<(u16, Coding)> = None;
    for (quality, coding) in rated {
        if quality > 0 && best.is_none_or(|(known, _)| quality > known) {
            best = Some((quality, coding));
        }
    }
    let said = if format.is_text() {
        "Accept one of the codings zstd, gzip and identity."
    } else {
        "This format goes without a content coding: accept identity."
    };
    best.map(|(_, coding)| coding).ok_or_else(|| not_acceptable(request, said))
}

/// How much a coding is wanted. Identity is acceptable unless it is refused, but what is named goes before it.
fn quality_of(members: &[Member], names: &[&str], identity: bool) -> u16 {
    let find = |wanted: &dyn Fn(&Member) -> bool| members.iter().find(|member| wanted(member)).map(|member| member.quality);
    let named = find(&|member| names.contains(&member.name.as_str()));
    let unnamed = if identity { 1 } else { 0 };
    named.or_else(|| find(&|member| member.name == "*")).unwrap_or(unnamed)
}

/// The form that is wanted most: by quality, then by how exactly it was named, then by the order of the header.
fn best_type<Form: Copy>(request: &HttpRequest, forms: &[(Form, &[&str])]) -> Option<Form> {
    let Some(members) = members(request, ACCEPT) else { return forms.first().map(|(form, _)| *form) };
    let mut best: Option<((u16, u8, usize), Form)> = None;
    for (form, types) in forms {
        let Some(rank) = rank(&members, types).filter(|(quality, ..)| *quality > 0) else { continue };
        if best.is_none_or(|(known, _)| rank > known) {
            best = Some((rank, *form));
        }
    }
    best.map(|(_, form)| form)
}

/// Quality, exactness and earliness of the member that says most exactly how much one of these types is wanted.
fn rank(members: &[Member], types: &[&str]) -> Option<(u16, u8, usize)> {
    let family = types.first().and_then(|name| name.split_once('/')).map(|(family, _)| format!("{family}/*"));
    let exactness = |member: &Member| match member.name.as_str() {
        name if types.contains(&name) => Some(2),
        name if Some(name) == family.as_deref() => Some(1),
        "*/*" => Some(0),
        _ => None,
    };
    let fitting =
        members.iter().enumerate().filter_map(|(at, member)| Some((exactness(member)?, members.len().saturating_sub(at), member.quality)));
    fitting.max().map(|(exactness, early, quality)| (quality, exactness, early))
}

/// The members of a list header; `None` when it is not there or says nothing.
fn members(request: &HttpRequest, header: HeaderName) -> Option<Vec<Member>> {
    let raw: Vec<&str> = request.headers().get_all(header).filter_map(|value| value.to_str().ok()).collect();
    let members = raw.iter().flat_map(|value| value.split(',')).filter_map(member);
    let members: Vec<Member> = members.collect();
    let said = raw.iter().any(|value| !value.trim().is_empty());
    said.then_some(members)
}

fn member(text: &str) -> Option<Member> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next()?.to_ascii_lowercase();
    let weight = parts.find_map(|part| part.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q")));
    let quality = weight.map_or(1_000, |(_, value)| quality(value.trim()));
    if name.is_empty() { None } else { Some(Member { name, quality }) }
}

/// A weight in thousandths: `0` to `1` with at most three decimals; what is none counts as refused.
fn quality(text: &str) -> u16 {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = decimals.len() <= 3 && decimals.bytes().all(|byte| byte.is_ascii_digit());
    match whole {
        "0" if digits => format!("{decimals:0<3}").parse().unwrap_or(0),
        "1" if digits && decimals.bytes().all(|byte| byte == b'0') => 1_000,
        _ => 0,
    }
}

fn not_acceptable(request: &HttpRequest, said: &'static str) -> HttpError {
    HttpError::wire(request, StatusCode::NOT_ACCEPTABLE, "not-acceptable", said)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn asked(header: HeaderName, value: &str) -> HttpRequest {
        TestRequest::default().insert_header((header, value)).to_http_request()
    }

    #[test]
    fn the_best_format_is_chosen() {
        let table = [
            ("", Some(Format::Json)),
            ("*/*", Some(Format::Json)),
            ("text/*", Some(Format::Csv)),
            ("application/*", Some(Format::Json)),
            ("text/csv, application/x-ndjson", Some(Format::Csv)),
            ("application/x-ndjson, text/csv", Some(Format::Ndjson)),
            ("application/json;q=0.5, application/vnd.apache.parquet", Some(Format::Parquet)),
            ("application/vnd.apache.arrow.stream, */*;q=0.1", Some(Format::Arrow)),
            ("application/json;q=0, */*", Some(Format::Ndjson)),
            ("text/csv; header=present; Q=1.000", Some(Format::Csv)),
            ("text/html", None),
            ("application/json;q=0", None),
            ("application/json;q=2", None),
            ("application/json;q=nan", None),
            (",", None),
        ];
        for (value, expected) in table {
            assert_eq!(format(&asked(ACCEPT, value)).ok(), expected, "{value}");
        }
        assert_eq!(format(&TestRequest::default().to_http_request()).ok(), Some(Format::Json));
    }

    #[test]
    fn the_best_coding_is_chosen() {
        use Coding::{Gzip, Identity, Zstd};
        let table = [
            ("", Some(Identity)),
            ("gzip", Some(Gzip)),
            ("x-gzip", Some(Gzip)),
            ("gzip, deflate, br, zstd", Some(Zstd)),
            ("gzip;q=0.8, zstd;q=0.7", Some(Gzip)),
            ("gzip;q=0.5, identity", Some(Identity)),
            ("zstd;q=0.001", Some(Zstd)),
            ("br", Some(Identity)),
            ("gzip;q=0", Some(Identity)),
            ("*", Some(Zstd)),
            ("*;q=0.5, gzip", Some(Gzip)),
            ("br, identity;q=0", None),
            ("*;q=0", None),
            ("*;q=0, gzip", Some(Gzip)),
            ("gzip;q=0, zstd;q=0, identity;q=0", None),
            ("identity;q=0, *", Some(Zstd)),
        ];
        for (value, expected) in table {
            assert_eq!(coding(&asked(ACCEPT_ENCODING, value), Format::Csv).ok(), expected, "{value}");
        }
        assert_eq!(coding(&asked(ACCEPT_ENCODING, "gzip, zstd"), Format::Parquet).ok(), Some(Identity));
        assert_eq!(coding(&asked(ACCEPT_ENCODING, "gzip, identity;q=0"), Format::Arrow).ok(), None);
    }
}

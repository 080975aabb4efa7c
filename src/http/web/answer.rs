//! A page on its way out: the headers that keep it to itself, nothing of it cached, compressed where that is taken.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, HeaderMap, VARY};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use askama::Template;
use flate2::Compression;

use crate::app::App;

use super::assets::gzip;

/// Scripts, styles and requests of this house only; nothing inline, nothing framed, no form sent elsewhere.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// What a page of this house never needs of a machine.
const PERMISSIONS_POLICY: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), \
     geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), publickey-credentials-get=(), \
     screen-wake-lock=(), serial=(), usb=(), xr-spatial-tracking=()";
/// Two years, as preload lists ask.
const STRICT_TRANSPORT: &str = "max-age=63072000";
/// Below this, compressing costs more than it saves.
const LEAST_COMPRESSED: usize = 1024;

/// How an answer goes back: what the caller takes, and whether the house is reached over TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Way {
    pub gzip: bool,
    /// A part of a page was asked for, by htmx.
    pub part: bool,
    pub tls: bool,
}

impl Way {
    /// As the request says.
    pub fn of(request: &HttpRequest) -> Self {
        let tls = request.app_data::<web::Data<Arc<App>>>().is_some_and(|app| app.settings.public_url.starts_with("https://"));
        Self { gzip: takes_gzip(request.headers()), part: wants_part(request.headers()), tls }
    }
}

/// A whole page.
pub fn render(request: &HttpRequest, status: StatusCode, page: &impl Template) -> HttpResponse {
    send(Way::of(request), HttpResponse::build(status), page)
}

/// A part of a page, for htmx: the same headers, and the same words.
pub fn fragment(request: &HttpRequest, status: StatusCode, part: &impl Template) -> HttpResponse {
    render(request, status, part)
}

/// Renders a template into an answer that may have headers of its own already.
pub fn send(way: Way, mut response: HttpResponseBuilder, page: &impl Template) -> HttpResponse {
    guard(&mut response, way.tls);
    let Ok(text) = page.render() else {
        tracing::error!("a page could not be rendered");
        return response
            .status(StatusCode::INTERNAL_SERVER_ERROR)
            .content_type("text/plain; charset=utf-8")
            .body("This page can't be shown.");
    };
    response.content_type("text/html; charset=utf-8");
    let small = (way.gzip && text.len() >= LEAST_COMPRESSED).then(|| gzip(text.as_bytes(), Compression::fast())).flatten();
    match small {
        Some(bytes) => response.insert_header((CONTENT_ENCODING, "gzip")).body(bytes),
        None => response.body(text),
    }
}

/// The headers of everything that people look at.
pub fn guard(response: &mut HttpResponseBuilder, tls: bool) {
    response
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((VARY, "Accept-Encoding, HX-Request"))
        .insert_header(("Content-Security-Policy", CONTENT_SECURITY_POLICY))
        .insert_header(("Permissions-Policy", PERMISSIONS_POLICY))
        .insert_header(("Referrer-Policy", "same-origin"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header(("X-Frame-Options", "DENY"))
        .insert_header(("Cross-Origin-Opener-Policy", "same-origin"))
        .insert_header(("Cross-Origin-Resource-Policy", "same-origin"));
    if tls {
        response.insert_header(("Strict-Transport-Security", STRICT_TRANSPORT));
    }
}

/// Whether the caller takes gzip (RFC 9110 §12.5.3): named, or covered by `*`, and not with a weight of zero.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let weight = |name: &str| {
        listed(headers, ACCEPT_ENCODING.as_str()).find_map(|(coding, weight)| coding.eq_ignore_ascii_case(name).then_some(weight))
    };
    weight("gzip").or_else(|| weight("*")).unwrap_or(false)
}

/// Whether the caller is a browser: it names `text/html` itself.
pub fn wants_page(headers: &HeaderMap) -> bool {
    listed(headers, ACCEPT.as_str()).any(|(kind, wanted)| wanted && kind.eq_ignore_ascii_case("text/html"))
}

/// Whether htmx asks, and not for a page that its history lost.
pub fn wants_part(headers: &HeaderMap) -> bool {
    headers.contains_key("hx-request") && !headers.contains_key("hx-history-restore-request")
}

/// The members of a weighted list, each with whether its weight is above zero.
fn listed<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = (&'a str, bool)> {
    headers.get_all(name).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).map(|member| {
        let mut parts = member.split(';').map(str::trim);
        let what = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        (what, weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0)))
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn encodings_are_weighed() {
        for (sent, expected) in [
            ("gzip", true),
            ("br, gzip;q=0.5", true),
            ("GZIP", true),
            ("*", true),
            ("br", false),
            ("gzip;q=0", false),
            ("gzip; q=0.000, *", false),
            ("identity", false),
            ("", false),
        ] {
            assert_eq!(takes_gzip(&headers(ACCEPT_ENCODING, sent)), expected, "{sent}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn pages_are_for_who_asks_for_them() {
        for (sent, expected) in [
            ("text/html,application/xhtml+xml,*/*;q=0.8", true),
            ("application/json", false),
            ("*/*", false),
            ("text/html;q=0, application/json", false),
        ] {
            assert_eq!(wants_page(&headers(ACCEPT, sent)), expected, "{sent}");
        }
    }
}

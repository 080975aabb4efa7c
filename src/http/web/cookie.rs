//! Cookies: the session, the browsers that signed in before, and a word to the next page. Over TLS their names begin
//! with `__Host-`, so no other host or path can plant one (RFC 6265bis §4.1.3.2).

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};

use crate::app::sessions::Opened;
use crate::domain::secret::PlainSecret;
use crate::http::guard::app_of;

const SESSION: &str = "tidegate";
const DEVICE: &str = "tidegate-device";
const NOTICE: &str = "tidegate-notice";

/// A browser is remembered as long as browsers keep cookies (RFC 6265bis §5.5: 400 days).
const DEVICE_DAYS: i64 = 400;
/// A word to the next page is for the next page.
const NOTICE_SECONDS: i64 = 60;
/// The most characters of a word to the next page.
const MOST_NOTICE: usize = 500;

fn is_tls(request: &HttpRequest) -> bool {
    app_of(request).is_ok_and(|app| app.settings.public_url.starts_with("https://"))
}

fn name(request: &HttpRequest, plain: &'static str) -> String {
    if is_tls(request) { format!("__Host-{plain}") } else { plain.to_owned() }
}

fn make(request: &HttpRequest, plain: &'static str, value: String) -> Cookie<'static> {
    Cookie::build(name(request, plain), value).path("/").http_only(true).secure(is_tls(request)).same_site(SameSite::Lax).finish()
}

fn read(request: &HttpRequest, plain: &'static str) -> Option<String> {
    request.cookie(&name(request, plain)).map(|cookie| cookie.value().to_owned())
}

/// The secret of the request's session.
pub fn session(request: &HttpRequest) -> Option<String> {
    read(request, SESSION)
}

/// The cookie of a browser that signed in before.
pub fn device(request: &HttpRequest) -> Option<String> {
    read(request, DEVICE)
}

/// The cookies of a new session. It ends with the browser, and in the database in any case.
pub fn opened(request: &HttpRequest, opened: &Opened) -> Vec<Cookie<'static>> {
    let mut cookies = vec![make(request, SESSION, opened.secret.reveal().to_owned())];
    cookies.extend(opened.device.as_ref().map(|device| known(request, device)));
    cookies
}

fn known(request: &HttpRequest, device: &PlainSecret) -> Cookie<'static> {
    let mut cookie = make(request, DEVICE, device.reveal().to_owned());
    cookie.set_max_age(Duration::days(DEVICE_DAYS));
    cookie
}

/// Takes the session's cookie away.
pub fn ended(request: &HttpRequest) -> Cookie<'static> {
    let mut cookie = make(request, SESSION, String::new());
    cookie.make_removal();
    cookie
}

/// A word to the next page.
pub fn notice(request: &HttpRequest, text: &str) -> Cookie<'static> {
    let text: String = text.chars().take(MOST_NOTICE).collect();
    let value = data_encoding::HEXLOWER.encode(text.as_bytes());
    let mut cookie = make(request, NOTICE, value);
    cookie.set_max_age(Duration::seconds(NOTICE_SECONDS));
    cookie
}

/// The word that the page before left, if any.
pub fn left_notice(request: &HttpRequest) -> Option<String> {
    let hex = read(request, NOTICE)?;
    let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).ok()?;
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

/// Takes the word away, once it was said.
pub fn said(request: &HttpRequest) -> Cookie<'static> {
    let mut cookie = make(request, NOTICE, String::new());
    cookie.make_removal();
    cookie
}

/// The theme, for a year. It is no secret, names nobody, and its name is the same everywhere.
pub fn theme(request: &HttpRequest, key: &'static str) -> Cookie<'static> {
    let mut cookie = Cookie::build(super::page::THEME_COOKIE, key).path("/").secure(is_tls(request)).same_site(SameSite::Lax).finish();
    cookie.set_max_age(Duration::days(365));
    cookie
}

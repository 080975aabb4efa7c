//! The way in: e-mail address and password, the code of a second factor, and links that set a password once.

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, USER_AGENT};
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::password_links::{self, Welcome};
use crate::app::sessions::{self, Opened};
use crate::app::sign_in::{self, From, Outcome};
use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::secret::PlainSecret;
use crate::domain::session::LinkKind;
use crate::domain::text::{Email, Name};
use crate::http::api::Tidegate;
use crate::http::guard::{ManageOwnKeys, app_of};
use crate::http::peer;
use crate::http::routes;

use super::answer::render;
use super::cookie;
use super::form::{self, Typed};
use super::guard::{Sent, check_origin, outside, signed_in, wanted};
use super::lead::{answered, see_other};
use super::page::Frame;
use super::resume::{self, Kept};

/// What the fields are called.
pub const LABELS: &[(&str, &str)] =
    &[("name", "Your name"), ("email", "Your e-mail address"), ("password", "Password"), ("password_again", "The same password again")];

/// A form that needs no session: taken from pages of this house only.
pub struct Asked(pub Typed);

impl FromRequest for Asked {
    type Error = Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            check_origin(&request)?;
            form::read(&request, payload).await.map(Self)
        })
    }
}

#[derive(Template)]
#[template(path = "sign_in/password.html")]
struct PasswordPage {
    frame: Frame,
    typed: Typed,
    /// Where to go from here.
    next: String,
    kept: Option<Kept>,
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in/code.html")]
struct CodePage {
    frame: Frame,
    typed: Typed,
    next: String,
    kept: Option<Kept>,
    said: Option<String>,
}

#[derive(Template)]
#[template(path = "sign_in/welcome.html")]
struct WelcomePage {
    frame: Frame,
    typed: Typed,
    welcome: Welcome,
}

/// Where a sign-in leads: a page of this house, never another site's address.
fn safe_next(next: &str) -> String {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let plain = next.starts_with('/') && !next.starts_with("//") && !next.contains('\\') && !next.chars().any(char::is_control);
    if plain && routes::is_page(path) { next.to_owned() } else { "/".to_owned() }
}

fn next_of(request: &HttpRequest) -> String {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(request.query_string()).unwrap_or_default();
    pairs.into_iter().find(|(name, _)| name == "next").map_or_else(|| "/".to_owned(), |(_, next)| safe_next(&next))
}

/// The sign-in page; with what was typed into a form of a session that has ended.
pub fn ask(request: &HttpRequest, status: StatusCode, kept: Option<Kept>) -> HttpResponse {
    let next = if kept.is_some() { "/".to_owned() } else { next_of(request) };
    let said = kept.is_some().then(|| "You were signed out. What you typed is kept: sign in, and send it.".to_owned());
    render(request, status, &PasswordPage { frame: Frame::outside(request, "Sign in"), typed: Typed::default(), next, kept, said })
}

/// The sign-in page, for who is not signed in.
pub async fn page(request: HttpRequest, app: Tidegate) -> Result<HttpResponse, Error> {
    match signed_in(&app, &request).await.map_err(|error| outside(&request, error))? {
        Some(_) => Ok(see_other(next_of(&request))),
        None => Ok(ask(&request, StatusCode::OK, None)),
    }
}

fn from(request: &HttpRequest) -> Result<From, Error> {
    let browser = request.headers().get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or("unknown browser").to_owned();
    let app = app_of(request)?;
    Ok(From { address: peer::address(request, &app.settings.trusted_proxies), browser, device: cookie::device(request) })
}

/// Takes address and password.
pub async fn enter(request: HttpRequest, app: Tidegate, asked: Asked) -> Result<HttpResponse, Error> {
    let typed = asked.0;
    let secret = PlainSecret::new(raw(&typed, "password"));
    let outcome = sign_in::attempt(&app, typed.value("email"), secret, from(&request)?).await.map_err(|error| outside(&request, error))?;
    let (next, kept) = (safe_next(typed.value("next")), Kept::carried(&typed));
    match outcome {
        Outcome::In(opened) => go_on(&app, &request, &opened, next, kept).await,
        Outcome::Code(opened) => {
            let page = CodePage { frame: Frame::outside(&request, "Enter your code"), typed: Typed::default(), next, kept, said: None };
            Ok(with_cookies(&request, render(&request, StatusCode::OK, &page), &opened))
        }
        Outcome::Wrong => {
            let said = "This e-mail address and password do not go together. Check both; an administrator can send you a new link.";
            Ok(again(&request, StatusCode::UNAUTHORIZED, typed, next, kept, said.to_owned()))
        }
        Outcome::Wait(seconds) => {
            let response = again(&request, StatusCode::TOO_MANY_REQUESTS, typed, next, kept, waiting(seconds));
            Ok(retry_after(response, seconds))
        }
    }
}

/// A password is taken as it was typed, spaces too.
fn raw(typed: &Typed, name: &str) -> String {
    typed.pairs().iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
}

fn waiting(seconds: i64) -> String {
    format!("There were too many failed attempts. Wait {seconds} seconds, then try again.")
}

fn retry_after(mut response: HttpResponse, seconds: i64) -> HttpResponse {
    if let Ok(value) = seconds.to_string().parse() {
        response.headers_mut().insert(RETRY_AFTER, value);
    }
    response
}

fn again(request: &HttpRequest, status: StatusCode, typed: Typed, next: String, kept: Option<Kept>, said: String) -> HttpResponse {
    let typed = Typed::default().with("email", typed.value("email"));
    let frame = Frame::outside(request, "Sign in");
    render(request, status, &PasswordPage { frame, typed, next, kept, said: Some(said) })
}

fn with_cookies(request: &HttpRequest, mut response: HttpResponse, opened: &Opened) -> HttpResponse {
    for cookie in cookie::opened(request, opened) {
        if let Err(error) = response.add_cookie(&cookie) {
            tracing::error!(%error, "a cookie could not be set");
        }
    }
    response
}

/// Leads on: to the page that was wanted, or to what was typed before the session ended.
async fn go_on(app: &App, request: &HttpRequest, opened: &Opened, next: String, kept: Option<Kept>) -> Result<HttpResponse, Error> {
    let Some(kept) = kept else { return Ok(with_cookies(request, see_other(next), opened)) };
    let current = sessions::find(app, opened.secret.reveal()).await.map_err(|error| outside(request, error))?;
    let current = current.ok_or_else(|| outside(request, AppError::Unauthenticated))?;
    Ok(with_cookies(request, resume::send_on(app, request, &current, kept, StatusCode::OK), opened))
}

/// Takes the code of the second factor.
pub async fn code(request: HttpRequest, app: Tidegate, asked: Asked) -> Result<HttpResponse, Error> {
    let typed = asked.0;
    let Some(waiting_secret) = cookie::session(&request) else { return Ok(see_other("/sign-in")) };
    let code = typed.value("code").to_owned();
    let outcome = sign_in::code(&app, &waiting_secret, code, from(&request)?).await.map_err(|error| outside(&request, error))?;
    let (next, kept) = (safe_next(typed.value("next")), Kept::carried(&typed));
    let page = |said: String| CodePage {
        frame: Frame::outside(&request, "Enter your code"),
        typed: Typed::default(),
        next: next.clone(),
        kept: kept.clone(),
        said: Some(said),
    };
    match outcome {
        Outcome::In(opened) => go_on(&app, &request, &opened, next, kept).await,
        Outcome::Wait(seconds) => Ok(retry_after(render(&request, StatusCode::TOO_MANY_REQUESTS, &page(waiting(seconds))), seconds)),
        Outcome::Wrong | Outcome::Code(_) => {
            let said = "This code is not good, or was used already. Wait for the next one, or sign in anew if it takes long.";
            Ok(render(&request, StatusCode::UNAUTHORIZED, &page(said.to_owned())))
        }
    }
}

/// Ends this session, or every one of the person.
pub async fn sign_out(request: HttpRequest, app: Tidegate, sent: Sent<ManageOwnKeys>) -> Result<HttpResponse, Error> {
    let current = sent.by.current();
    let ended = if sent.typed.has("everywhere", "yes") {
        sessions::end_all(&app, current, false).await.map(drop)
    } else {
        sessions::end(&app, current, current.session.id.clone()).await
    };
    sent.by.want(&request, ended)?;
    let mut response = see_other("/sign-in");
    if let Err(error) = response.add_cookie(&cookie::ended(&request)) {
        tracing::error!(%error, "a cookie could not be taken away");
    }
    Ok(response)
}

fn link_of(request: &HttpRequest) -> String {
    request.match_info().query("link").to_owned()
}

async fn welcome_of(app: &App, request: &HttpRequest) -> Result<Welcome, Error> {
    match password_links::find(app, &link_of(request)).await {
        Err(AppError::NotFound(_)) => {
            Err(answered(render(request, StatusCode::NOT_FOUND, &GonePage { frame: Frame::outside(request, "This link is used up") })))
        }
        other => other.map_err(|error| outside(request, error)),
    }
}

#[derive(Template)]
#[template(path = "sign_in/gone.html")]
struct GonePage {
    frame: Frame,
}

fn welcome_title(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::SetUp => "Set up Tidegate",
        LinkKind::Invitation => "Welcome to Tidegate",
        LinkKind::Reset => "Choose a new password",
    }
}

/// The page behind a link: who it is for, and a field for the password.
pub async fn welcome(request: HttpRequest, app: Tidegate) -> Result<HttpResponse, Error> {
    let welcome = welcome_of(&app, &request).await?;
    let frame = Frame::outside(&request, welcome_title(welcome.kind));
    Ok(render(&request, StatusCode::OK, &WelcomePage { frame, typed: Typed::default(), welcome }))
}

/// Uses a link up.
pub async fn choose(request: HttpRequest, app: Tidegate, asked: Asked) -> Result<HttpResponse, Error> {
    let welcome = welcome_of(&app, &request).await?;
    let typed = asked.0;
    let chosen = raw(&typed, "password");
    let mut errors = Vec::new();
    if chosen != raw(&typed, "password_again") {
        errors.push(Invalid::new("password_again", "must be the same as above"));
    }
    let browser = from(&request)?.browser;
    let done = match welcome.kind {
        LinkKind::SetUp => {
            let (email, name) = (wanted::<Email>(&typed, "email", &mut errors), wanted::<Name>(&typed, "name", &mut errors));
            match (email, name) {
                (Some(email), Some(name)) if errors.is_empty() => {
                    password_links::begin(&app, &link_of(&request), email, name, PlainSecret::new(chosen), browser).await.map(Outcome::In)
                }
                _ => Ok(Outcome::Wrong),
            }
        }
        LinkKind::Invitation | LinkKind::Reset if errors.is_empty() => {
            password_links::choose(&app, &link_of(&request), PlainSecret::new(chosen), browser).await
        }
        LinkKind::Invitation | LinkKind::Reset => Ok(Outcome::Wrong),
    };
    match done {
        Ok(Outcome::In(opened)) => Ok(with_cookies(&request, see_other("/"), &opened)),
        Ok(Outcome::Code(opened)) => {
            let frame = Frame::outside(&request, "Enter your code");
            let page = CodePage { frame, typed: Typed::default(), next: "/".to_owned(), kept: None, said: None };
            Ok(with_cookies(&request, render(&request, StatusCode::OK, &page), &opened))
        }
        Ok(Outcome::Wrong | Outcome::Wait(_)) => Ok(refused(&request, welcome, typed, errors)),
        Err(AppError::Invalid(error)) => Ok(refused(&request, welcome, typed, vec![error])),
        Err(error) => Err(outside(&request, error)),
    }
}

fn refused(request: &HttpRequest, welcome: Welcome, typed: Typed, errors: Vec<Invalid>) -> HttpResponse {
    let frame = Frame::outside(request, welcome_title(welcome.kind));
    let kept = Typed::default().with("email", typed.value("email")).with("name", typed.value("name"));
    render(request, StatusCode::UNPROCESSABLE_ENTITY, &WelcomePage { frame, typed: kept.refused(errors), welcome })
}

/// The theme of the pages, kept in a cookie of this browser.
pub async fn theme(request: HttpRequest, asked: Asked) -> Result<HttpResponse, Error> {
    let typed = asked.0;
    let theme = super::page::Theme::from_key(typed.value("theme")).unwrap_or_default();
    let mut response = see_other(safe_next(typed.value("next")));
    if let Err(error) = response.add_cookie(&cookie::theme(&request, theme.key())) {
        tracing::error!(%error, "a cookie could not be set");
    }
    Ok(response)
}

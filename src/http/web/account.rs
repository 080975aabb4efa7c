//! A person's own account: password, second factor, where they are signed in, API keys.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;
use qrcode::QrCode;

use crate::app::second_factor::{self, SetUp, State};
use crate::app::{App, AppError, password_links, people, sessions};
use crate::domain::Invalid;
use crate::domain::id::{ApiKeyId, SessionId};
use crate::domain::person::ApiKey;
use crate::domain::secret::PlainSecret;
use crate::domain::session::Session;
use crate::domain::text::Name;
use crate::http::api::Tidegate;
use crate::http::guard::ManageOwnKeys;
use crate::policy::Denied;

use super::answer::render;
use super::error::Wire;
use super::form::Typed;
use super::guard::{Sent, Visitor, wanted};
use super::lead::{see_other, see_other_saying};
use super::page::{Frame, Section};

type By = Visitor<ManageOwnKeys>;
type Form = Sent<ManageOwnKeys>;
type Answer = Result<HttpResponse, Error>;

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[
    ("password", "Password as it is now"),
    ("new_password", "New password"),
    ("new_password_again", "The new password again"),
    ("remove_password", "Your password"),
    ("code", "Code"),
    ("label", "Name of a new key"),
];

#[derive(Template)]
#[template(path = "account/account.html")]
struct AccountPage {
    frame: Frame,
    typed: Typed,
    sessions: Vec<Session>,
    this: SessionId,
    factor: State,
    keys: Vec<ApiKey>,
}

#[derive(Template)]
#[template(path = "account/second_factor.html")]
struct SecondFactorPage {
    frame: Frame,
    typed: Typed,
    key: String,
    /// An SVG of our own making: squares only.
    squares: Vec<(u32, u32)>,
    size: u32,
}

#[derive(Template)]
#[template(path = "account/recovery_codes.html")]
struct RecoveryCodesPage {
    frame: Frame,
    codes: Vec<String>,
}

#[derive(Template)]
#[template(path = "account/key.html")]
struct KeyPage {
    frame: Frame,
    secret: String,
    label: String,
}

async fn shown(request: &HttpRequest, app: &App, by: &By, status: StatusCode, typed: Typed) -> Answer {
    let person = by.current().person.id.clone();
    let sessions = by.want(request, sessions::list(app, by.current()).await)?;
    let factor = by.want(request, second_factor::state(app, person.clone()).await)?;
    let keys = by.want(request, people::list_keys(app, person).await)?;
    let frame = by.frame(request, "Your account", Section::None);
    let this = by.current().session.id.clone();
    Ok(render(request, status, &AccountPage { frame, typed, sessions, this, factor, keys }))
}

/// The account.
pub async fn page(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    shown(&request, &app, &by, StatusCode::OK, Typed::default()).await
}

/// The form again with what is wrong with it, or an error page.
async fn refused(request: &HttpRequest, app: &App, sent: Form, error: AppError) -> Answer {
    match error {
        AppError::Invalid(invalid) | AppError::Denied(Denied::Invalid(invalid)) => {
            let typed = Typed::default().with("label", sent.typed.value("label")).refused([invalid]);
            shown(request, app, &sent.by, StatusCode::UNPROCESSABLE_ENTITY, typed).await
        }
        other => Err(sent.by.refuse(request, other)),
    }
}

fn secret(typed: &Typed, name: &str) -> PlainSecret {
    PlainSecret::new(typed.pairs().iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str()))
}

/// Changes the password.
pub async fn password(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let (old, new) = (secret(&sent.typed, "password"), secret(&sent.typed, "new_password"));
    if new != secret(&sent.typed, "new_password_again") {
        let error = Invalid::new("new_password_again", "must be the same as above");
        return refused(&request, &app, sent, error.into()).await;
    }
    match password_links::change(&app, sent.by.current(), old, new).await {
        Ok(()) => Ok(see_other_saying(&request, "/account", "Your password is changed; you are signed out everywhere else.")),
        Err(error) => refused(&request, &app, sent, error).await,
    }
}

/// Ends one of the person's sessions.
pub async fn end_session(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let id = request.match_info().query("id").parse::<SessionId>().map_err(|_| sent.by.wire(&request, Wire::NotFound))?;
    sent.by.want(&request, sessions::end(&app, sent.by.current(), id).await)?;
    Ok(see_other_saying(&request, "/account", "That session is over."))
}

/// Ends every other session.
pub async fn end_sessions(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let ended = sent.by.want(&request, sessions::end_all(&app, sent.by.current(), true).await)?;
    let said = if ended == 1 { "One other session is over.".to_owned() } else { format!("{ended} other sessions are over.") };
    Ok(see_other_saying(&request, "/account", &said))
}

/// Begins to set up a second factor.
pub async fn begin_factor(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    sent.by.want(&request, second_factor::begin(&app, sent.by.current()).await)?;
    Ok(see_other("/account/second-factor"))
}

/// The key for the app, until its first code has come.
pub async fn factor(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    factor_page(&request, &app, &by, StatusCode::OK, Typed::default()).await
}

async fn factor_page(request: &HttpRequest, app: &App, by: &By, status: StatusCode, typed: Typed) -> Answer {
    let set_up = match second_factor::begun(app, by.current()).await {
        Err(AppError::NotFound(_)) => return Ok(see_other("/account")),
        other => by.want(request, other)?,
    };
    let frame = by.frame(request, "Set up your second factor", Section::None);
    let (squares, size) = squares(&set_up);
    let key = grouped(set_up.key.reveal());
    Ok(render(request, status, &SecondFactorPage { frame, typed, key, squares, size }))
}

/// The dark squares of the QR code, and how many there are in a row; none where the text is too long for one.
fn squares(set_up: &SetUp) -> (Vec<(u32, u32)>, u32) {
    let Ok(code) = QrCode::new(set_up.uri.reveal()) else { return (Vec::new(), 0) };
    let width = code.width();
    let dark = code.to_colors().into_iter().enumerate().filter(|(_, color)| *color == qrcode::Color::Dark);
    let place = |at: usize| Some((u32::try_from(at.checked_rem(width)?).ok()?, u32::try_from(at.checked_div(width)?).ok()?));
    (dark.filter_map(|(at, _)| place(at)).collect(), u32::try_from(width).unwrap_or(0))
}

/// A key in groups of four, as people read it out.
fn grouped(key: &str) -> String {
    let signs: Vec<char> = key.chars().collect();
    signs.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// Takes the app's first code; shows recovery codes once.
pub async fn confirm_factor(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    match second_factor::confirm(&app, sent.by.current(), sent.typed.value("code").to_owned()).await {
        Ok(codes) => {
            let frame = sent.by.frame(&request, "Your recovery codes", Section::None);
            let codes = codes.iter().map(|code| code.reveal().to_owned()).collect();
            Ok(render(&request, StatusCode::OK, &RecoveryCodesPage { frame, codes }))
        }
        Err(AppError::Invalid(error)) => {
            factor_page(&request, &app, &sent.by, StatusCode::UNPROCESSABLE_ENTITY, Typed::default().refused([error])).await
        }
        Err(error) => Err(sent.by.refuse(&request, error)),
    }
}

/// Takes the second factor away.
pub async fn remove_factor(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    match second_factor::remove(&app, sent.by.current(), secret(&sent.typed, "password")).await {
        Ok(()) => Ok(see_other_saying(&request, "/account", "Your second factor is removed: your password alone signs you in.")),
        Err(AppError::Invalid(error)) => {
            let error = Invalid::new("remove_password", error.reason);
            refused(&request, &app, sent, error.into()).await
        }
        Err(error) => Err(sent.by.refuse(&request, error)),
    }
}

/// Issues an API key; its secret is shown this once.
pub async fn issue_key(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let mut errors = Vec::new();
    let Some(label) = wanted::<Name>(&sent.typed, "label", &mut errors) else {
        let error = errors.pop().unwrap_or_else(|| Invalid::new("label", "must be given"));
        return refused(&request, &app, sent, error.into()).await;
    };
    let person = sent.by.current().person.id.clone();
    let (key, secret) = sent.by.want(&request, people::issue_key(&app, &sent.by.actor(), person, label, None).await)?;
    let frame = sent.by.frame(&request, "Your new API key", Section::None);
    let page = KeyPage { frame, secret: secret.reveal().to_owned(), label: key.label.to_string() };
    Ok(render(&request, StatusCode::OK, &page))
}

/// Revokes one of one's own API keys.
pub async fn revoke_key(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let id = request.match_info().query("id").parse::<ApiKeyId>().map_err(|_| sent.by.wire(&request, Wire::NotFound))?;
    sent.by.want(&request, people::revoke_key(&app, &sent.by.actor(), id).await)?;
    Ok(see_other_saying(&request, "/account", "The key is revoked: requests with it are refused from now on."))
}

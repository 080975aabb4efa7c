//! The keys that sign tokens: which one signs, which one follows, and how one that others may have is ended.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::signing_keys::{self, KeyLine};
use crate::app::stops::{self, StopOf};
use crate::app::{App, AppError};
use crate::domain::signing_key::{HEAD_START_SECONDS, KeyState};
use crate::domain::text::{Kid, Reason};
use crate::domain::time::Instant;
use crate::http::api::Tidegate;
use crate::http::guard::{ManageKeys, Read};
use crate::policy::Denied;
use crate::policy::access::Permission;

use super::answer::render;
use super::error::Wire;
use super::form::Typed;
use super::guard::{Sent, Visitor, wanted};
use super::lead::see_other_saying;
use super::page::{Frame, Section};
use super::parts::Crumb;
use super::words::{self, Badge};

type Answer = Result<HttpResponse, Error>;

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[("reason", "Reason")];

const LIST: &str = "/settings/signing-keys";

#[derive(Template)]
#[template(path = "settings/signing_keys.html")]
struct ListPage {
    frame: Frame,
    rows: Vec<Row>,
    may: bool,
    /// A key waits already, so that no other is made.
    waits: bool,
}

/// A key with where it stands, and what comes next for it.
struct Row {
    key: KeyLine,
    badge: Badge,
    since: Instant,
    next: String,
}

#[derive(Template)]
#[template(path = "settings/rotate_key.html")]
struct RotatePage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    minutes: i64,
}

#[derive(Template)]
#[template(path = "settings/revoke_key.html")]
struct RevokePage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    typed: Typed,
    action: String,
    title: String,
    stops: Vec<String>,
    /// What happens besides, in sentences.
    besides: Vec<&'static str>,
}

fn row(key: KeyLine) -> Row {
    let (since, next) = match key.state {
        KeyState::Waiting => (key.made_at, format!("Signs from {}.", words::instant(&key.signs_from))),
        KeyState::Signing => {
            let next = key.retired_at.map_or_else(String::new, |at| format!("The next key signs from {}.", words::instant(&at)));
            (key.signs_from, next)
        }
        KeyState::Verifying | KeyState::Over => {
            let next = key
                .leaves_at
                .map_or_else(String::new, |at| format!("Its last token is over at {}; then it is forgotten.", words::instant(&at)));
            (key.retired_at.unwrap_or(key.signs_from), next)
        }
        KeyState::Revoked => {
            let why = key.reason.as_ref().map_or_else(String::new, |reason| reason.to_string());
            (key.revoked_at.unwrap_or(key.made_at), why)
        }
    };
    Row { badge: words::signing_key(key.state), since, next, key }
}

/// The keys.
pub async fn list(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let keys = by.want(&request, signing_keys::list(&app).await)?;
    let waits = keys.iter().any(|key| key.state == KeyState::Waiting);
    let frame = by.frame(&request, "Signing keys", Section::SigningKeys);
    let page = ListPage { frame, rows: keys.into_iter().map(row).collect(), may: by.may(Permission::ManageKeys), waits };
    Ok(render(&request, StatusCode::OK, &page))
}

fn crumbs() -> Vec<Crumb> {
    vec![Crumb { href: LIST.to_owned(), label: "Signing keys".to_owned() }]
}

/// What a rotation does, and when.
pub async fn ask_rotate(request: HttpRequest, app: Tidegate, by: Visitor<ManageKeys>) -> Answer {
    let keys = by.want(&request, signing_keys::list(&app).await)?;
    if let Some(waiting) = keys.iter().find(|key| key.state == KeyState::Waiting) {
        let from = words::instant(&waiting.signs_from);
        let denied = Denied::State(format!("A new key waits already: it signs from {from}. Rotate again then."));
        return Err(by.refuse(&request, denied.into()));
    }
    let frame = by.frame(&request, "Rotate the signing key?", Section::SigningKeys);
    Ok(render(&request, StatusCode::OK, &RotatePage { frame, crumbs: crumbs(), minutes: HEAD_START_SECONDS / 60 }))
}

/// Makes the next key.
pub async fn rotate(request: HttpRequest, app: Tidegate, sent: Sent<ManageKeys>) -> Answer {
    let key = sent.by.want(&request, signing_keys::rotate(&app, &sent.by.actor()).await)?;
    let said = format!("A new key is published. It signs from {}.", words::instant(&key.signs_from));
    Ok(see_other_saying(&request, LIST, &said))
}

fn kid_of(request: &HttpRequest, by: &Visitor<ManageKeys>) -> Result<Kid, Error> {
    request.match_info().query("kid").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

/// What revoking a key stops, and why it is done.
pub async fn ask_revoke(request: HttpRequest, app: Tidegate, by: Visitor<ManageKeys>) -> Answer {
    let kid = kid_of(&request, &by)?;
    revoke_page(&request, &app, &by, kid, (StatusCode::OK, Typed::default())).await
}

async fn revoke_page(request: &HttpRequest, app: &App, by: &Visitor<ManageKeys>, kid: Kid, shown: (StatusCode, Typed)) -> Answer {
    let key = by.want(request, signing_keys::find(app, kid.clone()).await)?;
    if key.state == KeyState::Revoked {
        let denied = Denied::State("This key is revoked already; no token of it is good.".to_owned());
        return Err(by.refuse(request, AppError::from(denied)));
    }
    let preview = by.want(request, stops::preview(app, StopOf::SigningKey(kid.clone())).await)?;
    let frame = by.frame(request, "Revoke this key?", Section::SigningKeys);
    let mut stops = super::shown::stops(&preview, frame.now);
    stops.insert(0, "Every token of this key, from the next request on; running streams at their next piece".to_owned());
    let besides = match key.state {
        KeyState::Signing => vec![
            "Another key signs at once. Vendors' machines ask for new tokens by themselves; nothing has to be done for them.",
            "Who keeps the published keys elsewhere may take up to 5 minutes to see the new one, and to forget this one. Tidegate itself refuses its tokens at once.",
        ],
        KeyState::Waiting => vec!["No token was signed with it yet. The present key signs on, and you can rotate again."],
        KeyState::Verifying | KeyState::Over | KeyState::Revoked => vec!["The key that signs now is not touched."],
    };
    let (status, typed) = shown;
    let title = format!("Revoke the key {}", super::parts::short(kid.as_str()));
    let action = format!("{LIST}/{kid}/revoke");
    Ok(render(request, status, &RevokePage { frame, crumbs: crumbs(), typed, action, title, stops, besides }))
}

/// Revokes a key.
pub async fn revoke(request: HttpRequest, app: Tidegate, sent: Sent<ManageKeys>) -> Answer {
    let Sent { by, typed } = sent;
    let kid = kid_of(&request, &by)?;
    let mut errors = Vec::new();
    let Some(reason) = wanted::<Reason>(&typed, "reason", &mut errors) else {
        return revoke_page(&request, &app, &by, kid, (StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors))).await;
    };
    by.want(&request, signing_keys::revoke(&app, &by.actor(), kid, reason).await)?;
    Ok(see_other_saying(&request, LIST, "The key is revoked. No release follows for a token of it."))
}

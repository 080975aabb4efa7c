//! Stopping access: a new secret, a client's end, a token's end; each says before it is done what it stops.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest};
use askama::Template;

use crate::app::access::{self, HandOver, Handed};
use crate::app::stops::{self, StopOf, StopPreview};
use crate::app::{App, AppError};
use crate::domain::client::{Client, Token, TokenKind};
use crate::domain::id::TokenId;
use crate::domain::text::{Reason, Slug};
use crate::domain::vendor::Vendor;
use crate::http::api::Tidegate;
use crate::http::guard::{ManageAccess, Stop};
use crate::policy::Denied;

use super::super::answer::render;
use super::super::error::Wire;
use super::super::form::Typed;
use super::super::guard::{Sent, Visitor, wanted};
use super::super::lead::{see_other, see_other_saying};
use super::super::page::{Frame, Section};
use super::super::parts::{Choice, Crumb};
use super::super::words;
use super::{Answer, LABELS, client_id, crumbs, link};

#[derive(Template)]
#[template(path = "access/rotate.html")]
struct RotatePage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    client: Client,
    tokens: i64,
    typed: Typed,
    graces: Vec<Choice>,
}

/// How long an old secret is taken beside the new one.
const GRACES: [(&str, &str); 4] =
    [("0", "not any more, from the next request on"), ("3600", "for an hour"), ("86400", "for a day"), ("604800", "for a week")];

#[derive(Template)]
#[template(path = "access/stop.html")]
struct StopPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    typed: Typed,
    action: String,
    title: String,
    stops: Vec<String>,
    label: &'static str,
    back: String,
    labels: &'static [(&'static str, &'static str)],
}

impl RotatePage {
    fn back(&self) -> String {
        format!("/clients/{}", self.client.id)
    }
}

/// Whether a new secret is wanted, and what it does.
pub async fn ask_rotate(request: HttpRequest, app: Tidegate, by: Visitor<ManageAccess>) -> Answer {
    let id = client_id(&request, &by)?;
    let client = by.want(&request, access::find(&app, id.clone()).await)?;
    let tokens = by.want(&request, stops::preview(&app, StopOf::Client(id)).await)?.tokens;
    let frame = by.frame(&request, "Give it a new secret?", Section::Access);
    let typed = Typed::default().with("grace_seconds", "86400");
    let graces = GRACES.iter().map(|(seconds, label)| Choice::new(*seconds, *label)).collect();
    Ok(render(&request, StatusCode::OK, &RotatePage { frame, crumbs: crumbs(&client), client, tokens, typed, graces }))
}

/// Makes a link to a new secret and shows it, this once.
pub async fn rotate(request: HttpRequest, app: Tidegate, sent: Sent<ManageAccess>) -> Answer {
    let id = client_id(&request, &sent.by)?;
    // A form of ours says it; another one takes the old secret away at once.
    let grace = sent.typed.value("grace_seconds").parse::<i64>().unwrap_or(0);
    let rotated = access::rotate(&app, &sent.by.actor(), id, grace, HandOver::Link).await;
    match sent.by.want(&request, rotated)? {
        (client, Handed::Link { link, ends_at }) => link::secret(&request, &app, &sent.by, client, (&link, ends_at)),
        (client, Handed::Shown(_) | Handed::Nothing) => Ok(see_other(format!("/clients/{}", client.id))),
    }
}

/// What revoking a client stops, and why it is done.
pub async fn ask_revoke(request: HttpRequest, app: Tidegate, by: Visitor<Stop>) -> Answer {
    let id = client_id(&request, &by)?;
    let client = by.want(&request, access::find(&app, id).await)?;
    revoke_page(&request, &app, &by, client, (StatusCode::OK, Typed::default())).await
}

async fn revoke_page(request: &HttpRequest, app: &App, by: &Visitor<Stop>, client: Client, shown: (StatusCode, Typed)) -> Answer {
    if client.revoked_at.is_some() {
        let denied = Denied::State("This client is revoked already; nothing of it is taken any more.".to_owned());
        return Err(by.refuse(request, denied.into()));
    }
    let preview = by.want(request, stops::preview(app, StopOf::Client(client.id.clone())).await)?;
    let frame = by.frame(request, "Revoke this client?", Section::Access);
    let (status, typed) = shown;
    let page = StopPage {
        crumbs: crumbs(&client),
        typed,
        action: format!("/clients/{}/revoke", client.id),
        title: format!("Revoke “{}”", client.name),
        stops: stopped(&preview, &frame),
        label: "Revoke the client",
        back: format!("/clients/{}", client.id),
        labels: LABELS,
        frame,
    };
    Ok(render(request, status, &page))
}

fn stopped(preview: &StopPreview, frame: &Frame) -> Vec<String> {
    let last =
        preview.last_pull.map_or_else(|| "it never pulled anything".to_owned(), |at| format!("last pull {}", words::ago(&at, &frame.now)));
    let mut stops = vec![
        format!("This client can't sign in any more; {last}."),
        match preview.tokens {
            0 => "It has no tokens outstanding.".to_owned(),
            tokens => format!("{} refused from the next request on.", words::count(tokens, "token is", "tokens are")),
        },
    ];
    if preview.running_streams > 0 {
        stops.push(format!("{} cut at the next piece.", words::count(preview.running_streams, "running stream is", "running streams are")));
    }
    stops.push(format!(
        "{} no longer reached by it; other clients of the vendor still may.",
        words::count(preview.permits, "permit is", "permits are")
    ));
    stops
}

/// Revokes a client.
pub async fn revoke(request: HttpRequest, app: Tidegate, sent: Sent<Stop>) -> Answer {
    let Sent { by, typed } = sent;
    let id = client_id(&request, &by)?;
    let mut errors = Vec::new();
    let Some(reason) = wanted::<Reason>(&typed, "reason", &mut errors) else {
        let client = by.want(&request, access::find(&app, id).await)?;
        return revoke_page(&request, &app, &by, client, (StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors))).await;
    };
    let client = by.want(&request, access::revoke(&app, &by.actor(), id, reason).await)?;
    let said = format!("{} is revoked. No release to it follows.", client.name);
    Ok(see_other_saying(&request, format!("/clients/{}", client.id), &said))
}

fn token_id<P>(request: &HttpRequest, by: &Visitor<P>) -> Result<TokenId, Error> {
    request.match_info().query("id").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

/// What revoking a token stops, and why it is done.
pub async fn ask_revoke_token(request: HttpRequest, app: Tidegate, by: Visitor<Stop>) -> Answer {
    let id = token_id(&request, &by)?;
    let found = by.want(&request, access::find_token(&app, id).await)?;
    token_page(&request, &app, &by, found, (StatusCode::OK, Typed::default())).await
}

async fn token_page(
    request: &HttpRequest,
    app: &App,
    by: &Visitor<Stop>,
    found: (Token, Client, Vendor),
    shown: (StatusCode, Typed),
) -> Answer {
    let (token, client, vendor) = found;
    if token.revoked_at.is_some() {
        let denied = Denied::State("This token is revoked already; nothing is released for it.".to_owned());
        return Err(by.refuse(request, AppError::from(denied)));
    }
    let frame = by.frame(request, "Revoke this token?", Section::Access);
    let scope = token.scope.iter().map(Slug::as_str).collect::<Vec<_>>().join(", ");
    let preview = by.want(request, stops::preview(app, StopOf::Token(token.id.clone())).await)?;
    let running = match preview.running_streams {
        0 => "No stream of it runs just now".to_owned(),
        many => format!("{} just now, to be cut at the next piece", words::count(many, "stream of it runs", "streams of it run")),
    };
    let last =
        preview.last_pull.map_or_else(|| "it never pulled anything".to_owned(), |at| format!("last pull {}", words::ago(&at, &frame.now)));
    let again = match token.kind {
        TokenKind::Access => "The client can get another one: revoke the client to stop it.",
        TokenKind::Plain => "A new one must be issued if the vendor is to go on.",
    };
    let (status, typed) = shown;
    let page = StopPage {
        crumbs: crumbs(&client),
        typed,
        action: format!("/tokens/{}/revoke", token.id),
        title: "Revoke one token".to_owned(),
        stops: vec![
            format!("This token of “{}” ({}) is refused from the next request on.", client.name, vendor.profile.legal_name),
            format!("It names {scope}, and would have held until {}.", words::instant(&token.expires_at)),
            format!("{running}; {last}."),
            again.to_owned(),
        ],
        label: "Revoke the token",
        back: format!("/clients/{}", client.id),
        labels: LABELS,
        frame,
    };
    Ok(render(request, status, &page))
}

/// Revokes a token.
pub async fn revoke_token(request: HttpRequest, app: Tidegate, sent: Sent<Stop>) -> Answer {
    let Sent { by, typed } = sent;
    let id = token_id(&request, &by)?;
    let mut errors = Vec::new();
    let Some(reason) = wanted::<Reason>(&typed, "reason", &mut errors) else {
        let found = by.want(&request, access::find_token(&app, id).await)?;
        return token_page(&request, &app, &by, found, (StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors))).await;
    };
    let token = by.want(&request, access::revoke_token(&app, &by.actor(), id, Some(reason)).await)?;
    Ok(see_other_saying(&request, format!("/clients/{}", token.client), "The token is revoked. No release for it follows."))
}

//! How a client proves who it is: a secret, keys that are pasted here, or keys that the vendor publishes; and whether its
//! tokens are bound to a key.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::access::authentication::Change;
use crate::app::access::{self, HandOver, Handed, Proposed};
use crate::app::stops::{self, StopOf};
use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::client::{Authentication, Binding, Client};
use crate::http::api::Tidegate;
use crate::http::guard::ManageAccess;
use crate::policy::Denied;

use super::super::answer::render;
use super::super::form::Typed;
use super::super::guard::{Sent, Visitor};
use super::super::lead::see_other_saying;
use super::super::page::{Frame, Section};
use super::super::parts::{Choice, Crumb};
use super::{Answer, client_id, crumbs, link};

#[derive(Template)]
#[template(path = "access/authentication.html")]
struct AuthenticationPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    client: Client,
    typed: Typed,
    kinds: Vec<Choice>,
    bindings: Vec<Choice>,
    /// Tokens that it has outstanding.
    tokens: i64,
    /// What somebody else did meanwhile.
    meanwhile: String,
}

impl AuthenticationPage {
    fn back(&self) -> String {
        format!("/clients/{}", self.client.id)
    }
}

/// The ways there are.
pub fn kinds() -> Vec<Choice> {
    vec![
        Choice::new("secret", "A secret")
            .hinted("Every OAuth client can do it. The vendor collects it by a link that is used once; you never see it."),
        Choice::new("keys", "Keys of its own, kept here")
            .hinted("The stronger way: it signs with a key that never leaves the vendor (private_key_jwt). Paste the public half."),
        Choice::new("keys_at", "Keys of its own, published by the vendor")
            .hinted("The same, but the vendor can change its keys by itself: Tidegate asks its address for them (jwks_uri)."),
    ]
}

/// Whether tokens are bound.
pub fn bindings() -> Vec<Choice> {
    vec![
        Choice::new("optional", "If the client asks for it"),
        Choice::new("required", "Always")
            .hinted("A stolen token is then of no use without the key. The client must speak DPoP (RFC 9449)."),
    ]
}

/// What a form says of it.
pub fn read(typed: &Typed) -> Result<Proposed, Invalid> {
    let wanted = |name: &'static str, reason: &str| {
        let value = typed.value(name);
        if value.is_empty() { Err(Invalid::new(name, reason)) } else { Ok(value.to_owned()) }
    };
    match typed.value("authentication") {
        "secret" => Ok(Proposed::Secret),
        "keys" => wanted("keys", "must hold a public key, as JWK, JWK set or PEM").map(Proposed::Keys),
        "keys_at" => wanted("uri", "must be the address of the vendor's key set").map(Proposed::KeysAt),
        _ => Err(Invalid::new("authentication", "must be one of these")),
    }
}

/// What a form says of binding.
pub fn read_binding(typed: &Typed) -> Result<Binding, Invalid> {
    Binding::from_key(typed.value("dpop")).ok_or_else(|| Invalid::new("dpop", "must be one of these"))
}

/// What was typed, to be shown again; but a private key that was pasted by mistake goes nowhere.
pub fn kept(typed: Typed) -> Typed {
    let is_private = |(name, value): &&(String, String)| {
        name == "keys" && (value.contains("PRIVATE") || ["\"d\"", "\"k\""].iter().any(|member| value.contains(member)))
    };
    if typed.pairs().iter().any(|pair| is_private(&pair)) {
        Typed::new(typed.pairs().iter().filter(|pair| !is_private(pair)).cloned().collect())
    } else {
        typed
    }
}

/// How a client proves who it is, in words.
pub fn said(client: &Client) -> String {
    match &client.authentication {
        Authentication::Secret => "by a secret".to_owned(),
        Authentication::Keys { keys } => match keys.len() {
            1 => "by a key of its own".to_owned(),
            many => format!("by one of {many} keys of its own"),
        },
        Authentication::KeysAt { .. } => "by keys that the vendor publishes".to_owned(),
    }
}

/// Whether a client's tokens are bound, in words.
pub fn said_binding(client: &Client) -> &'static str {
    match client.dpop {
        Binding::Optional => "if it asks for it",
        Binding::Required => "always (DPoP)",
    }
}

fn filled(client: &Client) -> Typed {
    let typed = Typed::default().with("read", client.version).with("dpop", client.dpop.key());
    let typed = typed.with("authentication", client.authentication.key());
    match &client.authentication {
        Authentication::Secret => typed,
        Authentication::Keys { keys } => {
            typed.with("keys", serde_json::to_string_pretty(&serde_json::json!({ "keys": keys })).unwrap_or_default())
        }
        Authentication::KeysAt { uri } => typed.with("uri", uri),
    }
}

/// The form with what is so now.
pub async fn ask(request: HttpRequest, app: Tidegate, by: Visitor<ManageAccess>) -> Answer {
    let id = client_id(&request, &by)?;
    let client = by.want(&request, access::find(&app, id).await)?;
    let typed = filled(&client);
    page(&request, &app, &by, client, typed, (StatusCode::OK, String::new())).await
}

async fn page(
    request: &HttpRequest,
    app: &App,
    by: &Visitor<ManageAccess>,
    client: Client,
    typed: Typed,
    (status, meanwhile): (StatusCode, String),
) -> Answer {
    if client.revoked_at.is_some() {
        let denied = Denied::State("This client is revoked; nothing it proves lets it in.".to_owned());
        return Err(by.refuse(request, AppError::from(denied)));
    }
    let frame = by.frame(request, "How does it prove who it is?", Section::Access);
    let (kinds, bindings) = (kinds(), bindings());
    let tokens = by.want(request, stops::preview(app, StopOf::Client(client.id.clone())).await)?.tokens;
    let page = AuthenticationPage { frame, crumbs: crumbs(&client), client, typed, kinds, bindings, tokens, meanwhile };
    Ok(render(request, status, &page))
}

async fn again(request: &HttpRequest, app: &App, by: &Visitor<ManageAccess>, typed: Typed, errors: Vec<Invalid>) -> Answer {
    let client = by.want(request, access::find(app, client_id(request, by)?).await)?;
    page(request, app, by, client, kept(typed).refused(errors), (StatusCode::UNPROCESSABLE_ENTITY, String::new())).await
}

/// Saves it; where the client gets a secret by it, shows the link to that.
pub async fn save(request: HttpRequest, app: Tidegate, sent: Sent<ManageAccess>) -> Answer {
    let Sent { by, typed } = sent;
    let id = client_id(&request, &by)?;
    let (authentication, dpop) = match (read(&typed), read_binding(&typed)) {
        (Ok(authentication), Ok(dpop)) => (authentication, dpop),
        (authentication, dpop) => {
            let errors = authentication.err().into_iter().chain(dpop.err()).collect();
            return again(&request, &app, &by, typed, errors).await;
        }
    };
    let version = typed.value("read").parse::<i64>().unwrap_or(0);
    let change = Change { read: version, authentication, dpop, hand_over: HandOver::Link };
    match access::authentication::set(&app, &by.actor(), id.clone(), change).await {
        Ok((client, Handed::Link { link, ends_at })) => link::secret(&request, &app, &by, client, (&link, ends_at)),
        Ok((client, Handed::Shown(_) | Handed::Nothing)) => {
            let word = format!("It proves who it is {}. Its tokens are bound to a key {}.", said(&client), said_binding(&client));
            Ok(see_other_saying(&request, format!("/clients/{id}"), &word))
        }
        Err(AppError::Stale) => {
            let client = by.want(&request, access::find(&app, id).await)?;
            let meanwhile = format!("Somebody changed this client meanwhile: it proves who it is {} now.", said(&client));
            let typed = Typed::new(typed.pairs().iter().filter(|(name, _)| name != "read").cloned().collect()).with("read", client.version);
            page(&request, &app, &by, client, typed, (StatusCode::CONFLICT, meanwhile)).await
        }
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => again(&request, &app, &by, typed, vec![error]).await,
        Err(error) => Err(by.refuse(&request, error)),
    }
}

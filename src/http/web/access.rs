//! Access: clients of vendors, how they prove who they are, their tokens, and how each of them is stopped.

pub mod addresses;
pub mod authentication;
pub mod snippets;
pub mod stop;
pub mod tokens;

mod link;

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::access::{self, ClientFilter, ClientLine, ClientView, HandOver, Handed, Issuing};
use crate::app::lists::{Page, VendorFilter};
use crate::app::{App, AppError, vendors};
use crate::domain::Invalid;
use crate::domain::client::{Authentication, Client, TokenKind};
use crate::domain::client_key::KeyAlgorithm;
use crate::domain::id::{ClientId, VendorId};
use crate::domain::text::{Name, Slug};
use crate::domain::vendor::Vendor;
use crate::http::api::Tidegate;
use crate::http::guard::{ManageAccess, Read};
use crate::policy::Denied;

use self::snippets::{How, Snippet};
use super::answer::render;
use super::datasets::{asked, next_part};
use super::error::Wire;
use super::form::Typed;
use super::guard::{Sent, Visitor, wanted};
use super::lead::see_other_saying;
use super::page::{Frame, Section};
use super::parts::{Choice, Crumb, Fact};
use super::words;

type Answer = Result<HttpResponse, Error>;

/// What the fields are called.
pub const LABELS: &[(&str, &str)] = &[
    ("name", "Name"),
    ("permits", "Permits"),
    ("addresses", "Addresses"),
    ("authentication", "How it proves who it is"),
    ("keys", "Public keys"),
    ("uri", "Address of its keys"),
    ("dpop", "Tokens bound to a key"),
    ("ends_on", "Last day"),
    ("grace_seconds", "The old secret"),
    ("reason", "Reason"),
];

/// Clients on a page of the list.
const ROWS: usize = 50;
/// Tokens on a client's page.
const TOKENS: usize = 25;
/// Vendors that a search for one shows.
const VENDORS: usize = 20;

#[derive(Template)]
#[template(path = "access/list.html")]
struct ListPage {
    frame: Frame,
    search: String,
    state: String,
    states: Vec<Choice>,
    rows: Vec<ClientLine>,
    next: String,
    count: String,
    /// Whether anything was asked for, so that an empty list means that nothing fits.
    narrowed: bool,
}

#[derive(Template)]
#[template(path = "access/vendor.html")]
struct VendorPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    search: String,
    vendors: Vec<Vendor>,
    more: bool,
}

#[derive(Template)]
#[template(path = "access/new.html")]
struct NewPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    vendor: Vendor,
    permits: Vec<Choice>,
    kinds: Vec<Choice>,
    bindings: Vec<Choice>,
    typed: Typed,
}

#[derive(Template)]
#[template(path = "access/client.html")]
struct ClientPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    view: ClientView,
    facts: Vec<Fact>,
    next: String,
    snippets: Vec<Snippet>,
    shell: String,
    /// Where clients reach the installation.
    base: String,
}

impl NewPage {
    fn limits(&self) -> Vec<Choice> {
        vec![
            Choice::new("all", "Every permit of the vendor").hinted("Also those that come later."),
            Choice::new("some", "Only the permits ticked below"),
        ]
    }
}

/// The clients of all vendors.
pub async fn list(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let asked = asked(&request);
    let (search, state) = (asked.value("q").to_owned(), asked.value("state").to_owned());
    let revoked = match state.as_str() {
        "live" => Some(false),
        "revoked" => Some(true),
        _ => None,
    };
    let narrowed = !search.is_empty() || revoked.is_some();
    let filter = ClientFilter { search: Some(search.clone()).filter(|search| !search.is_empty()), revoked };
    let after = Some(asked.value("after").to_owned()).filter(|after| !after.is_empty());
    let found = by.want(&request, access::page(&app, filter, Page { after, limit: ROWS }).await)?;
    let states = vec![Choice::new("live", "Live"), Choice::new("revoked", "Revoked")];
    let next = next_part("/access", &asked, &["q", "state"], found.next);
    let count = words::count(found.total, "client", "clients");
    let frame = by.frame(&request, "Access", Section::Access);
    Ok(render(&request, StatusCode::OK, &ListPage { frame, search, state, states, rows: found.rows, next, count, narrowed }))
}

fn crumb() -> Crumb {
    Crumb { href: "/access".to_owned(), label: "Access".to_owned() }
}

fn crumbs(client: &Client) -> Vec<Crumb> {
    vec![crumb(), Crumb { href: format!("/clients/{}", client.id), label: client.name.to_string() }]
}

/// Whose machine is it? A client belongs to a vendor, which is looked for first.
pub async fn choose(request: HttpRequest, app: Tidegate, by: Visitor<ManageAccess>) -> Answer {
    let search = asked(&request).value("q").to_owned();
    let filter = VendorFilter { search: Some(search.clone()).filter(|search| !search.is_empty()), ..VendorFilter::default() };
    let page = Page { after: None, limit: VENDORS.saturating_add(1) };
    let mut found = by.want(&request, vendors::list(&app, filter, page).await)?;
    let more = found.len() > VENDORS;
    found.truncate(VENDORS);
    let frame = by.frame(&request, "Whose machine is it?", Section::Access);
    Ok(render(&request, StatusCode::OK, &VendorPage { frame, crumbs: vec![crumb()], search, vendors: found, more }))
}

fn vendor_id<P>(request: &HttpRequest, by: &Visitor<P>) -> Result<VendorId, Error> {
    request.match_info().query("id").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

fn client_id<P>(request: &HttpRequest, by: &Visitor<P>) -> Result<ClientId, Error> {
    request.match_info().query("id").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

/// The form for a new client.
pub async fn new(request: HttpRequest, app: Tidegate, by: Visitor<ManageAccess>) -> Answer {
    let id = vendor_id(&request, &by)?;
    new_page(&request, &app, &by, id, (StatusCode::OK, fresh())).await
}

fn fresh() -> Typed {
    Typed::default().with("limit", "all").with("authentication", "secret").with("dpop", "optional")
}

async fn new_page(request: &HttpRequest, app: &App, by: &Visitor<ManageAccess>, id: VendorId, shown: (StatusCode, Typed)) -> Answer {
    let (vendor, permits) = by.want(request, access::issuable(app, id).await)?;
    let permits = permits.iter().map(|key| Choice::new(key.as_str(), key.as_str())).collect();
    let crumbs = vec![crumb(), Crumb { href: format!("/vendors/{}", vendor.id), label: vendor.profile.legal_name.to_string() }];
    let frame = by.frame(request, "Issue a client", Section::Access);
    let (status, typed) = shown;
    Ok(render(
        request,
        status,
        &NewPage { frame, crumbs, vendor, permits, kinds: authentication::kinds(), bindings: authentication::bindings(), typed },
    ))
}

/// Issues a client and shows the link to its secret, this once.
pub async fn issue(request: HttpRequest, app: Tidegate, sent: Sent<ManageAccess>) -> Answer {
    let Sent { by, typed } = sent;
    let id = vendor_id(&request, &by)?;
    let issuing = match issuing(&typed) {
        Ok(issuing) => issuing,
        Err(errors) => {
            return new_page(&request, &app, &by, id, (StatusCode::UNPROCESSABLE_ENTITY, authentication::kept(typed).refused(errors)))
                .await;
        }
    };
    match access::issue(&app, &by.actor(), id.clone(), issuing).await {
        Ok((client, Handed::Link { link, ends_at })) => link::secret(&request, &app, &by, client, (&link, ends_at)),
        Ok((client, Handed::Shown(_) | Handed::Nothing)) => {
            let word = "The client is issued. Its keys are good from now on.";
            Ok(see_other_saying(&request, format!("/clients/{}", client.id), word))
        }
        Err(AppError::Invalid(error) | AppError::Denied(Denied::Invalid(error))) => {
            new_page(&request, &app, &by, id, (StatusCode::UNPROCESSABLE_ENTITY, authentication::kept(typed).refused([error]))).await
        }
        Err(error) => Err(by.refuse(&request, error)),
    }
}

fn issuing(typed: &Typed) -> Result<Issuing, Vec<Invalid>> {
    let mut errors = Vec::new();
    let name = wanted::<Name>(typed, "name", &mut errors);
    let permits = limit_of(typed).map_err(|error| errors.push(error)).ok();
    let addresses = addresses::read(typed).map_err(|error| errors.push(error)).ok();
    let authentication = authentication::read(typed).map_err(|error| errors.push(error)).ok();
    let dpop = authentication::read_binding(typed).map_err(|error| errors.push(error)).ok();
    match (name, permits, addresses, authentication, dpop) {
        (Some(name), Some(permits), Some(addresses), Some(authentication), Some(dpop)) => {
            Ok(Issuing { name, permits, addresses, authentication, dpop, hand_over: HandOver::Link })
        }
        _ => Err(errors),
    }
}

/// The permits that a client may ask for: all of its vendor's, or those that are ticked.
fn limit_of(typed: &Typed) -> Result<Option<BTreeSet<Slug>>, Invalid> {
    if typed.value("limit") != "some" {
        return Ok(None);
    }
    let keys: Result<BTreeSet<Slug>, Invalid> = typed.all("permits").map(str::parse).collect();
    match keys {
        Ok(keys) if !keys.is_empty() => Ok(Some(keys)),
        Ok(_) => Err(Invalid::new("permits", "must be at least one of these, where the client is limited to some")),
        Err(_) => Err(Invalid::new("permits", "must be permits of this vendor")),
    }
}

/// One client: what it may ask for, and the tokens that still open something.
pub async fn show(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let id = client_id(&request, &by)?;
    let asked = asked(&request);
    let after = Some(asked.value("after").to_owned()).filter(|after| !after.is_empty());
    let view = by.want(&request, access::view(&app, id.clone(), Page { after, limit: TOKENS }).await)?;
    let frame = by.frame(&request, view.client.name.to_string(), Section::Access);
    let page = ClientPage {
        frame,
        crumbs: vec![crumb()],
        facts: facts(&view),
        next: next_part(&format!("/clients/{id}"), &asked, &[], view.next_token.clone()),
        snippets: snippets::of(&app.settings.public_url, view.first.as_ref(), how(&view)),
        shell: snippets::shell(&id, how(&view), "…"),
        base: app.settings.public_url.clone(),
        view,
    };
    Ok(render(&request, StatusCode::OK, &page))
}

/// What the client's lines of code begin with.
fn how(view: &ClientView) -> How {
    let plain = !view.has_secret && view.tokens.iter().any(|token| token.kind == TokenKind::Plain);
    match &view.client.authentication {
        Authentication::Keys { keys } => How::Key(keys.first().map_or(KeyAlgorithm::ES256, |key| key.alg)),
        Authentication::KeysAt { .. } => How::Key(KeyAlgorithm::ES256),
        Authentication::Secret if plain => How::Plain,
        Authentication::Secret => How::Secret,
    }
}

fn facts(view: &ClientView) -> Vec<Fact> {
    let client = &view.client;
    let vendor = Fact::new("Vendor", view.vendor.profile.legal_name.to_string()).at(format!("/vendors/{}", view.vendor.id));
    let permits = client
        .permits
        .as_ref()
        .map_or_else(|| "every permit of the vendor".to_owned(), |keys| keys.iter().map(Slug::as_str).collect::<Vec<_>>().join(", "));
    let last = view.last_pull.map_or_else(|| "never".to_owned(), |at| words::instant(&at));
    let mut facts = vec![
        vendor,
        Fact::new("May ask for", permits),
        Fact::new("May ask from", addresses::said(client)),
        Fact::new("Proves who it is", authentication::said(client)),
        Fact::new("Tokens bound to a key", authentication::said_binding(client)),
        Fact::new("Issued", words::instant(&client.created_at)),
        Fact::new("Last pull", last),
    ];
    facts.extend(client.old_secret_until.map(|at| Fact::new("Old secret taken until", words::instant(&at))));
    facts.extend(client.revoked_at.map(|at| Fact::new("Revoked", words::instant(&at))));
    facts
}

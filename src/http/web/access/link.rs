//! The link by which the vendor collects a secret or a token: shown to the staff this once, to be passed on.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::App;
use crate::app::access::activation;
use crate::domain::client::Client;
use crate::domain::secret::PlainSecret;
use crate::domain::time::Instant;
use crate::http::guard::ManageAccess;

use super::super::answer::render;
use super::super::guard::Visitor;
use super::super::page::{Frame, Section};
use super::super::parts::Crumb;
use super::{Answer, crumbs};

#[derive(Template)]
#[template(path = "access/link.html")]
struct LinkPage {
    frame: Frame,
    crumbs: Vec<Crumb>,
    client: Client,
    link: String,
    ends_at: Instant,
    /// What the vendor gets by it.
    what: &'static str,
}

/// The page with the link to a client's secret.
pub fn secret(request: &HttpRequest, app: &App, by: &Visitor<ManageAccess>, client: Client, link: (&PlainSecret, Instant)) -> Answer {
    page(request, app, by, client, link, "secret")
}

/// The page with the link to a plain token.
pub fn token(request: &HttpRequest, app: &App, by: &Visitor<ManageAccess>, client: Client, link: (&PlainSecret, Instant)) -> Answer {
    page(request, app, by, client, link, "token")
}

fn page(
    request: &HttpRequest,
    app: &App,
    by: &Visitor<ManageAccess>,
    client: Client,
    (link, ends_at): (&PlainSecret, Instant),
    what: &'static str,
) -> Answer {
    let frame = by.frame(request, "Pass this link on", Section::Access);
    let page = LinkPage { frame, crumbs: crumbs(&client), client, link: activation::address(app, link), ends_at, what };
    Ok(render(request, StatusCode::OK, &page))
}

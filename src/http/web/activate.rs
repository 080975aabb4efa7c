//! What a vendor's people see behind an activation link: first what it is, then, once, the secret or token itself.

use actix_web::http::StatusCode;
use actix_web::{Error, HttpRequest, HttpResponse};
use askama::Template;

use crate::app::access::activation::{self, Activating};
use crate::app::{App, AppError};
use crate::domain::text::Slug;
use crate::http::api::Tidegate;

use super::access::snippets::{self, How, Snippet};
use super::answer::render;
use super::guard::{check_origin, outside};
use super::lead::answered;
use super::page::Frame;

#[derive(Template)]
#[template(path = "access/activate.html")]
struct ActivatePage {
    frame: Frame,
    what: Activating,
    scope: String,
}

#[derive(Template)]
#[template(path = "access/activated.html")]
struct ActivatedPage {
    frame: Frame,
    what: Activating,
    secret: String,
    /// The settings as an address that a browser saves as a file.
    file: String,
    shell: String,
    /// Where clients reach the installation.
    base: String,
    snippets: Vec<Snippet>,
}

#[derive(Template)]
#[template(path = "access/activation_gone.html")]
struct GonePage {
    frame: Frame,
}

fn link_of(request: &HttpRequest) -> String {
    request.match_info().query("link").to_owned()
}

fn gone(request: &HttpRequest, error: AppError) -> Error {
    match error {
        AppError::NotFound(_) => {
            let frame = Frame::outside(request, "This link is used up");
            answered(render(request, StatusCode::NOT_FOUND, &GonePage { frame }))
        }
        other => outside(request, other),
    }
}

/// What the link is for. Looking uses nothing up: programs that look at links in mails come here too.
pub async fn ask(request: HttpRequest, app: Tidegate) -> Result<HttpResponse, Error> {
    let what = activation::find(&app, &link_of(&request)).await.map_err(|error| gone(&request, error))?;
    let title = if what.token.is_some() { "A token for you" } else { "A secret for your machine" };
    let scope = what.token.as_ref().map(|token| token.scope.iter().map(Slug::as_str).collect::<Vec<_>>().join(", ")).unwrap_or_default();
    Ok(render(&request, StatusCode::OK, &ActivatePage { frame: Frame::outside(&request, title), what, scope }))
}

/// Uses the link up and shows what it is for.
pub async fn show(request: HttpRequest, app: Tidegate) -> Result<HttpResponse, Error> {
    check_origin(&request)?;
    let collected = activation::collect(&app, &link_of(&request)).await.map_err(|error| gone(&request, error))?;
    let secret = collected.secret.reveal().to_owned();
    Ok(render(&request, StatusCode::OK, &shown(&app, &request, collected.what, secret)))
}

fn shown(app: &App, request: &HttpRequest, what: Activating, secret: String) -> ActivatedPage {
    let (how, title) = match &what.token {
        Some(_) => (How::Plain, "Your token"),
        None => (How::Secret, "Your secret"),
    };
    let url = &app.settings.public_url;
    let settings = snippets::settings(url, &what.client.id, how, &secret);
    ActivatedPage {
        frame: Frame::outside(request, title),
        file: snippets::as_address(&settings),
        base: url.clone(),
        shell: snippets::shell(&what.client.id, how, &secret),
        snippets: snippets::of(url, what.first.as_ref(), how),
        secret,
        what,
    }
}

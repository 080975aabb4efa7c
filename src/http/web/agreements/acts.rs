//! The acts on a version: submit, sign, discard, and the next version; each leads back to the agreement.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use askama::Template;

use crate::app::agreements::{self, Signing};
use crate::app::{App, AppError};
use crate::domain::Invalid;
use crate::domain::agreement::{Party, VersionStatus};
use crate::domain::text::{Digest, Name, Reason};
use crate::http::api::Tidegate;
use crate::http::guard::ManageAgreements;
use crate::http::web::answer::render;
use crate::http::web::form::Typed;
use crate::http::web::guard::{Sent, Visitor, wanted};
use crate::http::web::lead::see_other_saying;
use crate::http::web::page::{Frame, Section};
use crate::http::web::parts::Choice;
use crate::policy::agreement::check_draft;

use super::head::{Head, Open, head};
use super::show::{again, version_of};
use super::{Answer, complaints, id_of, number_of};

type By = Visitor<ManageAgreements>;
type Form = Sent<ManageAgreements>;

/// What the fields of a signature are called.
pub const LABELS: &[(&str, &str)] =
    &[("party", "Who signs"), ("name", "Name, as signed"), ("document", "Document"), ("same", "The same document"), ("reason", "Reason")];

#[derive(Template)]
#[template(path = "agreements/sign.html")]
struct SignPage {
    frame: Frame,
    head: Head,
    typed: Typed,
    parties: Vec<Choice>,
    document: String,
    read: i64,
    /// Whether it can be signed now.
    open: bool,
    stale: bool,
}

#[derive(Template)]
#[template(path = "agreements/discard.html")]
struct DiscardPage {
    frame: Frame,
    head: Head,
    typed: Typed,
    stops: Vec<String>,
}

/// Hands a draft in for approval.
pub async fn submit(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let (id, number) = (id_of(&request, &sent.by)?, number_of(&request, &sent.by)?);
    match agreements::submit(&app, &sent.by.actor(), id.clone(), number).await {
        Ok(_) => {
            let said = "It is handed in: a privacy officer who wrote nothing in it decides.";
            Ok(see_other_saying(&request, format!("/agreements/{id}?version={number}"), said))
        }
        Err(error) => match complaints(error) {
            Ok(errors) => again(&request, &app, &sent.by, StatusCode::UNPROCESSABLE_ENTITY, errors).await,
            Err(error) => Err(sent.by.refuse(&request, error)),
        },
    }
}

/// The next version, as a draft.
pub async fn amend(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let id = id_of(&request, &sent.by)?;
    let view = sent.by.want(&request, agreements::amend(&app, &sent.by.actor(), id.clone()).await)?;
    let number = view.versions.last().map_or(1, |version| version.number);
    let said = format!(
        "Version {number} is a draft that repeats the terms of the last. The version in force stays as it is until this one is signed."
    );
    Ok(see_other_saying(&request, format!("/agreements/{id}?version={number}"), &said))
}

async fn sign_page(request: &HttpRequest, app: &App, by: &By, status: StatusCode, typed: Typed) -> Answer {
    let (id, number) = (id_of(request, by)?, number_of(request, by)?);
    let sheet = by.want(request, agreements::sheet(app, id).await)?;
    let version = version_of(request, by, &sheet, Some(number))?;
    let frame = by.frame(request, "Record a signature", Section::Agreements);
    let missing = |party: &Party| !version.signatures.iter().any(|signature| signature.party == *party);
    let name = |party| match party {
        Party::House => "Our side".to_owned(),
        Party::Vendor => sheet.vendor.profile.legal_name.to_string(),
    };
    let parties = [Party::House, Party::Vendor].into_iter().filter(missing);
    let page = SignPage {
        head: head(&frame, &by.actor(), &sheet, version, Open::None),
        parties: parties.map(|party| Choice::new(party.key(), name(party))).collect(),
        document: version.document.as_ref().map(ToString::to_string).unwrap_or_default(),
        read: version.version,
        open: matches!(version.status, VersionStatus::Approved { .. }),
        stale: status == StatusCode::CONFLICT,
        frame,
        typed,
    };
    Ok(render(request, status, &page))
}

/// The form for one party's signature.
pub async fn signing(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    sign_page(&request, &app, &by, StatusCode::OK, Typed::default()).await
}

/// Records one party's signature.
pub async fn sign(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let Sent { by, typed } = sent;
    let (id, number) = (id_of(&request, &by)?, number_of(&request, &by)?);
    let mut errors = Vec::new();
    let party = [Party::House, Party::Vendor].into_iter().find(|party| party.key() == typed.value("party"));
    if party.is_none() {
        errors.push(Invalid::new("party", "must be chosen"));
    }
    let name = wanted::<Name>(&typed, "name", &mut errors);
    let document = wanted::<Digest>(&typed, "document", &mut errors);
    if !typed.has("same", "yes") {
        errors.push(Invalid::new("same", "must be ticked: what was signed is the document with this digest"));
    }
    let (Some(party), Some(name), Some(document), true) = (party, name, document, errors.is_empty()) else {
        return sign_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    let read = typed.value("read").parse::<i64>().unwrap_or(0);
    match agreements::sign(&app, &by.actor(), id.clone(), number, Signing { read, party, name, document }).await {
        Ok(view) => {
            let signed = view.versions.iter().any(|one| one.number == number && matches!(one.status, VersionStatus::Signed { .. }));
            let said = if signed {
                "Both have signed: the version is in force from its first day."
            } else {
                "The signature is recorded; the other one is missing yet."
            };
            Ok(see_other_saying(&request, format!("/agreements/{id}?version={number}"), said))
        }
        Err(AppError::Stale) => sign_page(&request, &app, &by, StatusCode::CONFLICT, typed).await,
        Err(error) => match complaints(error) {
            Ok(errors) => sign_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await,
            Err(error) => Err(by.refuse(&request, error)),
        },
    }
}

async fn discard_page(request: &HttpRequest, app: &App, by: &By, status: StatusCode, typed: Typed) -> Answer {
    let (id, number) = (id_of(request, by)?, number_of(request, by)?);
    let sheet = by.want(request, agreements::sheet(app, id).await)?;
    let version = version_of(request, by, &sheet, Some(number))?;
    by.want(request, check_draft(version).map_err(AppError::from))?;
    let frame = by.frame(request, format!("Discard the draft of version {number}"), Section::Agreements);
    let head = head(&frame, &by.actor(), &sheet, version, Open::None);
    let stops = vec!["This draft, and the permits that were written for it".to_owned(), "Versions before it stay as they are".to_owned()];
    Ok(render(request, status, &DiscardPage { frame, head, typed, stops }))
}

/// The form that asks why a draft is given up.
pub async fn discarding(request: HttpRequest, app: Tidegate, by: By) -> Answer {
    discard_page(&request, &app, &by, StatusCode::OK, Typed::default()).await
}

/// Gives a draft up.
pub async fn discard(request: HttpRequest, app: Tidegate, sent: Form) -> Answer {
    let Sent { by, typed } = sent;
    let (id, number) = (id_of(&request, &by)?, number_of(&request, &by)?);
    let mut errors = Vec::new();
    let Some(reason) = wanted::<Reason>(&typed, "reason", &mut errors) else {
        return discard_page(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, typed.refused(errors)).await;
    };
    by.want(&request, agreements::discard(&app, &by.actor(), id.clone(), number, reason).await)?;
    Ok(see_other_saying(&request, format!("/agreements/{id}"), &format!("The draft of version {number} is given up.")))
}

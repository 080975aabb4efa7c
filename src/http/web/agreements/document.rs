//! The paper that is signed: handed in while a version is a draft, and fetched as it was handed in.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, http::header::CONTENT_DISPOSITION, http::header::HeaderValue};

use crate::app::{AppError, agreements};
use crate::domain::Invalid;
use crate::http::api::Tidegate;
use crate::http::api::evidence::download;
use crate::http::guard::{ManageAgreements, Read};
use crate::http::web::guard::Visitor;
use crate::http::web::lead::see_other_saying;
use crate::http::web::upload::SentFile;

use super::show::again;
use super::{Answer, complaints, id_of, number_of};

/// What papers begin with that people sign: PDF, and the container of office documents.
const PAPERS: [&[u8]; 2] = [b"%PDF-", b"PK\x03\x04"];

/// Hands the paper in.
pub async fn attach(request: HttpRequest, app: Tidegate, sent: SentFile<ManageAgreements>) -> Answer {
    let SentFile { by, typed, file } = sent;
    let (id, number) = (id_of(&request, &by)?, number_of(&request, &by)?);
    let (status, mut errors) = (file.status(), Vec::new());
    let Some(file) = file.wanted("document", &mut errors) else { return again(&request, &app, &by, status, errors).await };
    if !PAPERS.iter().any(|beginning| file.bytes.starts_with(beginning)) {
        let error = Invalid::new("document", "must be a PDF or a Word document: its contents are something else, whatever its name says");
        return again(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, vec![error]).await;
    }
    let read = typed.value("read").parse::<i64>().unwrap_or(0);
    match agreements::attach(&app, &by.actor(), id.clone(), number, read, file.bytes).await {
        Ok(_) => Ok(see_other_saying(&request, format!("/agreements/{id}?version={number}"), "The document is attached.")),
        Err(AppError::Stale) => {
            let error = Invalid::new(
                "document",
                "was not attached: somebody else changed this draft meanwhile. Look at it and choose the file again",
            );
            again(&request, &app, &by, StatusCode::CONFLICT, vec![error]).await
        }
        Err(error) => match complaints(error) {
            Ok(errors) => again(&request, &app, &by, StatusCode::UNPROCESSABLE_ENTITY, errors).await,
            Err(error) => Err(by.refuse(&request, error)),
        },
    }
}

/// Fetches it, always as a file and never shown in the page.
pub async fn fetch(request: HttpRequest, app: Tidegate, by: Visitor<Read>) -> Answer {
    let (id, number) = (id_of(&request, &by)?, number_of(&request, &by)?);
    let reference = by.want(&request, agreements::find(&app, id.clone()).await)?.agreement.reference;
    let bytes = by.want(&request, agreements::document(&app, id, number).await)?;
    let ending = if bytes.starts_with(b"%PDF-") {
        "pdf"
    } else if bytes.starts_with(b"PK") {
        "docx"
    } else {
        "bin"
    };
    let mut response = download(bytes);
    // A reference has no sign that would have to be quoted.
    if let Ok(named) = HeaderValue::from_str(&format!("attachment; filename=\"{reference}-v{number}.{ending}\"")) {
        response.headers_mut().insert(CONTENT_DISPOSITION, named);
    }
    Ok(response)
}

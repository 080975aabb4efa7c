//! Error pages say what to do and reveal nothing, under the same statuses as the API.

use actix_web::body::to_bytes;
use actix_web::test::TestRequest;

use super::*;
use crate::domain::gate::{Gate, Refusal};
use crate::domain::time::Instant;
use crate::http::error::HttpError;
use crate::http::web::page::{Section, Theme, Viewer};

/// One of each.
fn errors() -> Vec<AppError> {
    let invalid = || Invalid::new("name", "must have 1 to 120 characters");
    let mut all = vec![
        AppError::NotFound("vendor"),
        AppError::Taken("This name"),
        AppError::Stale,
        AppError::Denied(Denied::State("It is suspended.".to_owned())),
        AppError::Denied(Denied::Person("Another person must approve this.")),
        AppError::Denied(Denied::Invalid(invalid())),
        AppError::Denied(Denied::Missing(vec![invalid(), Invalid::new("", "needs a document")])),
        AppError::Invalid(invalid()),
        AppError::Unauthenticated,
        AppError::Unavailable("The database can't be reached just now.".to_owned()),
        AppError::Internal("the cause that nobody is told".to_owned()),
    ];
    all.extend(Gate::ALL.map(|gate| AppError::Refused(Refusal { gate, detail: "The gate is closed.", clause: None, retry_after: Some(7) })));
    all
}

fn frame(role: Role) -> Frame {
    let viewer = Viewer { id: "1".to_owned(), name: "Mara Lind".to_owned(), email: "mara@example.org".to_owned(), role };
    Frame {
        title: "Vendors".to_owned(),
        section: Section::Vendors,
        viewer: Some(viewer),
        csrf: "masked".to_owned(),
        path: "/vendors?q=<x>".to_owned(),
        theme: Theme::Auto,
        notice: None,
        stopped: None,
        request_id: "the-request".to_owned(),
        now: Instant::from_micros(0),
    }
}

fn page(error: &WebError) -> String {
    let body = error.error_response().into_body();
    let body = actix_web::rt::System::new().block_on(to_bytes(body)).map_err(|_| ()).unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[test]
fn pages_have_the_statuses_of_the_api() {
    for error in errors() {
        let request = TestRequest::default().to_http_request();
        let api = HttpError::staff(&request, error.clone()).status_code();
        let web = WebError::app(&request, frame(Role::VendorManager), error.clone());
        assert_eq!((web.status_code(), web.error_response().status()), (api, api), "{error:?}");
    }
}

#[test]
fn a_page_says_what_to_do_and_reveals_nothing() {
    for error in errors() {
        let request = TestRequest::default().to_http_request();
        let page = page(&WebError::app(&request, frame(Role::VendorManager), error.clone()));
        assert!(page.contains("the-request") && page.contains("Mara Lind") && page.contains("tg-error-next"), "{error:?}: {page}");
        assert!(!page.contains("the cause that nobody is told"), "{error:?}");
        assert!(!page.contains("Bearer"), "{error:?}: what programs are told is not for people");
        assert!(!page.contains("<x>"), "{error:?}: the path is not escaped");
    }
    let request = TestRequest::default().to_http_request();
    let missing = errors().swap_remove(6);
    let page = page(&WebError::app(&request, frame(Role::VendorManager), missing));
    assert!(page.contains("name must have 1 to 120 characters.") && page.contains("Needs a document."), "{page}");
}

#[test]
fn a_role_is_told_kindly_and_the_signed_out_are_led_back() {
    let request = TestRequest::default().insert_header(("hx-request", "true")).to_http_request();
    let refused = WebError::wire(&request, Some(frame(Role::ComplianceReviewer)), Wire::Role);
    assert_eq!(refused.status_code(), 403);
    let part = page(&refused);
    assert!(part.contains("Your role, Compliance reviewer, reads and changes nothing."), "{part}");
    assert!(part.contains("An administrator can tell who may.") && !part.contains("<html"), "{part}");
    let out = page(&WebError::wire(&request, Some(frame(Role::VendorManager)), Wire::SignedOut));
    assert!(out.contains("href=\"/sign-in?next=%2Fvendors%3Fq%3D%3Cx%3E\""), "{out}");
}

#[test]
fn who_must_wait_is_told_how_long() {
    let request = TestRequest::default().to_http_request();
    let response = WebError::wire(&request, None, Wire::TooMany { seconds: 30 }).error_response();
    assert_eq!((response.status().as_u16(), response.headers().get(RETRY_AFTER).unwrap().as_bytes()), (429, b"30".as_slice()));
    let response = WebError::wire(&request, None, Wire::Method { allow: "GET, POST".to_owned() }).error_response();
    assert_eq!((response.status().as_u16(), response.headers().get(ALLOW).unwrap().as_bytes()), (405, b"GET, POST".as_slice()));
    for (wire, status) in [
        (Wire::Unreadable, 400),
        (Wire::Forged, 403),
        (Wire::NotFound, 404),
        (Wire::TooLarge, 413),
        (Wire::MediaType, 415),
        (Wire::SignedOut, 401),
        (Wire::Role, 403),
    ] {
        assert_eq!(WebError::wire(&request, None, wire.clone()).status_code(), status, "{wire:?}");
    }
}

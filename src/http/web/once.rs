//! A form that is sent twice does its act once. The token of the page it stood on names it: a double click, a
//! reload, or the back button and another click lead where the first one led.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, LOCATION, SET_COOKIE};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpRequest};

use crate::app::sent_forms::{self, Before};
use crate::http::guard::app_of;

use super::cookie;
use super::error::{WebError, Wire};
use super::guard::outside;
use super::lead::{answered, see_other};

/// The form that a request is doing.
#[derive(Clone)]
struct Doing(String);

/// Begins to do a form.
///
/// # Errors
/// Where it was sent before: an answer that leads where it led.
pub async fn begin(request: &HttpRequest, form: &str) -> Result<(), Error> {
    let app = app_of(request)?;
    match sent_forms::begin(&app, form).await.map_err(|error| outside(request, error))? {
        None => {
            request.extensions_mut().insert(Doing(form.to_owned()));
            Ok(())
        }
        Some(Before::Done(led_to)) if !led_to.is_empty() => Err(answered(see_other(led_to))),
        Some(Before::Done(_)) => Err(WebError::wire(request, None, Wire::ShownOnce).into()),
        Some(Before::Doing) => Err(WebError::wire(request, None, Wire::BeingDone).into()),
    }
}

/// Notes what became of the form of a request: done where it led on or showed something, forgotten where it was
/// refused, so that it can be mended and sent again.
pub async fn settle(request: ServiceRequest, next: Next<impl MessageBody>) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let response = next.call(request).await?;
    let doing = response.request().extensions().get::<Doing>().cloned();
    if let Some(Doing(form)) = doing
        && let Ok(app) = app_of(response.request())
    {
        let led_to = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        let settled = match response.status() {
            status if status == StatusCode::SEE_OTHER => sent_forms::done(&app, &form, led_to).await,
            status if status.is_success() => sent_forms::done(&app, &form, String::new()).await,
            _ => sent_forms::forget(&app, &form).await,
        };
        if let Err(error) = settled {
            // The act itself is done or refused already; only a second sending would not be told.
            tracing::error!(%error, "what became of a form could not be noted");
        }
    }
    Ok(say_once(response))
}

/// The word that an act left for the next page is taken away by the page that said it.
fn say_once<B>(mut response: ServiceResponse<B>) -> ServiceResponse<B> {
    let request = response.request().clone();
    let is_page =
        response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|kind| kind.starts_with("text/html"));
    if is_page
        && cookie::left_notice(&request).is_some()
        && let Ok(value) = HeaderValue::from_str(&cookie::said(&request).to_string())
    {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

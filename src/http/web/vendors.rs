//! Vendors: the list, one vendor by its views, the form of its profile, and the acts of its lifecycle.

pub mod acts;
pub mod detail;
pub mod form;
pub mod list;
mod profile;

use actix_web::{Error, HttpRequest, HttpResponse};

use crate::domain::id::VendorId;

use super::error::Wire;
use super::guard::Visitor;
use super::parts::Crumb;

type Answer = Result<HttpResponse, Error>;

fn id_of<P>(request: &HttpRequest, by: &Visitor<P>) -> Result<VendorId, Error> {
    request.match_info().query("id").parse().map_err(|_| by.wire(request, Wire::NotFound))
}

fn crumb(href: impl Into<String>, label: impl Into<String>) -> Crumb {
    Crumb { href: href.into(), label: label.into() }
}

/// The pages above a vendor's own.
fn above() -> Vec<Crumb> {
    vec![crumb("/vendors", "Vendors")]
}

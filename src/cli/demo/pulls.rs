//! Pulls of the demo's vendors, through the same use cases as the wire's.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::app::oauth::{self, Bearer, Credentials, OauthError, Presented, Scheme, TokenRequest};
use crate::app::release::{self, Asked, Format, Request};
use crate::app::{App, AppError};
use crate::domain::secret::PlainSecret;

use super::credentials::VendorAccess;

/// From where the demo's vendors ask.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

async fn token(app: &App, vendor: &VendorAccess) -> Result<Bearer, OauthError> {
    let (Some(id), Some(secret)) = (&vendor.client_id, &vendor.client_secret) else { return Err(OauthError::InvalidClient) };
    let credentials = Credentials::secret(id.clone(), PlainSecret::new(secret));
    let granted = oauth::grant(app, &credentials, HERE, TokenRequest::default()).await?;
    let token = granted.access_token.reveal();
    let presented = Presented { scheme: Scheme::Bearer, token, proofs: &[], method: "GET", path: "/", from: HERE };
    oauth::bearer(app, presented).await.map_err(|_| OauthError::InvalidClient)
}

fn request(bearer: Bearer, dataset: &str) -> Request {
    Request { bearer, dataset: dataset.to_owned(), permit: None, asked: Asked::default(), request_id: crate::app::request_id() }
}

fn of_oauth(error: OauthError) -> AppError {
    match error {
        OauthError::App(error) => error,
        other => AppError::Internal(other.to_string()),
    }
}

/// A page and a whole stream of each dataset of the vendor.
pub async fn pull(app: &Arc<App>, vendor: &VendorAccess) -> Result<(), AppError> {
    let bearer = token(app, vendor).await.map_err(of_oauth)?;
    for offered in release::datasets(app, &bearer).await? {
        release::page(app, &request(bearer.clone(), offered.name.as_str()), Format::Json.into(), Some(100), None).await?;
        let mut streaming = release::stream(app, &request(bearer.clone(), offered.name.as_str()), Format::Csv.into()).await?;
        while let Some(chunk) = streaming.next().await {
            chunk.map_err(|broken| AppError::Internal(broken.to_string()))?;
        }
    }
    Ok(())
}

/// What the survey firm pulled while its due diligence held.
pub async fn survey(app: &Arc<App>, vendor: &VendorAccess) -> Result<(), AppError> {
    pull(app, vendor).await
}

/// A try of a vendor that is refused.
pub async fn refused(app: &App, vendor: &VendorAccess) -> Result<(), AppError> {
    match token(app, vendor).await {
        Err(OauthError::InvalidScope(_)) => Ok(()),
        Err(error) => Err(of_oauth(error)),
        Ok(_) => Err(AppError::Internal("the lapsed vendor of the demo was not refused".to_owned())),
    }
}

//! Who is asking, as an argument of the handler: a handler's signature names the permission it needs.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use tokio::sync::Semaphore;

use crate::app::oauth::{self, NoBearer, Presented, Scheme};
use crate::app::{App, AppError, people};
use crate::domain::person::Actor;
use crate::policy::access::{Permission, allows};

use super::error::HttpError;
use super::peer;

/// A permission as a type.
pub trait Grant: 'static {
    const PERMISSION: Permission;
}

macro_rules! grants {
    ($($name:ident),*) => {$(
        #[doc = concat!("The permission `", stringify!($name), "` as a type.")]
        pub struct $name;
        impl Grant for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )*};
}

grants!(
    Read,
    ReadHistory,
    ManagePeople,
    ManageOwnKeys,
    ManageVendors,
    Assess,
    Decide,
    ManageAgreements,
    Approve,
    ManageCatalogue,
    ManageVocabulary,
    ManageConsent,
    SeeSamples,
    RevealTokens,
    ManageAccess,
    Stop,
    LiftStop,
    ManageKeys
);

/// A member of the staff who holds a permission: only this extractor makes one.
pub struct Allowed<P> {
    actor: Actor,
    permission: PhantomData<P>,
}

impl<P> Allowed<P> {
    /// Who it is.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }
}

/// The bearer credential of a request, if it sent one. The scheme's name ignores case (RFC 9110 §11.1).
pub fn bearer_text(request: &HttpRequest) -> Option<String> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| credential.trim().to_owned())
}

/// An access token and how it was sent, if there is one. Two are none: it could not be said which of them was meant.
fn presented(request: &HttpRequest) -> Option<(Scheme, String)> {
    let mut values = request.headers().get_all(AUTHORIZATION);
    let (scheme, token) = values.next()?.to_str().ok()?.split_once(' ')?;
    let known = [("bearer", Scheme::Bearer), ("dpop", Scheme::Dpop)];
    let scheme = known.into_iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name)).map(|(_, scheme)| scheme)?;
    if values.next().is_some() { None } else { Some((scheme, token.trim().to_owned())) }
}

/// The parts of the installation, from the request.
pub fn app_of(request: &HttpRequest) -> Result<Arc<App>, HttpError> {
    request
        .app_data::<web::Data<Arc<App>>>()
        .map(|data| Arc::clone(data.get_ref()))
        .ok_or_else(|| HttpError::wire(request, StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server is not set up."))
}

/// Opens when a request's guard has let its caller in. The arguments of a handler are extracted side by side, so
/// what reads a body or a query waits here: nothing of a stranger's is read, and its faults are not told.
#[derive(Clone)]
struct Door(Arc<Semaphore>);

impl Door {
    fn closed(request: &HttpRequest) -> Self {
        let door = Self(Arc::new(Semaphore::new(0)));
        request.extensions_mut().insert(door.clone());
        door
    }

    /// A semaphore without permits keeps everyone until it is closed, and nobody after.
    fn open(&self) {
        self.0.close();
    }
}

/// Waits until the guard has let the caller in. The guard stands before the body among a handler's arguments.
///
/// # Errors
/// Where there is no guard: such a handler answers nobody.
pub async fn let_in(request: &HttpRequest) -> Result<(), HttpError> {
    let door = request.extensions().get::<Door>().cloned();
    let unguarded = || HttpError::wire(request, StatusCode::INTERNAL_SERVER_ERROR, "internal", "This route has no guard.");
    let waited = door.ok_or_else(unguarded)?.0.acquire_owned().await;
    waited.map_or(Ok(()), |_| Err(unguarded()))
}

type Extracting<T> = Pin<Box<dyn Future<Output = Result<T, HttpError>>>>;

impl<P: Grant> FromRequest for Allowed<P> {
    type Error = HttpError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let (request, door) = (request.clone(), Door::closed(request));
        Box::pin(async move {
            let app = app_of(&request)?;
            let key = bearer_text(&request).ok_or_else(|| HttpError::staff(&request, AppError::Unauthenticated))?;
            let actor = people::authenticate(&app, &key).await.map_err(|error| HttpError::staff(&request, error))?;
            let may = match &actor {
                Actor::Person { role, .. } => allows(*role, P::PERMISSION),
                Actor::Operator | Actor::Client(_) | Actor::System => false,
            };
            if may {
                door.open();
                Ok(Self { actor, permission: PhantomData })
            } else {
                Err(HttpError::wire(
                    &request,
                    StatusCode::FORBIDDEN,
                    "role",
                    "Your role does not include this; an administrator can tell who may.",
                ))
            }
        })
    }
}

/// A vendor's machine with a genuine access token. What it may have is decided by the live state.
pub struct VendorBearer(pub oauth::Bearer);

impl FromRequest for VendorBearer {
    type Error = HttpError;
    type Future = Extracting<Self>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = app_of(&request)?;
            let Some((scheme, token)) = presented(&request) else { return Err(HttpError::no_token(&request)) };
            let from = peer::address(&request, &app.settings.trusted_proxies);
            let proofs = super::oauth::proofs(&request);
            let (method, path) = (request.method().as_str(), request.uri().path());
            let presented = Presented { scheme, token: &token, proofs: &proofs, method, path, from };
            let bearer = oauth::bearer(&app, presented).await;
            bearer.map(Self).map_err(|refused| match refused {
                NoBearer::Token(scheme) => HttpError::bad_token(&request, scheme),
                NoBearer::Proof(proof) => HttpError::bad_proof(&request, proof),
                NoBearer::App(error) => HttpError::data(&request, error),
            })
        })
    }
}

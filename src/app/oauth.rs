//! OAuth 2.0 for vendors' machines: `client_credentials` (RFC 6749 §4.4), revocation (RFC 7009), introspection (RFC 7662), and
//! who a bearer is.

mod authenticating;
mod bearing;
mod granting;

pub use authenticating::{Credentials, authenticate};
pub use bearing::{Bearer, NoBearer, Presented, Scheme, bearer};
pub use granting::{Granted, Grants, TokenRequest, grant};

use std::sync::Arc;

use crate::domain::client::{Client, Token};
use crate::domain::gate::Gate;
use crate::domain::person::Actor;
use crate::domain::text::Slug;
use crate::policy::release::{detail, first_closed};

use super::release::live;
use super::throttle::Wait;
use super::{App, AppError, access};

/// Why no token was issued, as RFC 6749 §5.2 names it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OauthError {
    /// 401: who asks is not known, or not who they say.
    #[error("The client id or its secret is wrong, or the client is revoked.")]
    InvalidClient,
    /// 401: what was signed does not prove who asks.
    #[error(
        "The client assertion is not good: it must be signed by a key of this client (a published one must be there to be fetched), with iss and sub its id, aud this issuer's address alone, a jti of its own, and live 60 seconds at most."
    )]
    Assertion,
    /// 401: what was signed proved it once already.
    #[error("The client assertion was used before. Sign a new one with another jti for each request.")]
    AssertionUsed,
    /// 401: who asks is known, but may not ask from there.
    #[error("This client may not ask from this address.")]
    Address,
    /// 429: somebody failed too often with this client's id from there, or the client asks more often than its rate.
    #[error("too many requests, or too many failures")]
    SlowDown(Wait),
    /// 400: the proof of a key is not good, or there is none where one must be (RFC 9449 §5).
    #[error("{}", .0.sentence())]
    Proof(NoProof),
    /// 400: nothing that was asked for holds now.
    #[error("{}", detail(*.0))]
    InvalidScope(Gate),
    /// 400: more was asked for than one token can name.
    #[error("This client has more permits than one token can name: ask for fewer with scope.")]
    TooMuchScope,
    #[error(transparent)]
    App(#[from] AppError),
}

/// What is wrong with a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoProof {
    Missing,
    Several,
    Wrong,
    Used,
}

impl NoProof {
    /// What to do, for who sent it.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Missing => "This client's tokens are bound to a key: send a proof in the header DPoP (RFC 9449).",
            Self::Several => "Send one header DPoP, not several.",
            Self::Wrong => {
                "The DPoP proof is not good: it must be signed by the key in its header, for this method and address, with a jti of its own, not older than 60 seconds, and with ath where it comes with a token."
            }
            Self::Used => "The DPoP proof was used before. Make a new one with another jti for each request.",
        }
    }
}

/// Revokes a token of the client's own (RFC 7009); an unknown or foreign one is passed over.
pub async fn revoke(app: &App, client: Client, token: &str) -> Result<(), OauthError> {
    let Some(token) = bearing::read(app, token).await?.filter(|token| token.client == client.id) else { return Ok(()) };
    match access::revoke_token(app, &Actor::Client(client.id), token.id, None).await {
        Ok(_) | Err(AppError::NotFound(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What a client's own token opens at this moment (RFC 7662): `None` for one that opens nothing, or is another client's.
pub async fn introspect(app: &App, client: Client, token: &str) -> Result<Option<Token>, OauthError> {
    let Some(token) = bearing::read(app, token).await?.filter(|token| token.client == client.id && client.takes(token)) else {
        return Ok(None);
    };
    let (keyring, clock) = (Arc::clone(&app.keyring), app.clock.clone());
    let held = app.store.read(move |tx| live::holding(tx, &keyring, token, &clock)).await?;
    let now = held.time(app.clock.now());
    let open = held.ready.iter().filter(|ready| first_closed(&ready.state, now).is_none());
    let scope: Vec<Slug> = open.map(|ready| ready.state.permit.key.clone()).collect();
    let token = held.ready.first().map(|ready| ready.state.token.clone()).filter(|_| !scope.is_empty());
    Ok(token.filter(|token| token.revoked_at.is_none() && now < token.expires_at).map(|token| Token { scope, ..Token::clone(&token) }))
}
